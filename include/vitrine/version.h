#pragma once

#include "vitrine/export.h"

namespace vitrine {

/// Version of vitrine, as "major.minor.patch".
VITRINE_API const char* version() noexcept;

/// Version of the LibTorch that vitrine was built with.
VITRINE_API const char* libtorch_version() noexcept;

}  // namespace vitrine

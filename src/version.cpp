#include "vitrine/version.h"

#include <torch/version.h>

namespace vitrine {

const char* version() noexcept {
  return VITRINE_VERSION;
}

const char* libtorch_version() noexcept {
  return TORCH_VERSION;
}

}  // namespace vitrine

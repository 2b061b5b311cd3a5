#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "vitrine/models/mobilevit.h"
#include "vitrine/models/swin.h"

namespace vitrine::detail {

/// Why the Swin of a library, of one window, would answer otherwise at the image size of the
/// options, as the end of a sentence that names the nearest square sizes at which it does not;
/// empty where it answers alike. `layout` is that library's, of `key_layouts`; any but
/// torchvision's and transformers' answer alike.
std::string size_misfit(const SwinTransformerOptions& options, const std::string& layout);

/// The same of transformers' MobileViT V2, which cannot take the odd maps that vitrine's resizes.
std::string size_misfit(
    const MobileVitOptions& options, const std::array<std::int64_t, 2>& img_size);

}  // namespace vitrine::detail

#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "vitrine/models/mobilevit.h"
#include "vitrine/models/swin.h"

namespace vitrine::detail {

/// Whether a library treats a stage's map [rows, columns] with windows of side `window` as vitrine
/// does.
using SameWindows = bool (*)(const std::array<std::int64_t, 2>& map, std::int64_t window);

/// Those of torchvision, which pads a map before it shifts it and never makes a window smaller: the
/// windows fill the map.
bool fills_whole_windows(const std::array<std::int64_t, 2>& map, std::int64_t window);

/// Those of transformers' Swin and Swin V2. Both shift a map in both directions or in none; the
/// second makes a window as small as a square map.
bool is_shifted_as_a_whole(const std::array<std::int64_t, 2>& map, std::int64_t window);
bool is_shifted_as_a_whole_or_one_window(
    const std::array<std::int64_t, 2>& map, std::int64_t window);

/// Why a library's Swin of one window would answer otherwise at the image size of the options, as
/// the end of a sentence that names the nearest square sizes at which it does not; empty where it
/// answers alike.
std::string size_misfit(const SwinTransformerOptions& options, SameWindows same);

/// The same of transformers' MobileViT V2, which cannot take the odd maps that vitrine's resizes.
std::string size_misfit(
    const MobileVitOptions& options, const std::array<std::int64_t, 2>& img_size);

}  // namespace vitrine::detail

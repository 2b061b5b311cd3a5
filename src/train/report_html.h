#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::detail {

/// `text` fit for HTML and SVG, between tags and in quoted attributes: markup is escaped, control
/// characters and bytes that are not UTF-8 come as \xHH, and what goes beyond `limit` bytes as
/// "...".
std::string escaped(std::string_view text, std::size_t limit = 200);

/// The first `count` characters of `text`, the last one "…" where there are more; for places of a
/// fixed width.
std::string shortened(const std::string& text, std::size_t count);

/// `value` with so many digits after the point, whatever the locale; a dash where it is not finite.
std::string fixed(double value, int digits);
/// A share as "97.67 %".
std::string percent(double share);
/// Seconds as "45 s", "12 min" or "3 h 05 min".
std::string duration(double seconds);

/// The name of a class; its index where it has none.
std::string label_of(const std::vector<std::string>& labels, int64_t index);

/// `image`, uint8 [H, W, 3], as a URI that holds its bytes: PNG where it is at most 64 pixels wide
/// and high, else JPEG, its longer side brought to at most `longest_side` pixels.
std::string data_uri(const torch::Tensor& image, int64_t longest_side = 256);

}  // namespace vitrine::detail

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::detail {

/// CRC-32C (Castagnoli, RFC 3720) of `size` bytes.
std::uint32_t crc32c(const void* data, std::size_t size);

/// `data` as one record of a TFRecord file, which is what TensorBoard's event files are: length,
/// data, and a masked CRC-32C of each.
std::string tf_record(std::string_view data);

/// The record that an event file begins with; `wall_time` in seconds since 1970.
std::string version_event(double wall_time);

/// A record of scalars (tag, value) at `step`, kept as float32.
std::string scalars_event(
    double wall_time,
    std::int64_t step,
    const std::vector<std::pair<std::string, double>>& scalars);

}  // namespace vitrine::detail

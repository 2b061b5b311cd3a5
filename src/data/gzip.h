#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::detail {

/// The bytes of a file, inflated where it is compressed by gzip (RFC 1952), which its first bytes
/// tell. Throws FileError where the file is damaged, or holds much more than its size makes likely.
std::vector<std::uint8_t> read_maybe_gzip(const std::string& path);

}  // namespace vitrine::detail

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dtype.h"

namespace vitrine::detail {

/// One tensor of a safetensors file: where its bytes are and what they mean.
struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::U8;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // bytes from the start of the data
  std::uint64_t end = 0;

  std::uint64_t size() const { return end - begin; }
};

/// Header of a safetensors file.
struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  // in the order of their bytes
  std::map<std::string, std::string> metadata;
};

/// Bytes of the length that a file begins with, and the most the header after it may have: the
/// limit of the format's own library.
constexpr std::uint64_t kHeaderPrefix = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;

/// Length of the header, from the first `kHeaderPrefix` bytes of a file of `file_size` bytes.
/// Throws CheckpointError, beginning with `subject`, when the file cannot hold such a header.
std::uint64_t parse_header_length(
    const std::uint8_t* prefix, std::uint64_t file_size, const std::string& subject);

/// Parses the JSON of a header and checks it in full, so that every entry's bytes are within the
/// `data_size` bytes that follow, each byte belongs to one tensor, and no number overflows.
/// Stricter than the format's own library in this: duplicate names, entries written as lists,
/// dimensions that an int64 does not hold and more than 64 of them are refused. Throws
/// CheckpointError, beginning with `subject`.
SafetensorsHeader parse_header(
    std::string_view json, std::uint64_t data_size, const std::string& subject);

}  // namespace vitrine::detail

#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>
#include <zlib.h>

#include "vitrine/data/image_set.h"

namespace vitrine {

using Bytes = std::vector<std::uint8_t>;

inline void write_file(const std::string& path, const Bytes& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(
      reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + path);
  }
}

inline void write_file(const std::string& path, const std::string& text) {
  write_file(path, Bytes(text.begin(), text.end()));
}

/// A record of CIFAR: its labels, then 3072 bytes that begin with `seed` and count on.
inline void add_cifar_record(Bytes& bytes, const Bytes& labels, int seed) {
  bytes.insert(bytes.end(), labels.begin(), labels.end());
  for (int i = 0; i < 3072; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(seed + i));
  }
}

/// An IDX file of bytes: `sizes`, then `data`.
inline Bytes idx_file(const std::vector<std::uint32_t>& sizes, const Bytes& data) {
  Bytes bytes = {0, 0, 8, static_cast<std::uint8_t>(sizes.size())};
  for (const auto size : sizes) {
    for (const int shift : {24, 16, 8, 0}) {
      bytes.push_back(static_cast<std::uint8_t>(size >> shift));
    }
  }
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

/// `count` images of 2x3 pixels whose bytes count on from 0.
inline Bytes idx_images(std::uint32_t count) {
  Bytes data;
  for (std::uint32_t i = 0; i < count * 6; ++i) {
    data.push_back(static_cast<std::uint8_t>(i));
  }
  return idx_file({count, 2, 3}, data);
}

inline Bytes idx_labels(const Bytes& labels) {
  return idx_file({static_cast<std::uint32_t>(labels.size())}, labels);
}

/// `bytes` as gzip writes them.
inline Bytes gzipped(const Bytes& bytes) {
  z_stream stream{};
  if (::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("cannot compress");
  }
  Bytes result(::deflateBound(&stream, bytes.size()) + 64);
  stream.next_in = const_cast<std::uint8_t*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = result.data();
  stream.avail_out = static_cast<uInt>(result.size());
  ::deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  ::deflateEnd(&stream);
  return result;
}

/// The labels of a set as text, such as "0 1 1".
inline std::string labels_of(const ImageSet& set) {
  std::string text;
  for (const auto& sample : set.samples) {
    text += (text.empty() ? "" : " ") + std::to_string(sample.label);
  }
  return text;
}

}  // namespace vitrine

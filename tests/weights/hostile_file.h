#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "vitrine/error.h"
#include "vitrine/weights/safetensors.h"

#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {

inline std::string length_prefix(std::uint64_t length) {
  std::string prefix;
  for (int i = 0; i < 8; ++i) {
    prefix += static_cast<char>(length >> (8 * i) & 0xFF);
  }
  return prefix;
}

/// Bytes of a safetensors file with the header `json` and `data_size` zero bytes of data.
inline std::string file_bytes(const std::string& json, std::size_t data_size = 0) {
  return length_prefix(json.size()) + json + std::string(data_size, '\0');
}

/// One entry of a header.
inline std::string entry(
    const std::string& name,
    const std::string& dtype,
    const std::string& shape,
    const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline Safetensors read_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  write_bytes(folder / "m.safetensors", bytes);
  return read_safetensors(folder / "m.safetensors");
}

/// Expects that a file of these bytes is refused on one line with `cause` in it, within 100 ms and
/// 64 MB.
inline void expect_refused(const std::string& bytes, const std::string& cause) {
  const TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  write_bytes(path, bytes);
  expect_refusal<CheckpointError>([&] { read_safetensors(path); }, path + ": ", {cause});
}

inline void expect_header_refused(
    const std::string& json, const std::string& cause, std::size_t data_size = 0) {
  SCOPED_TRACE(json.substr(0, 200));
  expect_refused(file_bytes(json, data_size), cause);
}

}  // namespace vitrine

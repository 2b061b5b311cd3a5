#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

#include "vitrine/error.h"

#include "support/refusal.h"
#include "support/temporary_folder.h"
#include "weights/checkpoint_tree.h"

namespace vitrine {

/// A file that reads bytes which must outlive it.
inline detail::PthFile open_bytes(const std::string& bytes) {
  return {std::make_unique<detail::MemoryBytes>(bytes), "m.pth"};
}

/// The elements of a tensor as the bytes that `PthFile::read` gives.
inline std::string read_tensor_bytes(const detail::PthFile& file, const detail::TensorRef& tensor) {
  std::string bytes(tensor.size(), '\xA5');
  file.read(tensor, bytes.data());
  return bytes;
}

/// Opens a file, finds its state dict and reads every tensor, as a command would that reads it all.
inline void read_everything(const detail::PthFile& file, const std::string& key = "") {
  for (const auto& entry : find_state_dict(file, key).tensors) {
    read_tensor_bytes(file, entry.tensor);
  }
}

/// Expects that a file of these bytes is refused on one line with `cause` in it, within 100 ms and
/// 64 MB.
inline void expect_pth_refused(
    const std::string& bytes, const std::string& cause, const std::string& key = "") {
  const TemporaryFolder folder;
  const auto path = folder / "m.pth";
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  expect_refusal<CheckpointError>(
      [&] { read_everything(detail::PthFile(path), key); }, path + ": ", {cause});
}

}  // namespace vitrine

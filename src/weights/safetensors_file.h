#pragma once

#include <torch/types.h>

#include <string>

#include "byte_source.h"
#include "safetensors_header.h"

namespace vitrine::detail {

/// The ATen type of `dtype`, or nothing where vitrine does not read it.
std::optional<torch::ScalarType> scalar_type(Dtype dtype);
/// The dtype that a file has for `type`, or nothing.
std::optional<Dtype> file_dtype(torch::ScalarType type);

/// A safetensors file, open, its header checked in full; tensors are read one at a time.
class SafetensorsFile {
 public:
  /// Throws FileError when `path` cannot be read and CheckpointError when it is no sound
  /// safetensors file, saying what it is instead where that is known, and that `expected` was.
  explicit SafetensorsFile(const std::string& path, const char* expected = "a safetensors file");

  const SafetensorsHeader& header() const { return header_; }
  /// What messages begin with: the path, fit to print.
  const std::string& subject() const { return subject_; }

  /// Throws CheckpointError when the dtype of `entry` is none that vitrine reads.
  torch::ScalarType type_of(const TensorEntry& entry) const;
  /// The tensor of `entry`, new, on the CPU.
  torch::Tensor read(const TensorEntry& entry) const;
  /// Reads the tensor of `entry` into `tensor`: contiguous, on the CPU, of the same dtype and size.
  /// Gives whether no value is NaN or infinite.
  bool read_into(const TensorEntry& entry, const torch::Tensor& tensor) const;
  /// What `read_into` gives; reads into no memory.
  bool is_finite(const TensorEntry& entry) const;

 private:
  bool read_to(const TensorEntry& entry, void* out) const;

  std::string subject_;
  FileBytes file_;
  std::uint64_t data_start_ = 0;
  SafetensorsHeader header_;
};

}  // namespace vitrine::detail

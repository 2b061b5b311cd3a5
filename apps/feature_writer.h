#pragma once

#include <ATen/core/TensorBody.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "inputs.h"

namespace vitrine {

/// Rows of one matrix that come one after the other.
class FeatureMatrix {
 public:
  /// Takes at most `most_rows` of them; memory is used as they come.
  explicit FeatureMatrix(std::int64_t most_rows) : most_rows_(most_rows) {}

  /// Adds a row, float32 [C], on the CPU.
  void add(const at::Tensor& row);
  /// The rows so far, float32 [N, C]; there is at least one.
  at::Tensor tensor() const { return matrix_.narrow(0, 0, rows_); }

 private:
  at::Tensor matrix_;
  std::int64_t most_rows_;
  std::int64_t rows_ = 0;
};

/// Writes the features of one input after the other, in one format.
class FeatureWriter {
 public:
  FeatureWriter() = default;
  FeatureWriter(const FeatureWriter&) = delete;
  FeatureWriter& operator=(const FeatureWriter&) = delete;
  virtual ~FeatureWriter() = default;

  /// Features of `file`, float32 [C], on the CPU.
  virtual void write(const std::string& file, const at::Tensor& features) = 0;
  /// What the format has to say of an input that failed; standard error tells it anyway.
  virtual void write_error(const std::string& file, const std::string& error) = 0;
  /// To be called after the last input.
  virtual void finish() {}
};

/// The writer for "jsonl", "npy" or "safetensors" to the file `output`; for "jsonl" it may be
/// empty and stands for standard output. At most `inputs` are written.
///
/// jsonl: one object an input, {"file", "features": [...]} or {"file", "error"}, as they come.
/// The others hold float32 [N, C], one row for each image that could be read, and are written as a
/// whole by `finish`: npy with the names beside it, `output`.txt, one line a row, in which line
/// breaks are written as \x0a and \x0d; safetensors as tensor "features" with the names as a JSON
/// list, "files", in the metadata. Bytes of a name that are not UTF-8 become U+FFFD in JSON.
/// Throws FileError where `output` cannot be written, as soon as that shows.
std::unique_ptr<FeatureWriter> make_feature_writer(
    const std::string& format, const std::string& output, const std::vector<Input>& inputs);

}  // namespace vitrine

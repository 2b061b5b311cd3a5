#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "vitrine/weights/load.h"
#include "vitrine/weights/state_dict.h"

#include "safetensors_file.h"

namespace vitrine::detail {

/// Tensors by number, read one at a time: a state dict in memory, or a file.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// What messages begin with.
  virtual std::string subject() const = 0;
  virtual std::size_t size() const = 0;
  virtual const std::string& name(std::size_t i) const = 0;
  virtual torch::IntArrayRef shape(std::size_t i) const = 0;
  /// Throws CheckpointError when it is a type that vitrine does not read.
  virtual torch::ScalarType type(std::size_t i) const = 0;
  virtual std::uint64_t bytes(std::size_t i) const = 0;
  virtual torch::Tensor read(std::size_t i) const = 0;
  /// Copies tensor `i` into `target`, of the same shape.
  virtual void copy_to(std::size_t i, torch::Tensor& target) const = 0;

  /// Whether tensor `i`, as a tensor of the type `type`, has only finite values.
  virtual bool is_finite(std::size_t i, torch::ScalarType type) const;
};

/// The tensors of `tensors` or of `file`, which must outlive the source.
std::unique_ptr<Source> make_source(const StateDict& tensors);
std::unique_ptr<Source> make_source(const SafetensorsFile& file);

/// What `load_state_dict` and `load_weights` share: compares all, then copies all.
LoadReport load_source(Classifier& model, const Source& source, const LoadOptions& options);

}  // namespace vitrine::detail

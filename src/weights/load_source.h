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

  /// Whether the values of tensor `i` are finite as values of the type `type`. Throws
  /// CheckpointError where they are damaged.
  virtual bool is_finite(std::size_t i, torch::ScalarType type) const;
  /// Copies tensor `i` into `target`, of the same shape, and gives whether its values are finite as
  /// values of the target's type.
  virtual bool copy_to(std::size_t i, torch::Tensor& target) const;
  /// Whether `copy_to` writes what it reads straight to `target`, in no memory of its own, so that
  /// it may be called for many tensors at once.
  virtual bool copies_directly(std::size_t i, const torch::Tensor& target) const;
};

/// Whether `target` is one run of values of the type `type` on the CPU, to which a file can be
/// read.
bool is_run_of(const torch::Tensor& target, torch::ScalarType type);

/// Whether all values of `tensor` are finite.
bool all_finite(const torch::Tensor& tensor);

/// The tensors of `tensors` or of `file`, which must outlive the source.
std::unique_ptr<Source> make_source(const StateDict& tensors);
std::unique_ptr<Source> make_source(const SafetensorsFile& file);

/// What `load_state_dict`, `load_weights` and `load_model` share: compares all, then copies all.
/// `comparison` tells what shows all that a refusal names in part; it is the end of its message.
LoadReport load_source(
    Classifier& model,
    const Source& source,
    const LoadOptions& options,
    const std::string& comparison = "");

/// What `load_source` would find; the model is left alone.
FitReport compare_source(const Classifier& model, const Source& source, const LoadOptions& options);

}  // namespace vitrine::detail

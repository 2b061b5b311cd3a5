#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// Value of one option of a model.
using OptionValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>>;

/// Options of a model of any family, by timm's names, as given to `create_model`; what is not set
/// keeps the value of the named model. A name that the family does not have is refused there.
class VITRINE_API ModelOptions {
 public:
  /// Classes of the head; 0 for a model without one.
  ModelOptions& num_classes(int64_t value) { return set("num_classes", value); }
  /// Channels of the image.
  ModelOptions& in_chans(int64_t value) { return set("in_chans", value); }
  /// Rows and columns of the image, in pixels.
  ModelOptions& img_size(int64_t value) {
    return set("img_size", std::vector<int64_t>{value, value});
  }
  ModelOptions& img_size(int64_t height, int64_t width) {
    return set("img_size", std::vector<int64_t>{height, width});
  }
  /// Probability, in [0, 1), of dropping an input of the head while training.
  ModelOptions& drop_rate(double value) { return set("drop_rate", value); }
  /// Stochastic depth of the last block, in [0, 1).
  ModelOptions& drop_path_rate(double value) { return set("drop_path_rate", value); }

  /// Any option, by name.
  ModelOptions& set(const std::string& name, OptionValue value) {
    values_[name] = std::move(value);
    return *this;
  }
  const std::map<std::string, OptionValue>& values() const { return values_; }

 private:
  std::map<std::string, OptionValue> values_;
};

}  // namespace vitrine

#include "key_export.h"

#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "key_layouts.h"
#include "key_pattern.h"

namespace vitrine::detail {
namespace {

const KeyLayout& find_layout(const std::string& name) {
  const auto& all = key_layouts();
  return *std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
}

/// Applies the rules of one layout backwards, tensor by tensor.
class Exporter {
 public:
  explicit Exporter(const KeyLayout& layout) : layout_(layout) {}

  StateDict convert(const StateDict& tensors) {
    for (const auto& item : tensors) {
      put(item.key(), item.value());
    }
    for (auto& [name, parts] : rows_) {
      for (auto& part : parts) {
        // What has no part of its own is zero: torchvision's bias of the keys.
        part = part.defined() ? part : torch::zeros_like(first_defined(parts));
      }
      result_[name] = torch::cat(parts);
    }
    return std::move(result_);
  }

 private:
  static torch::Tensor first_defined(const std::vector<torch::Tensor>& parts) {
    return *std::find_if(
        parts.begin(), parts.end(), [](const auto& part) { return part.defined(); });
  }

  /// The first rule that gives `name`; of several parts the one that gives `part`.
  const KeyRule* find_rule(
      const std::string& name, std::optional<int> part, std::optional<KeyMatch>& match) const {
    for (const auto& rule : layout_.rules) {
      match =
          rule.to.empty() || (part && rule.part != *part) ? std::nullopt : match_key(name, rule.to);
      if (match) {
        return &rule;
      }
    }
    return nullptr;
  }

  void put(const std::string& name, const torch::Tensor& value) {
    std::optional<KeyMatch> match;
    const auto* rule = find_rule(name, std::nullopt, match);
    if (rule == nullptr) {
      throw Error(std::string(layout_.name) + " has no place for '" + printable(name) + "'");
    }
    const auto to = fill_key(rule->from, *match);
    switch (rule->derivation) {
      case Derivation::Concat:
        split(name, value, rule->parts);
        break;
      case Derivation::Rows:
        put_rows(to, value, *rule);
        break;
      case Derivation::Tokens:
        // The token before the patches has no position of its own.
        result_.insert(to, torch::cat({torch::zeros_like(value.slice(1, 0, 1)), value}, 1));
        break;
      case Derivation::FlipChannels:
        result_.insert(to, value.flip(1));
        break;
      case Derivation::AddToken:
      case Derivation::Copy:
        result_.insert(to, value);
        break;
      case Derivation::Token:
      case Derivation::Kernel:
      case Derivation::AddProduct:
      case Derivation::Zeros:
        throw Error(std::string(layout_.name) + " has no way back for '" + printable(name) + "'");
    }
  }

  void split(const std::string& name, const torch::Tensor& value, int parts) {
    const auto rows = value.chunk(parts);
    for (int part = 0; part < parts; ++part) {
      std::optional<KeyMatch> match;
      const auto* rule = find_rule(name, part, match);
      result_.insert(fill_key(rule->from, *match), rows[static_cast<std::size_t>(part)]);
    }
  }

  void put_rows(const std::string& to, const torch::Tensor& value, const KeyRule& rule) {
    auto& parts = rows_[to];
    if (parts.empty()) {
      parts.resize(static_cast<std::size_t>(rule.parts));
      result_.insert(to, value);  // its place, until all parts are there
    }
    parts[static_cast<std::size_t>(rule.part)] = value;
  }

  const KeyLayout& layout_;
  StateDict result_;
  std::map<std::string, std::vector<torch::Tensor>> rows_;
};

}  // namespace

StateDict to_layout(const StateDict& tensors, const std::string& layout) {
  const torch::NoGradGuard no_grad;
  return Exporter(find_layout(layout)).convert(tensors);
}

}  // namespace vitrine::detail

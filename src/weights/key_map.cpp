#include "key_map.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "derived_key.h"
#include "derived_shape.h"
#include "key_layouts.h"
#include "key_pattern.h"

namespace vitrine::detail {
namespace {

/// A model has hundreds of tensors. Names cost far more to map than the bytes that they take in a
/// file.
constexpr std::size_t kMostTensors = 20'000;

/// The heads that DINO and DINOv2 train with, which are no classifiers.
bool is_projection_head(std::string_view name) {
  return starts_with(name, "head.") || starts_with(name, "dino_head.") ||
         starts_with(name, "ibot_head.");
}

using Names = std::vector<std::string_view>;

/// Names without those that Hugging Face's classifiers put before the model inside.
Names without_model_prefixes(Names names) {
  for (auto& name : names) {
    for (const auto prefix : model_prefixes()) {
      if (starts_with(name, prefix) && name.size() > prefix.size()) {
        name.remove_prefix(prefix.size());
        break;
      }
    }
  }
  return names;
}

const KeyLayout* find_layout(const Names& names) {
  const HasKey has = [&](std::string_view pattern) {
    return std::any_of(names.begin(), names.end(), [&](auto name) {
      return match_key(name, pattern).has_value();
    });
  };
  for (const auto& layout : key_layouts()) {
    if (layout.fits(has)) {
      return &layout;
    }
  }
  return nullptr;
}

std::string_view first_part(std::string_view name) {
  return name.substr(0, name.find('.'));
}

/// Whether a name begins as those of heads do: a model may have its head beside it.
bool may_be_head(std::string_view name) {
  const auto part = first_part(name);
  return part.find("head") != std::string_view::npos ||
         part.find("classifier") != std::string_view::npos || part == "fc" || part == "linear";
}

/// What is left of `names` where those with `prefix` are a model by themselves and the others, such
/// as a trainer's criterion, none of it: these become empty. Nothing where it is not so.
std::optional<Names> take_model(const Names& names, std::string_view prefix) {
  Names inside(names.size());
  std::set<std::string_view> parts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (starts_with(names[i], prefix) && names[i].size() > prefix.size()) {
      inside[i] = names[i].substr(prefix.size());
      parts.insert(first_part(inside[i]));
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool outside = inside[i].empty() && !names[i].empty();
    if (outside && (parts.count(first_part(names[i])) > 0 || may_be_head(names[i]))) {
      return std::nullopt;
    }
  }
  const bool fits = find_layout(without_model_prefixes(inside)) != nullptr &&
                    find_layout(without_model_prefixes(names)) == nullptr;
  return fits ? std::make_optional(std::move(inside)) : std::nullopt;
}

/// Names without the prefixes of wrappers; empty where the tensor belongs to a projection head or
/// beside the model.
Names strip(const std::vector<SourceTensor>& tensors) {
  Names names;
  names.reserve(tensors.size());
  for (const auto& tensor : tensors) {
    names.emplace_back(tensor.name);
  }
  const auto any = [&](std::string_view prefix) {
    return std::any_of(
        names.begin(), names.end(), [&](auto name) { return starts_with(name, prefix); });
  };
  const auto all = [&](std::string_view prefix) {
    return std::all_of(names.begin(), names.end(), [&](auto name) {
      return name.empty() || (starts_with(name, prefix) && name.size() > prefix.size());
    });
  };
  bool again = !names.empty();
  while (again) {
    again = false;
    for (const auto prefix : wrapper_prefixes()) {
      if (!any(prefix)) {
        continue;
      }
      if (prefix == "backbone.") {
        std::replace_if(names.begin(), names.end(), is_projection_head, std::string_view());
      }
      if (all(prefix)) {
        for (auto& name : names) {
          name.remove_prefix(std::min(name.size(), prefix.size()));
        }
        again = true;
      } else if (auto inside = take_model(names, prefix)) {
        names = std::move(*inside);
        again = true;
      }
    }
  }
  return without_model_prefixes(std::move(names));
}

/// Applies the rules of one layout, tensor by tensor.
class Mapper {
 public:
  Mapper(const std::vector<SourceTensor>& tensors, const std::string& subject)
      : tensors_(tensors), subject_(subject) {}

  KeyMap map(const Names& names, const KeyLayout* layout) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty() || is_derived(names[i])) {
        result_.dropped.push_back(i);
      } else if (layout == nullptr) {
        add(std::string(names[i]), {}, i);
      } else if (!apply_rules(names[i], layout->rules, i)) {
        if (layout->keeps_names) {
          add(std::string(names[i]), {}, i);
        } else {
          result_.unknown.push_back(i);
        }
      }
    }
    finish();
    return std::move(result_);
  }

 private:
  static constexpr auto kNone = static_cast<std::size_t>(-1);

  /// Whether a source may serve other tensors as well, by further rules.
  static bool is_shared(Derivation derivation) {
    return derivation == Derivation::Rows || derivation == Derivation::Tokens ||
           derivation == Derivation::AddToken || derivation == Derivation::Kernel ||
           derivation == Derivation::AddProduct || derivation == Derivation::Zeros;
  }

  static std::size_t sources_of(const KeyRule& rule) {
    const bool several =
        rule.derivation == Derivation::Concat || rule.derivation == Derivation::AddToken ||
        rule.derivation == Derivation::Kernel || rule.derivation == Derivation::AddProduct;
    return several ? static_cast<std::size_t>(rule.parts) : 1;
  }

  bool is_no_token(Derivation derivation, std::size_t i) const {
    const auto& shape = tensors_[i].shape;
    return derivation == Derivation::Token && shape.size() > 1 && shape[shape.size() - 2] == 0;
  }

  bool apply_rules(std::string_view name, const std::vector<KeyRule>& rules, std::size_t i) {
    bool applied = false;
    for (const auto& rule : rules) {
      const auto match = match_key(name, rule.from);
      if (!match) {
        continue;
      }
      applied = true;
      if (rule.to.empty() || is_no_token(rule.derivation, i)) {
        result_.dropped.push_back(i);
      } else {
        add(fill_key(rule.to, *match), rule, i);
      }
      if (!is_shared(rule.derivation)) {
        break;
      }
    }
    return applied;
  }

  void add(const std::string& name, const KeyRule& rule, std::size_t i) {
    const auto [place, made] = places_.emplace(name, result_.tensors.size());
    if (made) {
      result_.tensors.push_back({name, {}, rule.derivation, {}});
      result_.tensors.back().sources.assign(sources_of(rule), kNone);
    }
    auto& tensor = result_.tensors[place->second];
    const bool indexed = tensor.sources.size() > 1;
    auto& source = tensor.sources[indexed ? static_cast<std::size_t>(rule.part) : 0];
    if (source != kNone) {
      throw CheckpointError(
          subject_ + ": both '" + printable(tensors_[source].name) + "' and '" +
          printable(tensors_[i].name) + "' stand for '" + printable(name) + "'");
    }
    source = i;
    if (rule.derivation == Derivation::Rows || rule.derivation == Derivation::Tokens) {
      cut(tensor, rule, i);
    }
  }

  /// Sets which part of its source a tensor takes.
  void cut(MappedTensor& tensor, const KeyRule& rule, std::size_t i) const {
    const auto& shape = tensors_[i].shape;
    const bool rows = rule.derivation == Derivation::Rows;
    const auto dim = rows ? std::size_t{0} : std::size_t{1};
    const bool fits = shape.size() > dim && (rows ? shape[0] % rule.parts == 0 : shape[1] > 1);
    if (!fits) {
      throw CheckpointError(
          subject_ + ": tensor '" + printable(tensors_[i].name) + "' cannot be split for '" +
          tensor.name + "'");
    }
    const auto count = rows ? shape[0] / rule.parts : shape[1] - 1;
    tensor.begin = rows ? rule.part * count : 1;
    tensor.end = tensor.begin + count;
    tensor.shape = shape;
    tensor.shape[dim] = count;
  }

  /// Gives every tensor its shape; one whose sources are not all there is taken apart again.
  void finish() {
    auto& tensors = result_.tensors;
    for (auto& tensor : tensors) {
      const bool whole =
          std::find(tensor.sources.begin(), tensor.sources.end(), kNone) == tensor.sources.end();
      if (!whole) {
        std::copy_if(
            tensor.sources.begin(),
            tensor.sources.end(),
            std::back_inserter(result_.unknown),
            [](auto i) { return i != kNone; });
        tensor.sources.clear();
      } else if (tensor.shape.empty()) {
        tensor.shape = shape_of(tensor);
      }
    }
    tensors.erase(
        std::remove_if(
            tensors.begin(), tensors.end(), [](const auto& t) { return t.sources.empty(); }),
        tensors.end());
    std::sort(result_.unknown.begin(), result_.unknown.end());
  }

  std::vector<std::int64_t> shape_of(const MappedTensor& tensor) const {
    std::vector<std::vector<std::int64_t>> shapes;
    std::vector<std::string> names;
    for (const auto i : tensor.sources) {
      shapes.push_back(tensors_[i].shape);
      names.push_back("'" + printable(tensors_[i].name) + "'");
    }
    const auto shape = derived_shape(tensor.derivation, shapes);
    if (!shape) {
      throw CheckpointError(
          subject_ + ": the shapes of " + join(names, ", ") + " do not fit for '" +
          printable(tensor.name) + "'");
    }
    return *shape;
  }

  const std::vector<SourceTensor>& tensors_;
  const std::string& subject_;
  KeyMap result_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

KeyMap map_keys(const std::vector<SourceTensor>& tensors, const std::string& subject) {
  if (tensors.size() > kMostTensors) {
    throw CheckpointError(
        subject + ": has " + std::to_string(tensors.size()) +
        " tensors, too many to be a model's; expected at most " + std::to_string(kMostTensors));
  }
  const auto names = strip(tensors);
  const auto* layout = find_layout(names);
  if (layout != nullptr && *layout->refusal != '\0') {
    throw CheckpointError(subject + ": " + layout->refusal);
  }
  auto result = Mapper(tensors, subject).map(names, layout);
  result.layout = layout == nullptr ? "" : layout->name;
  return result;
}

}  // namespace vitrine::detail

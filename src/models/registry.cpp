#include "vitrine/models/registry.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "zoo.h"

namespace vitrine {
namespace detail {

const std::vector<Group>& zoo() {
  static const std::vector<Group> groups = [] {
    auto all = vit_groups();
    for (auto more : {swin_groups(), mobilevit_groups()}) {
      std::move(more.begin(), more.end(), std::back_inserter(all));
    }
    return all;
  }();
  return groups;
}

}  // namespace detail

namespace {

using detail::Entry;
using detail::Group;
using detail::zoo;

/// A model of the zoo, as a name stands for it.
struct Found {
  const Group* group;
  const Entry* entry;
  PreprocessOptions preprocess;
};

std::optional<Found> find_exactly(const std::string& name) {
  for (const auto& group : zoo()) {
    for (const auto& entry : group.entries) {
      if (name == entry.name) {
        return Found{&group, &entry, entry.preprocess};
      }
    }
  }
  return std::nullopt;
}

std::optional<Found> find_alias(const std::string& name) {
  for (const auto& alias : detail::aliases()) {
    if (name == alias.alias) {
      auto found = find_exactly(alias.name);
      found->preprocess = alias.preprocess.value_or(found->preprocess);
      return found;
    }
  }
  return std::nullopt;
}

/// timm's "NAME.TAG" where the tag's weights want what NAME wants.
std::optional<Found> find_tagged(const std::string& name) {
  const auto dot = name.find('.');
  const auto& tags = detail::plain_tags();
  const bool plain = dot != std::string::npos &&
                     std::find(tags.begin(), tags.end(), name.substr(dot + 1)) != tags.end();
  return plain ? find_exactly(name.substr(0, dot)) : std::nullopt;
}

Found find(const std::string& name) {
  const std::string timm = "timm/";
  const auto bare = name.compare(0, timm.size(), timm) == 0 ? name.substr(timm.size()) : name;
  auto found = find_exactly(bare);
  found = found ? found : find_alias(bare);
  found = found ? found : find_tagged(bare);
  if (found) {
    return *found;
  }
  auto names = list_models();
  for (const auto& alias : detail::aliases()) {
    names.emplace_back(alias.alias);
  }
  throw UnknownNameError("model", name, names);
}

struct Creator {
  const ModelOptions& overrides;

  std::shared_ptr<Classifier> operator()(const VisionTransformerOptions& options) const {
    return VisionTransformer(apply(options, overrides)).ptr();
  }
  std::shared_ptr<Classifier> operator()(const SwinTransformerOptions& options) const {
    return SwinTransformer(apply(options, overrides)).ptr();
  }
  std::shared_ptr<Classifier> operator()(const MobileVitOptions& options) const {
    return MobileVit(apply(options, overrides)).ptr();
  }
};

struct SizeChecker {
  const ModelOptions& overrides;

  template <typename Options>
  void operator()(const Options& base) const {
    const auto options = apply(base, overrides);
    check_image_size(options.img_size(), options.patch_size());
  }
  void operator()(const MobileVitOptions&) const {}  // takes any
};

}  // namespace

std::shared_ptr<Classifier> create_model(const std::string& name, const ModelOptions& options) {
  return std::visit(Creator{options}, find(name).entry->options);
}

void check_image_size(const std::string& name, const ModelOptions& options) {
  std::visit(SizeChecker{options}, find(name).entry->options);
}

ModelCard find_card(const std::string& name) {
  const auto found = find(name);
  ModelCard card;
  card.architecture = found.entry->name;
  card.family = found.group->family;
  card.paper = found.group->paper;
  card.parameters = found.entry->parameters;
  card.gmacs = found.entry->gmacs;
  card.preprocess = found.preprocess;
  return card;
}

std::vector<std::string> list_models(const std::string& pattern) {
  std::vector<std::string> names;
  for (const auto& group : zoo()) {
    for (const auto& entry : group.entries) {
      if (matches_wildcard(entry.name, pattern)) {
        names.emplace_back(entry.name);
      }
    }
  }
  return names;
}

}  // namespace vitrine

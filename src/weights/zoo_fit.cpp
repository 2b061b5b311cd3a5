#include "zoo_fit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>

#include "vitrine/text.h"

namespace vitrine::detail {
namespace {

using Shape = std::vector<std::int64_t>;
using Shapes = TensorShapes;

std::string shape_text(const Shape& shape) {
  std::vector<std::string> sizes;
  for (const auto size : shape) {
    sizes.push_back(size < 0 ? "*" : std::to_string(size));
  }
  return "[" + join(sizes, ", ") + "]";
}

bool fits(const TellingTensor& expected, const Shapes& shapes) {
  const auto found = shapes.find(expected.name);
  if (found == shapes.end() || expected.shape.empty()) {
    return found == shapes.end() && expected.shape.empty();
  }
  const auto same = [](std::int64_t wanted, std::int64_t size) {
    return wanted < 0 || wanted == size;
  };
  return std::equal(
      expected.shape.begin(),
      expected.shape.end(),
      found->second.begin(),
      found->second.end(),
      same);
}

/// Notes the image's size that learned positions tell; false where they fit no square image.
bool note_image_size(
    const VisionTransformerOptions& of, const Shapes& shapes, Candidate& candidate) {
  const auto found = shapes.find("pos_embed");
  if (found == shapes.end()) {
    return true;
  }
  const auto prefix = of.no_embed_class()
                          ? 0
                          : (of.class_token() ? 1 : 0) + (of.distilled() ? 1 : 0) + of.reg_tokens();
  const auto patches = found->second[1] - prefix;
  const auto patch = of.patch_size();
  if (patches == of.img_size()[0] / patch * (of.img_size()[1] / patch)) {
    return true;
  }
  const auto side = static_cast<std::int64_t>(
      std::lround(std::sqrt(static_cast<double>(std::max<std::int64_t>(patches, 0)))));
  candidate.options.img_size(side * patch);
  candidate.distance += 2;
  return side > 0 && side * side == patches;
}

bool note_image_size(const SwinTransformerOptions&, const Shapes&, Candidate&) {
  return true;
}

bool note_image_size(const MobileVitOptions&, const Shapes&, Candidate&) {
  return true;
}

std::optional<Candidate> candidate_of(
    const Entry& entry, const Shapes& shapes, const ModelOptions& told) {
  const auto* vit = std::get_if<VisionTransformerOptions>(&entry.options);
  const auto of = vit == nullptr ? entry.options : FamilyOptions(apply(*vit, told));
  const auto telling = telling_tensors(of);
  const auto all = [&](const TellingTensor& tensor) { return fits(tensor, shapes); };
  if (!std::all_of(telling.begin(), telling.end(), all) ||
      shapes.at(telling.front().name)[1] < 1) {  // channels of the image
    return std::nullopt;
  }
  Candidate candidate{&entry, {}, 0};
  const bool sized = std::visit(
      [&](const auto& options) { return note_image_size(options, shapes, candidate); }, of);
  if (!sized) {
    return std::nullopt;
  }
  std::visit(
      [&](const auto& options) {
        const auto first = shapes.find(telling.front().name);
        if (first->second[1] != options.in_chans()) {
          candidate.options.in_chans(first->second[1]);
        }
        const bool head = shapes.count("head.weight") + shapes.count("head.fc.weight") > 0;
        if (head != (options.num_classes() > 0)) {
          candidate.distance += 1;
        }
        if (!head) {
          candidate.options.num_classes(0);
        }
      },
      of);
  return candidate;
}

}  // namespace

std::vector<Candidate> find_candidates(const TensorShapes& shapes, const ModelOptions& told) {
  std::vector<Candidate> candidates;
  for (const auto& group : zoo()) {
    for (const auto& entry : group.entries) {
      if (auto candidate = candidate_of(entry, shapes, told)) {
        candidates.push_back(std::move(*candidate));
      }
    }
  }
  return candidates;
}

std::optional<TellingTensor> find_misfit(const FamilyOptions& options, const Shapes& shapes) {
  for (const auto& tensor : telling_tensors(options)) {
    if (!fits(tensor, shapes)) {
      return tensor;
    }
  }
  return std::nullopt;
}

const Entry* find_nearest(const Shapes& shapes) {
  const Entry* nearest = nullptr;
  double best = 0;
  for (const auto& group : zoo()) {
    for (const auto& entry : group.entries) {
      const auto telling = telling_tensors(entry.options);
      double score = 0;  // by names first: tensors of another size are of the same kind of model
      for (const auto& tensor : telling) {
        if (!tensor.shape.empty() && shapes.count(tensor.name) > 0) {
          score += fits(tensor, shapes) ? 3 : 2;
        }
      }
      score /= static_cast<double>(telling.size());
      if (score > best) {
        best = score;
        nearest = &entry;
      }
    }
  }
  return nearest;
}

std::string misfit_text(const TellingTensor& expected, const Shapes& shapes) {
  const auto found = shapes.find(expected.name);
  const auto here = found == shapes.end() ? "missing" : shape_text(found->second);
  return "'" + expected.name + "' " +
         (expected.shape.empty() ? "is not there" : "is " + shape_text(expected.shape)) +
         ", here " + here;
}

}  // namespace vitrine::detail

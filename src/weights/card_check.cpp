#include "card_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <variant>
#include <vector>

#include "vitrine/error.h"

namespace vitrine::detail {
namespace {

/// Rough numbers of a model, as doubles, which no product overflows.
struct Estimate {
  double values = 0;   // of parameters, from below
  double derived = 0;  // of tables that files do not hold
  double tensors = 0;  // from below
};

/// Options as numbers, those that are no numbers as 0: the family refuses them by itself.
class Numbers {
 public:
  explicit Numbers(const ModelOptions& options) : values_(options.values()) {}

  bool has(const char* name) const { return values_.count(name) != 0; }

  double one(const char* name) const {
    const auto all = list(name);
    return all.empty() ? 0 : all.front();
  }

  /// The number of a stage, in a list of one for each or one for all.
  double of_stage(const char* name, std::size_t stage) const {
    const auto all = list(name);
    return stage < all.size() ? all[stage] : all.empty() ? 0 : all.front();
  }

  bool is(const char* name, const char* word) const {
    const auto found = values_.find(name);
    const auto* text = found == values_.end() ? nullptr : std::get_if<std::string>(&found->second);
    return text != nullptr && *text == word;
  }

  std::vector<double> list(const char* name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      return {};
    }
    std::vector<double> result;
    if (const auto* whole = std::get_if<int64_t>(&found->second)) {
      result.push_back(static_cast<double>(*whole));
    } else if (const auto* number = std::get_if<double>(&found->second)) {
      result.push_back(*number);
    } else if (const auto* numbers = std::get_if<std::vector<int64_t>>(&found->second)) {
      result.assign(numbers->begin(), numbers->end());
    }
    return result;
  }

  /// Rows times columns of the grid of patches.
  double grid() const {
    const auto sides = list("img_size");
    const auto patch = std::max(one("patch_size"), 1.0);
    return sides.empty() ? 0 : sides.front() / patch * sides.back() / patch;
  }

 private:
  const std::map<std::string, OptionValue>& values_;
};

// Tensors of the smallest transformer block, and of the smallest MobileNetV2 block.
constexpr double kBlockTensors = 10;
constexpr double kResidualTensors = 15;

Estimate estimate_vit(const Numbers& of) {
  const auto dim = of.one("embed_dim");
  const auto inner = of.one("head_dim") > 0 ? of.one("head_dim") * of.one("num_heads") : dim;
  const auto layers = of.is("mlp_layer", "swiglu") ? 1.5 : 2.0;  // of mlp_ratio * dim channels
  Estimate result;
  result.values = of.one("depth") * dim * (4 * inner + layers * of.one("mlp_ratio") * dim) +
                  dim * of.one("patch_size") * of.one("patch_size") * of.one("in_chans") +
                  dim * (of.grid() + of.one("num_classes"));
  result.tensors = of.one("depth") * kBlockTensors;
  return result;
}

Estimate estimate_swin(const Numbers& of) {
  auto dim = of.one("embed_dim");
  auto grid = of.grid();
  const auto heads = of.list("num_heads");
  const auto depths = of.list("depths");
  Estimate result;
  result.values = dim * of.one("patch_size") * of.one("patch_size") * of.one("in_chans");
  for (std::size_t stage = 0; stage < depths.size(); ++stage) {
    // Windows are no larger than the map.
    const auto window = std::min(of.of_stage("window_size", stage), std::max(std::sqrt(grid), 1.0));
    const auto tokens = window * window;
    const bool has_table = of.one("version") != 2 && stage < heads.size();
    const auto table = has_table ? 4 * (tokens - window) * heads[stage] : 0;
    result.values += depths[stage] * (dim * dim * (4 + 2 * of.one("mlp_ratio")) + table);
    result.derived += depths[stage] * (2 * tokens * tokens + grid * tokens / 2);
    result.values += stage + 1 < depths.size() ? 8 * dim * dim : 0;  // merging
    result.tensors += depths[stage] * kBlockTensors;
    dim *= 2;
    grid /= 4;
  }
  result.values += of.one("num_classes") * dim / 2;
  return result;
}

Estimate estimate_mobilevit(const Numbers& of) {
  const auto channels = of.list("channels");
  const auto blocks = of.list("blocks");
  const auto dims = of.list("transformer_dims");
  const auto depths = of.list("transformer_depths");
  // Of a block: matrices of the tokens' channels squared, kernels of the map's.
  const bool second = of.one("version") == 2;
  const auto squares = second ? 7 : 8;
  const auto kernels = second ? 0 : 27;
  Estimate result;
  auto in = of.one("stem_chans");
  result.values = 9 * in * of.one("in_chans");
  for (std::size_t stage = 0; stage < std::min(channels.size(), blocks.size()); ++stage) {
    const auto out = channels[stage];
    result.values += of.one("expansion") * in * (in + out) +
                     std::max(blocks[stage] - 1, 0.0) * 2 * of.one("expansion") * out * out;
    result.tensors += blocks[stage] * kResidualTensors;
    in = out;
  }
  for (std::size_t i = 0; i < std::min(dims.size(), depths.size()); ++i) {
    const auto stage = i + channels.size() - std::min(dims.size(), channels.size());
    const auto width = stage < channels.size() ? channels[stage] : 0;
    result.values +=
        squares * depths[i] * dims[i] * dims[i] + kernels * width * width + 2 * width * dims[i];
    result.tensors += depths[i] * kBlockTensors;
  }
  const auto last = of.one("head_chans");
  result.values += last > 0 ? last * (in + of.one("num_classes")) : in * of.one("num_classes");
  return result;
}

/// Fails where a card has some of `names` but not all: nothing could be said of such a model's
/// size.
bool has_all(const Numbers& of, const std::vector<const char*>& names, const std::string& subject) {
  const char* present = nullptr;
  const char* absent = nullptr;
  for (const auto* name : names) {
    (of.has(name) ? present : absent) = name;
  }
  if (present != nullptr && absent != nullptr) {
    throw CheckpointError(
        subject + " sets " + present + " but not " + absent +
        "; expected all options that shape the model, or none");
  }
  return absent == nullptr;
}

Estimate estimate(const ModelCard& card, double parameters, const std::string& subject) {
  const Numbers of(card.options);
  if (card.family == "vit" &&
      has_all(of, {"embed_dim", "depth", "num_heads", "head_dim", "mlp_ratio"}, subject)) {
    return estimate_vit(of);
  }
  if (card.family == "swin" &&
      has_all(of, {"embed_dim", "depths", "num_heads", "window_size", "mlp_ratio"}, subject)) {
    return estimate_swin(of);
  }
  if (card.family == "mobilevit" && has_all(
                                        of,
                                        {"stem_chans",
                                         "channels",
                                         "blocks",
                                         "expansion",
                                         "transformer_dims",
                                         "transformer_depths",
                                         "head_chans"},
                                        subject)) {
    return estimate_mobilevit(of);
  }
  return {parameters, 0, 0};
}

std::string rounded(double value) {
  return value < 1e18 ? std::to_string(static_cast<int64_t>(value)) : "more than 1e18";
}

}  // namespace

void check_plausible(
    const ModelCard& card, int64_t parameters, const Source& source, const std::string& subject) {
  double values = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    double of_tensor = 1;
    for (const auto size : source.shape(i)) {
      of_tensor *= static_cast<double>(size);
    }
    values += of_tensor;
  }
  const auto model = estimate(card, static_cast<double>(parameters), subject);
  constexpr double kSlack = 1e6;      // values: 4 MB
  constexpr double kDerived = 1.6e7;  // values: 64 MB
  if (!(model.values <= 1.5 * values + kSlack)) {
    throw CheckpointError(
        subject + " describes a model of about " + rounded(model.values) +
        " values, but the file holds " + rounded(values) + "; is it damaged?");
  }
  if (!(model.tensors <= static_cast<double>(source.size()))) {
    throw CheckpointError(
        subject + " describes a model of at least " + rounded(model.tensors) +
        " tensors, but the file holds " + std::to_string(source.size()) + "; is it damaged?");
  }
  if (!(model.derived <= 2 * values + kDerived)) {
    throw CheckpointError(
        subject + " describes a model that derives tables of about " + rounded(model.derived) +
        " values from its image and window sizes; is it damaged?");
  }
}

}  // namespace vitrine::detail

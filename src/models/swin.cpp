#include "vitrine/models/swin.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "vitrine/layers/observe.h"
#include "vitrine/layers/relative_position.h"

#include "layers/checks.h"
#include "option_fields.h"
#include "taken_features.h"

namespace vitrine {

namespace nn = torch::nn;

namespace {

constexpr auto kSwinFields = [](auto& options, auto& visit) {
  visit("img_size", options.img_size());
  visit("patch_size", options.patch_size());
  visit("in_chans", options.in_chans());
  visit("num_classes", options.num_classes());
  visit("embed_dim", options.embed_dim());
  visit("depths", options.depths());
  visit("num_heads", options.num_heads());
  visit("window_size", options.window_size());
  visit("version", options.version());
  visit("pretrained_window_sizes", options.pretrained_window_sizes());
  visit("mlp_ratio", options.mlp_ratio());
  visit("qkv_bias", options.qkv_bias());
  visit("norm_eps", options.norm_eps());
  visit("drop_rate", options.drop_rate());
  visit("proj_drop_rate", options.proj_drop_rate());
  visit("attn_drop_rate", options.attn_drop_rate());
  visit("drop_path_rate", options.drop_path_rate());
};

constexpr size_t kMostStages = 16;
void check(const SwinTransformerOptions& options) {
  TORCH_CHECK_VALUE(
      !options.depths().empty() && options.depths().size() <= kMostStages,
      "SwinTransformer: depths must have a number for each of 1 to ",
      kMostStages,
      " stages, got ",
      options.depths().size());
  TORCH_CHECK_VALUE(
      options.depths().size() == options.num_heads().size(),
      "SwinTransformer: depths and num_heads must have one number for each stage, got ",
      options.depths().size(),
      " and ",
      options.num_heads().size());
  for (const auto depth : options.depths()) {
    TORCH_CHECK_VALUE(
        depth > 0 && depth <= detail::kMostBlocks,
        "SwinTransformer: each of depths must be 1 to ",
        detail::kMostBlocks,
        ", got ",
        depth);
  }
  for (const auto* sides : {&options.window_size(), &options.pretrained_window_sizes()}) {
    TORCH_CHECK_VALUE(
        sides->size() == 1 || sides->size() == options.depths().size(),
        "SwinTransformer: window_size and pretrained_window_sizes must have one number, or one for "
        "each of ",
        options.depths().size(),
        " stages, got ",
        sides->size());
  }
  TORCH_CHECK_VALUE(
      options.num_classes() >= 0,
      "SwinTransformer: num_classes must be at least 0, got ",
      options.num_classes());
}

/// The number of stage `i` in a list of one for each, or one for all.
int64_t of_stage(const std::vector<int64_t>& list, size_t i) {
  return list.size() == 1 ? list.front() : list[i];
}

/// The map of stage `i`, in tokens, for a grid of patches.
Size2 stage_resolution(Size2 grid, size_t i) {
  for (size_t stage = 0; stage < i; ++stage) {
    grid = {(grid[0] + 1) / 2, (grid[1] + 1) / 2};
  }
  return grid;
}

/// Rows and columns of the windows in stage `i`, which are no larger than its map.
Size2 stage_window(const std::vector<int64_t>& sides, Size2 grid, size_t i) {
  const auto resolution = stage_resolution(grid, i);
  const auto side = of_stage(sides, i);
  return {std::min(side, resolution[0]), std::min(side, resolution[1])};
}

}  // namespace

SwinStageImpl::SwinStageImpl(const SwinStageOptions& options_) : options(options_) {
  reset();
}

void SwinStageImpl::reset() {
  TORCH_CHECK_VALUE(!options.drop_path_rates().empty(), "SwinStage: depth must be at least 1");
  const auto& block = options.block();
  if (options.downsample_dim() > 0) {
    downsample = register_module(
        "downsample",
        PatchMerging(PatchMergingOptions(options.downsample_dim(), block.dim())
                         .norm_eps(block.norm_eps())
                         .post_norm(block.version() == 2)
                         .pad_odd(true)));
  }
  blocks = register_module("blocks", nn::Sequential());
  bool shifted = false;
  for (const auto rate : options.drop_path_rates()) {
    auto of_block = block;
    blocks->push_back(SwinBlock(of_block.shifted(shifted).drop_path(rate)));
    shifted = !shifted;
  }
}

void SwinStageImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::SwinStage(dim=" << options.block().dim()
         << ", depth=" << options.drop_path_rates().size() << ")";
}

torch::Tensor SwinStageImpl::forward(const torch::Tensor& x) {
  return observed(*this, blocks->forward(downsample ? downsample(x) : x));
}

SwinTransformerOptions apply(SwinTransformerOptions base, const ModelOptions& overrides) {
  return detail::with_options(std::move(base), overrides, "swin", kSwinFields);
}

SwinTransformerImpl::SwinTransformerImpl(const SwinTransformerOptions& options_)
    : options(options_) {
  check(options);
  patch_embed = register_module(
      "patch_embed",
      PatchEmbed(PatchEmbedOptions(options.patch_size(), options.embed_dim())
                     .img_size(options.img_size())
                     .in_chans(options.in_chans())
                     .layout(PatchLayout::Grid)
                     .norm(true)
                     .norm_eps(options.norm_eps())));
  const auto& depths = options.depths();
  const auto rates = drop_path_rates(
      options.drop_path_rate(), std::accumulate(depths.begin(), depths.end(), int64_t{0}));
  auto rate = rates.begin();
  auto dim = options.embed_dim();
  layers = register_module("layers", nn::Sequential());
  for (size_t i = 0; i < depths.size(); ++i) {
    const auto merged_dim = i == 0 ? 0 : dim;
    if (i > 0) {
      dim *= 2;
    }
    const auto resolution = stage_resolution(patch_embed->grid_size(), i);
    const auto block = SwinBlockOptions(dim, options.num_heads()[i], resolution)
                           .window_size(of_stage(options.window_size(), i))
                           .version(options.version())
                           .pretrained_window_size(of_stage(options.pretrained_window_sizes(), i))
                           .mlp_ratio(options.mlp_ratio())
                           .qkv_bias(options.qkv_bias())
                           .norm_eps(options.norm_eps())
                           .proj_drop(options.proj_drop_rate())
                           .attn_drop(options.attn_drop_rate());
    const std::vector<double> stage_rates(rate, rate + depths[i]);
    rate += depths[i];
    layers->push_back(SwinStage(SwinStageOptions(block, stage_rates).downsample_dim(merged_dim)));
  }
  norm = register_module(
      "norm", nn::LayerNorm(nn::LayerNormOptions({num_features()}).eps(options.norm_eps())));
  reset_classifier(options.num_classes());
}

void SwinTransformerImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::SwinTransformer(img_size=" << options.img_size()[0] << "x"
         << options.img_size()[1] << ", patch_size=" << options.patch_size()
         << ", embed_dim=" << options.embed_dim()
         << ", depths=" << c10::IntArrayRef(options.depths())
         << ", window_size=" << c10::IntArrayRef(options.window_size())
         << ", version=" << options.version() << ", num_classes=" << options.num_classes() << ")";
}

torch::Tensor SwinTransformerImpl::forward_features(const torch::Tensor& images) {
  return norm(layers->forward(patch_embed(images)));  // [B, H', W', C]
}

Intermediates SwinTransformerImpl::forward_intermediates(
    const torch::Tensor& images, const IntermediatesOptions& wanted) {
  const detail::TakenFeatures taken("SwinTransformer", layers->size(), wanted);
  Intermediates result;
  auto x = patch_embed(images);  // [B, H, W, C]
  for (size_t i = 0; i < taken.end(); ++i) {
    x = layers->at<SwinStageImpl>(i).forward(x);
    const bool last = i + 1 == layers->size();
    result.features = last ? norm(x) : x;  // the norm has the last stage's channels
    if (taken.has(i)) {
      result.maps.push_back(taken.from_nhwc(wanted.norm() ? result.features : x));
    }
  }
  return result;
}

torch::Tensor SwinTransformerImpl::forward_head(const torch::Tensor& features, bool pre_logits) {
  return observed(*this, head(features, pre_logits));  // [B, K]
}

void SwinTransformerImpl::reset_classifier(int64_t num_classes) {
  const ClassifierHead fresh(ClassifierHeadOptions(num_features(), num_classes)
                                 .drop_rate(options.drop_rate())
                                 .channels_last(true));
  if (head) {
    unregister_module("head");
  }
  head = register_module("head", fresh);
  head->to(norm->weight.device(), norm->weight.scalar_type());
  head->train(is_training());
  options.num_classes(num_classes);
}

int64_t SwinTransformerImpl::num_features() const {
  return options.embed_dim() << (options.depths().size() - 1);
}

std::vector<std::vector<std::string>> SwinTransformerImpl::layer_prefixes() const {
  std::vector<std::vector<std::string>> result = {{"patch_embed."}};
  for (size_t s = 0; s < options.depths().size(); ++s) {
    const auto stage = "layers." + std::to_string(s) + ".";
    for (int64_t i = 0; i < options.depths()[s]; ++i) {
      result.push_back({stage + "blocks." + std::to_string(i) + "."});
      if (i == 0) {
        result.back().push_back(stage + "downsample.");
      }
    }
  }
  result.back().emplace_back("norm.");
  return result;
}

ModelOptions SwinTransformerImpl::model_options() const {
  return detail::as_model_options(options, kSwinFields);
}

std::optional<size_t> SwinTransformerImpl::stage_of_table(const std::string& key) const {
  const std::string table = ".relative_position_bias_table";
  const bool is_table =
      key.size() > table.size() && key.compare(key.size() - table.size(), table.size(), table) == 0;
  for (size_t i = 0; is_table && i < options.depths().size(); ++i) {
    const auto stage = "layers." + std::to_string(i) + ".";
    if (key.compare(0, stage.size(), stage) == 0) {
      return i;
    }
  }
  return std::nullopt;
}

bool SwinTransformerImpl::depends_on_size(const std::string& key) const {
  return stage_of_table(key).has_value();
}

torch::Tensor SwinTransformerImpl::adapt_weight(
    const std::string& key, const torch::Tensor& value, const ModelOptions* origin) const {
  const auto stage = stage_of_table(key);
  if (!stage || value.dim() != 2) {
    return value;
  }
  const auto rows_of = [](Size2 of) { return (2 * of[0] - 1) * (2 * of[1] - 1); };
  const auto rows = value.size(0);
  const auto window = stage_window(options.window_size(), patch_embed->grid_size(), *stage);
  if (origin == nullptr && rows == rows_of(window)) {
    return value;
  }
  const auto offsets = std::lround(std::sqrt(static_cast<double>(rows)));
  Size2 old_window{(offsets + 1) / 2, (offsets + 1) / 2};
  if (const auto size = origin ? detail::find_sides(*origin, "img_size") : std::nullopt) {
    const Size2 grid{(*size)[0] / options.patch_size(), (*size)[1] / options.patch_size()};
    const auto sides = detail::find_sizes(*origin, "window_size");
    if (sides.size() == 1 || sides.size() == options.depths().size()) {
      const auto known = stage_window(sides, grid, *stage);
      old_window = rows_of(known) == rows ? known : old_window;
    }
  }
  return rows_of(old_window) == rows ? resize_bias_table(value, old_window, window) : value;
}

}  // namespace vitrine

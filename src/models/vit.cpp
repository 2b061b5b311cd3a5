#include "vitrine/models/vit.h"

#include <algorithm>
#include <cmath>

#include "vitrine/layers/drop_path.h"
#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"
#include "vitrine/layers/sincos_position.h"
#include "vitrine/layers/transformer_block.h"
#include "vitrine/text.h"

#include "layers/checks.h"
#include "layers/linear.h"
#include "option_fields.h"
#include "taken_features.h"

namespace vitrine {

namespace nn = torch::nn;

namespace {

constexpr auto kFields = [](auto& options, auto& visit) {
  visit("img_size", options.img_size());
  visit("patch_size", options.patch_size());
  visit("in_chans", options.in_chans());
  visit("num_classes", options.num_classes());
  visit("global_pool", options.global_pool());
  visit("embed_dim", options.embed_dim());
  visit("depth", options.depth());
  visit("num_heads", options.num_heads());
  visit("head_dim", options.head_dim());
  visit("mlp_ratio", options.mlp_ratio());
  visit("qkv_bias", options.qkv_bias());
  visit("proj_bias", options.proj_bias());
  visit("mlp_layer", options.mlp_layer());
  visit("init_values", options.init_values());
  visit("class_token", options.class_token());
  visit("distilled", options.distilled());
  visit("reg_tokens", options.reg_tokens());
  visit("pos_embed", options.pos_embed());
  visit("no_embed_class", options.no_embed_class());
  visit("dual_patch_norm", options.dual_patch_norm());
  visit("fc_norm", options.fc_norm());
  visit("dynamic_img_size", options.dynamic_img_size());
  visit("interpolate_antialias", options.interpolate_antialias());
  visit("interpolate_offset", options.interpolate_offset());
  visit("norm_eps", options.norm_eps());
  visit("drop_rate", options.drop_rate());
  visit("pos_drop_rate", options.pos_drop_rate());
  visit("proj_drop_rate", options.proj_drop_rate());
  visit("attn_drop_rate", options.attn_drop_rate());
  visit("drop_path_rate", options.drop_path_rate());
};

constexpr int64_t kMostTokens = 1000;

/// Throws c10::ValueError unless `word`, the value of option `name`, is one of `allowed`.
void check_word(const char* name, const std::string& word, std::vector<std::string> allowed) {
  TORCH_CHECK_VALUE(
      std::find(allowed.begin(), allowed.end(), word) != allowed.end(),
      "VisionTransformer: ",
      name,
      " must be ",
      join({allowed.begin(), allowed.end() - 1}, ", "),
      " or ",
      allowed.back(),
      ", got '",
      printable(word),
      "'");
}

void check(const VisionTransformerOptions& options) {
  check_word("global_pool", options.global_pool(), {"token", "avg", "mean_all", "token_avg"});
  check_word("mlp_layer", options.mlp_layer(), {"mlp", "swiglu"});
  check_word("pos_embed", options.pos_embed(), {"learn", "sincos2d"});
  const bool token = options.global_pool() == "token";
  const bool both = options.global_pool() == "token_avg";
  TORCH_CHECK_VALUE(
      options.class_token() || !(token || both),
      "VisionTransformer: global_pool ",
      options.global_pool(),
      " needs the class token");
  TORCH_CHECK_VALUE(
      !both || !options.normalises_pooled(),
      "VisionTransformer: global_pool token_avg needs fc_norm false");
  TORCH_CHECK_VALUE(
      options.reg_tokens() >= 0 && options.reg_tokens() <= kMostTokens,
      "VisionTransformer: reg_tokens must be 0 to ",
      kMostTokens,
      ", got ",
      options.reg_tokens());
  TORCH_CHECK_VALUE(
      !options.distilled() || (token && options.reg_tokens() == 0),
      "VisionTransformer: distilled needs global_pool token and no reg_tokens, got ",
      options.global_pool(),
      " and ",
      options.reg_tokens());
  TORCH_CHECK_VALUE(
      std::isfinite(options.init_values()),
      "VisionTransformer: init_values must be a finite number, got ",
      options.init_values());
  const auto offset = options.interpolate_offset();
  TORCH_CHECK_VALUE(
      offset >= 0 && offset < 1,
      "VisionTransformer: interpolate_offset must be in [0, 1), got ",
      offset);
  TORCH_CHECK_VALUE(
      options.depth() > 0 && options.depth() <= detail::kMostBlocks && options.num_classes() >= 0,
      "VisionTransformer: depth must be 1 to ",
      detail::kMostBlocks,
      " and num_classes at least 0, got ",
      options.depth(),
      " and ",
      options.num_classes());
}

}  // namespace

VisionTransformerOptions apply(VisionTransformerOptions base, const ModelOptions& overrides) {
  return detail::with_options(std::move(base), overrides, "vit", kFields);
}

VisionTransformerImpl::VisionTransformerImpl(const VisionTransformerOptions& options_)
    : options(options_) {
  check(options);
  detail::check_drop("VisionTransformer", "pos_drop_rate", options.pos_drop_rate());
  detail::check_drop("VisionTransformer", "drop_rate", options.drop_rate());
  const auto dim = options.embed_dim();
  patch_embed = PatchEmbed(PatchEmbedOptions(options.patch_size(), dim)
                               .img_size(options.img_size())
                               .in_chans(options.in_chans())
                               .pre_norm(options.dual_patch_norm())
                               .norm(options.dual_patch_norm())
                               .norm_eps(options.norm_eps())
                               .dynamic_img_size(options.dynamic_img_size()));
  register_tokens(patch_embed->grid_size());
  register_module("patch_embed", patch_embed);
  pos_drop = register_module("pos_drop", nn::Dropout(options.pos_drop_rate()));

  const bool gated = options.mlp_layer() == "swiglu";
  blocks = register_module("blocks", nn::Sequential());
  for (const auto rate : drop_path_rates(options.drop_path_rate(), options.depth())) {
    blocks->push_back(TransformerBlock(TransformerBlockOptions(dim, options.num_heads())
                                           .head_dim(options.head_dim())
                                           .mlp_ratio(options.mlp_ratio())
                                           .qkv_bias(options.qkv_bias())
                                           .proj_bias(options.proj_bias())
                                           .init_values(options.init_values())
                                           .activation(gated ? Activation::Silu : Activation::Gelu)
                                           .gated_mlp(gated)
                                           .norm_eps(options.norm_eps())
                                           .proj_drop(options.proj_drop_rate())
                                           .attn_drop(options.attn_drop_rate())
                                           .drop_path(rate)));
  }
  const auto norm_options = nn::LayerNormOptions({dim}).eps(options.norm_eps());
  if (options.normalises_pooled()) {
    fc_norm = register_module("fc_norm", nn::LayerNorm(norm_options));
  } else {
    norm = register_module("norm", nn::LayerNorm(norm_options));
  }
  head_drop = register_module("head_drop", nn::Dropout(options.drop_rate()));
  reset_classifier(options.num_classes());
}

int64_t VisionTransformerImpl::num_features() const {
  return options.embed_dim() * (options.global_pool() == "token_avg" ? 2 : 1);
}

int64_t VisionTransformerImpl::prefix_tokens() const {
  return (options.class_token() ? 1 : 0) + (options.distilled() ? 1 : 0) + options.reg_tokens();
}

int64_t VisionTransformerImpl::embedded_prefix() const {
  return options.no_embed_class() || sincos_pos_embed.defined() ? 0 : prefix_tokens();
}

void VisionTransformerImpl::register_tokens(Size2 grid) {
  const auto dim = options.embed_dim();
  if (options.class_token()) {
    cls_token = register_parameter("cls_token", torch::empty({1, 1, dim}).normal_(0.0, 1e-6));
  }
  if (options.distilled()) {
    dist_token = register_parameter("dist_token", torch::empty({1, 1, dim}));
    trunc_normal_(dist_token, 0.02);
  }
  if (options.reg_tokens() > 0) {
    reg_token = register_parameter(
        "reg_token", torch::empty({1, options.reg_tokens(), dim}).normal_(0.0, 1e-6));
  }
  if (options.pos_embed() == "sincos2d") {
    sincos_pos_embed = register_buffer("sincos_pos_embed", sincos_position_embedding(grid, dim));
    return;
  }
  pos_embed = register_parameter(
      "pos_embed", torch::empty({1, embedded_prefix() + grid[0] * grid[1], dim}));
  trunc_normal_(pos_embed, 0.02);
}

void VisionTransformerImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::VisionTransformer(img_size=" << options.img_size()[0] << "x"
         << options.img_size()[1] << ", patch_size=" << options.patch_size()
         << ", embed_dim=" << options.embed_dim() << ", depth=" << options.depth()
         << ", num_heads=" << options.num_heads() << ", num_classes=" << options.num_classes()
         << ")";
}

torch::Tensor VisionTransformerImpl::resampled(
    const torch::Tensor& embedding, Size2 old_grid, Size2 new_grid) const {
  return resample_position_embedding(
      embedding,
      old_grid,
      new_grid,
      embedded_prefix(),
      {options.interpolate_antialias(), options.interpolate_offset()});
}

torch::Tensor VisionTransformerImpl::positions(Size2 grid) const {
  if (pos_embed.defined()) {
    return resampled(pos_embed, patch_embed->grid_size(), grid);
  }
  return grid == patch_embed->grid_size()
             ? sincos_pos_embed
             : sincos_position_embedding(grid, options.embed_dim()).to(sincos_pos_embed.options());
}

torch::Tensor VisionTransformerImpl::with_prefix(const torch::Tensor& patches) {
  std::vector<torch::Tensor> parts;
  for (const auto& token : {cls_token, dist_token, reg_token}) {
    if (token.defined()) {
      parts.push_back(token.expand({patches.size(0), -1, -1}));
    }
  }
  if (parts.empty()) {
    return patches;
  }
  parts.push_back(patches);
  const auto x = torch::cat(parts, /*dim=*/1);  // [B, P + N, C]
  return observed(*this, x, prefix_tokens() == 1 ? "class token" : "prefix tokens");
}

torch::Tensor VisionTransformerImpl::embed(const torch::Tensor& images) {
  auto x = patch_embed(images);  // [B, N, C]
  const auto patch = options.patch_size();
  const auto embedding = positions({images.size(2) / patch, images.size(3) / patch});
  if (embedded_prefix() > 0) {
    x = observed(*this, pos_drop(with_prefix(x) + embedding), "positions");  // [B, P + N, C]
  } else {
    x = observed(*this, x + embedding, "positions");  // [B, N, C]
    x = pos_drop(with_prefix(x));                     // [B, P + N, C]
  }
  return x;
}

torch::Tensor VisionTransformerImpl::forward_features(const torch::Tensor& images) {
  const auto x = blocks->forward(embed(images));
  return norm ? norm(x) : x;
}

Intermediates VisionTransformerImpl::forward_intermediates(
    const torch::Tensor& images, const IntermediatesOptions& wanted) {
  const detail::TakenFeatures taken("VisionTransformer", blocks->size(), wanted);
  const auto rows = images.size(2) / options.patch_size();
  const auto prefix = prefix_tokens();
  Intermediates result;
  auto x = embed(images);  // [B, P + N, C]
  for (size_t i = 0; i < taken.end(); ++i) {
    x = blocks->at<TransformerBlockImpl>(i).forward(x);
    if (!taken.has(i)) {
      continue;
    }
    const auto y = wanted.norm() && norm ? norm(x) : x;
    const auto map = y.slice(1, prefix).unflatten(1, {rows, -1});  // [B, H, W, C]
    result.maps.push_back(taken.from_nhwc(map));
    if (wanted.return_prefix_tokens() && prefix > 0) {
      result.prefix_tokens.push_back(y.slice(1, 0, prefix));
    }
  }
  result.features = norm ? norm(x) : x;
  return result;
}

std::vector<torch::Tensor> VisionTransformerImpl::pool(const torch::Tensor& features) {
  const auto& kind = options.global_pool();
  const auto class_token = [&] { return features.select(1, 0); };                   // [B, C]
  const auto patches = [&] { return features.slice(1, prefix_tokens()).mean(1); };  // [B, C]
  std::vector<torch::Tensor> pooled{
      kind == "token"       ? class_token()
      : kind == "mean_all"  ? features.mean(1)
      : kind == "token_avg" ? torch::cat({class_token(), patches()}, 1)  // [B, 2 * C]
                            : patches()};
  if (options.distilled()) {
    pooled.push_back(features.select(1, 1));  // [B, C]
  }
  for (auto& x : pooled) {
    x = observed(*this, x, "pool");
    x = head_drop(fc_norm ? fc_norm(x) : x);
  }
  return pooled;
}

std::vector<torch::Tensor> VisionTransformerImpl::forward_heads(const torch::Tensor& features) {
  auto results = pool(features);  // each [B, C]
  if (head) {
    results[0] = detail::linear(head, results[0]);  // [B, K]
  }
  if (head_dist) {
    results[1] = detail::linear(head_dist, results[1]);  // [B, K]
  }
  return results;
}

torch::Tensor VisionTransformerImpl::forward_head(const torch::Tensor& features, bool pre_logits) {
  const auto of_each = pre_logits ? pool(features) : forward_heads(features);
  return observed(
      *this, of_each.size() == 1 ? of_each[0] : (of_each[0] + of_each[1]) / 2);  // [B, K]
}

std::vector<std::string> VisionTransformerImpl::classifier_names() const {
  return options.distilled() ? std::vector<std::string>{"head", "head_dist"}
                             : std::vector<std::string>{"head"};
}

void VisionTransformerImpl::reset_classifier(int64_t num_classes) {
  TORCH_CHECK_VALUE(num_classes >= 0, "num_classes must be at least 0, got ", num_classes);
  // Made first: where they cannot be, the old heads stay.
  const auto fresh = [&](bool wanted) {
    nn::Linear linear{nullptr};
    if (wanted && num_classes > 0) {
      const auto& like = patch_embed->proj->weight;
      linear = detail::make_linear({num_features(), num_classes});
      init_transformer_(*linear);
      linear->to(like.device(), like.scalar_type());
      linear->train(is_training());
    }
    return linear;
  };
  const auto put = [&](const char* name, nn::Linear& old, const nn::Linear& linear) {
    if (old) {
      unregister_module(name);
    }
    old = linear;
    if (old) {
      register_module(name, old);
    }
  };
  const auto of_class = fresh(true);
  const auto of_distillation = fresh(options.distilled());
  put("head", head, of_class);
  put("head_dist", head_dist, of_distillation);
  options.num_classes(num_classes);
}

std::vector<std::vector<std::string>> VisionTransformerImpl::layer_prefixes() const {
  std::vector<std::vector<std::string>> layers = {
      {"cls_token", "dist_token", "reg_token", "pos_embed", "patch_embed."}};
  for (size_t i = 0; i < blocks->size(); ++i) {
    layers.push_back({"blocks." + std::to_string(i) + "."});
  }
  layers.back().emplace_back("norm.");
  return layers;
}

ModelOptions VisionTransformerImpl::model_options() const {
  return detail::as_model_options(options, kFields);
}

torch::Tensor VisionTransformerImpl::adapt_weight(
    const std::string& key, const torch::Tensor& value, const ModelOptions* origin) const {
  const auto prefix = embedded_prefix();
  if (!depends_on_size(key) || value.dim() != 3 || value.size(2) != options.embed_dim() ||
      value.size(1) <= prefix || (origin == nullptr && value.sizes() == pos_embed.sizes())) {
    return value;
  }
  const auto tokens = value.size(1) - prefix;
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(tokens))));
  Size2 grid{side, side};
  if (const auto size = origin ? detail::find_sides(*origin, "img_size") : std::nullopt) {
    const Size2 known{(*size)[0] / options.patch_size(), (*size)[1] / options.patch_size()};
    grid = known[0] * known[1] == tokens ? known : grid;
  }
  return grid[0] * grid[1] == tokens ? resampled(value, grid, patch_embed->grid_size()) : value;
}

bool VisionTransformerImpl::depends_on_size(const std::string& key) const {
  return key == "pos_embed" && pos_embed.defined();
}

}  // namespace vitrine

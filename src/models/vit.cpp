#include "vitrine/models/vit.h"

#include <cmath>

#include "vitrine/layers/drop_path.h"
#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"
#include "vitrine/layers/transformer_block.h"
#include "vitrine/text.h"

#include "layers/checks.h"
#include "layers/linear.h"
#include "option_fields.h"

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
  visit("class_token", options.class_token());
  visit("fc_norm", options.fc_norm());
  visit("dynamic_img_size", options.dynamic_img_size());
  visit("norm_eps", options.norm_eps());
  visit("drop_rate", options.drop_rate());
  visit("pos_drop_rate", options.pos_drop_rate());
  visit("proj_drop_rate", options.proj_drop_rate());
  visit("attn_drop_rate", options.attn_drop_rate());
  visit("drop_path_rate", options.drop_path_rate());
};

void check(const VisionTransformerOptions& options) {
  const auto& pool = options.global_pool();
  TORCH_CHECK_VALUE(
      pool == "token" || pool == "avg" || pool == "mean_all",
      "VisionTransformer: global_pool must be token, avg or mean_all, got '",
      printable(pool),
      "'");
  TORCH_CHECK_VALUE(
      pool != "token" || options.class_token(),
      "VisionTransformer: global_pool token needs the class token");
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
  const auto dim = options.embed_dim();
  patch_embed = PatchEmbed(PatchEmbedOptions(options.patch_size(), dim)
                               .img_size(options.img_size())
                               .in_chans(options.in_chans())
                               .dynamic_img_size(options.dynamic_img_size()));
  const auto grid = patch_embed->grid_size();
  if (options.class_token()) {
    cls_token = register_parameter("cls_token", torch::empty({1, 1, dim}).normal_(0.0, 1e-6));
  }
  pos_embed =
      register_parameter("pos_embed", torch::empty({1, prefix_tokens() + grid[0] * grid[1], dim}));
  trunc_normal_(pos_embed, 0.02);
  register_module("patch_embed", patch_embed);
  pos_drop = register_module("pos_drop", nn::Dropout(options.pos_drop_rate()));

  detail::check_drop("VisionTransformer", "pos_drop_rate", options.pos_drop_rate());
  detail::check_drop("VisionTransformer", "drop_rate", options.drop_rate());
  const auto rates = drop_path_rates(options.drop_path_rate(), options.depth());
  blocks = register_module("blocks", nn::Sequential());
  for (const auto rate : rates) {
    blocks->push_back(TransformerBlock(TransformerBlockOptions(dim, options.num_heads())
                                           .head_dim(options.head_dim())
                                           .mlp_ratio(options.mlp_ratio())
                                           .qkv_bias(options.qkv_bias())
                                           .norm_eps(options.norm_eps())
                                           .proj_drop(options.proj_drop_rate())
                                           .attn_drop(options.attn_drop_rate())
                                           .drop_path(rate)));
  }
  const auto norm_options = nn::LayerNormOptions({dim}).eps(options.norm_eps());
  if (options.fc_norm().value_or(options.global_pool() != "token")) {
    fc_norm = register_module("fc_norm", nn::LayerNorm(norm_options));
  } else {
    norm = register_module("norm", nn::LayerNorm(norm_options));
  }
  head_drop = register_module("head_drop", nn::Dropout(options.drop_rate()));
  reset_classifier(options.num_classes());
}

void VisionTransformerImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::VisionTransformer(img_size=" << options.img_size()[0] << "x"
         << options.img_size()[1] << ", patch_size=" << options.patch_size()
         << ", embed_dim=" << options.embed_dim() << ", depth=" << options.depth()
         << ", num_heads=" << options.num_heads() << ", num_classes=" << options.num_classes()
         << ")";
}

torch::Tensor VisionTransformerImpl::forward_features(const torch::Tensor& images) {
  auto x = patch_embed(images);  // [B, N, C]
  if (cls_token.defined()) {
    x = torch::cat({cls_token.expand({x.size(0), -1, -1}), x}, /*dim=*/1);  // [B, 1 + N, C]
    x = observed(*this, x, "class token");
  }
  const auto patch = options.patch_size();
  const auto positions = resample_position_embedding(
      pos_embed,
      patch_embed->grid_size(),
      {images.size(2) / patch, images.size(3) / patch},
      prefix_tokens());
  x = observed(*this, pos_drop(x + positions), "positions");  // [B, 1 + N, C]
  x = blocks->forward(x);
  return norm ? norm(x) : x;
}

torch::Tensor VisionTransformerImpl::forward_head(const torch::Tensor& features, bool pre_logits) {
  auto x = options.global_pool() == "token"      ? features.select(1, 0)
           : options.global_pool() == "mean_all" ? features.mean(1)
                                                 : features.slice(1, prefix_tokens()).mean(1);
  x = observed(*this, x, "pool");  // [B, C]
  x = head_drop(fc_norm ? fc_norm(x) : x);
  return observed(*this, pre_logits || !head ? x : detail::linear(head, x));  // [B, K]
}

void VisionTransformerImpl::reset_classifier(int64_t num_classes) {
  TORCH_CHECK_VALUE(num_classes >= 0, "num_classes must be at least 0, got ", num_classes);
  // Made first: where it cannot be, the old head stays.
  nn::Linear fresh{nullptr};
  if (num_classes > 0) {
    fresh = nn::Linear(options.embed_dim(), num_classes);
    init_transformer_(*fresh);
    fresh->to(pos_embed.device(), pos_embed.scalar_type());
    fresh->train(is_training());
  }
  if (head) {
    unregister_module("head");
  }
  head = fresh;
  if (head) {
    register_module("head", head);
  }
  options.num_classes(num_classes);
}

ModelOptions VisionTransformerImpl::model_options() const {
  return detail::as_model_options(options, kFields);
}

torch::Tensor VisionTransformerImpl::adapt_weight(
    const std::string& key, const torch::Tensor& value) const {
  if (key != "pos_embed" || value.dim() != 3 || value.size(2) != options.embed_dim() ||
      value.size(1) <= prefix_tokens() || value.sizes() == pos_embed.sizes()) {
    return value;
  }
  const auto tokens = value.size(1) - prefix_tokens();
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(tokens))));
  if (side * side != tokens) {
    return value;
  }
  return resample_position_embedding(
      value, {side, side}, patch_embed->grid_size(), prefix_tokens());
}

}  // namespace vitrine

#include "telling_tensors.h"

#include <algorithm>
#include <cstddef>
#include <variant>

namespace vitrine::detail {
namespace {

using Tensors = std::vector<TellingTensor>;
using std::to_string;

constexpr std::int64_t kAny = -1;

/// Block `depth` - 1 and no further one.
void add_depth(
    Tensors& tensors, const std::string& blocks, std::int64_t depth, std::int64_t channels) {
  tensors.push_back({blocks + to_string(depth - 1) + ".norm1.weight", {channels}});
  tensors.push_back({blocks + to_string(depth) + ".norm1.weight", {}});
}

/// A tensor that some models have and others have not.
void add_optional(
    Tensors& tensors, const std::string& name, bool present, std::vector<std::int64_t> shape) {
  tensors.push_back({name, present ? std::move(shape) : std::vector<std::int64_t>()});
}

Tensors of_family(const VisionTransformerOptions& of) {
  const auto dim = of.embed_dim();
  const auto inner = of.head_dim() > 0 ? of.head_dim() * of.num_heads() : dim;
  const auto hidden = static_cast<std::int64_t>(static_cast<double>(dim) * of.mlp_ratio());
  const bool gated = of.mlp_layer() == "swiglu";
  const bool fc_norm = of.normalises_pooled();
  Tensors tensors = {
      {"patch_embed.proj.weight", {dim, kAny, of.patch_size(), of.patch_size()}},
      {"blocks.0.attn.qkv.weight", {3 * inner, dim}},
      {"blocks.0.mlp.fc1.weight", {hidden, dim}},
      {"blocks.0.mlp.fc2.weight", {dim, gated ? hidden / 2 : hidden}}};
  add_depth(tensors, "blocks.", of.depth(), dim);
  add_optional(tensors, "cls_token", of.class_token(), {1, 1, dim});
  add_optional(tensors, "dist_token", of.distilled(), {1, 1, dim});
  add_optional(tensors, "reg_token", of.reg_tokens() > 0, {1, of.reg_tokens(), dim});
  add_optional(tensors, "pos_embed", of.pos_embed() == "learn", {1, kAny, dim});
  add_optional(tensors, "blocks.0.attn.qkv.bias", of.qkv_bias(), {3 * inner});
  add_optional(tensors, "blocks.0.ls1.gamma", of.init_values() != 0, {dim});
  add_optional(tensors, "norm.weight", !fc_norm, {dim});
  add_optional(tensors, "fc_norm.weight", fc_norm, {dim});
  return tensors;
}

Tensors of_family(const SwinTransformerOptions& of) {
  auto dim = of.embed_dim();
  auto side = of.img_size()[0] / of.patch_size();
  const auto stages = of.depths().size();
  Tensors tensors = {{"patch_embed.proj.weight", {dim, kAny, of.patch_size(), of.patch_size()}}};
  for (std::size_t s = 0; s < stages; ++s) {
    const auto blocks = "layers." + to_string(s) + ".blocks.";
    const auto heads = of.num_heads()[s];
    const auto window =
        std::min(of.window_size().size() == 1 ? of.window_size()[0] : of.window_size()[s], side);
    add_depth(tensors, blocks, of.depths()[s], dim);
    add_optional(
        tensors,
        blocks + "0.attn.relative_position_bias_table",
        of.version() == 1,
        {(2 * window - 1) * (2 * window - 1), heads});
    add_optional(tensors, blocks + "0.attn.logit_scale", of.version() == 2, {heads, 1, 1});
    dim *= 2;
    side = (side + 1) / 2;
  }
  tensors.push_back({"layers." + to_string(stages) + ".blocks.0.norm1.weight", {}});
  return tensors;
}

Tensors of_family(const MobileVitOptions& of) {
  const auto& channels = of.channels();
  const auto expanded =
      static_cast<std::int64_t>(static_cast<double>(of.stem_chans()) * of.expansion());
  Tensors tensors = {
      {"stem.conv.weight", {of.stem_chans(), kAny, 3, 3}},
      {"stages.0.0.conv1_1x1.conv.weight", {expanded, of.stem_chans(), 1, 1}},
      {"stages." + to_string(channels.size()) + ".0.conv1_1x1.conv.weight", {}}};
  for (std::size_t s = 0; s < channels.size(); ++s) {
    const auto last = to_string(of.blocks()[s] - 1);
    tensors.push_back(
        {"stages." + to_string(s) + "." + last + ".conv3_1x1.conv.weight",
         {channels[s], kAny, 1, 1}});
  }
  const auto first = channels.size() - of.transformer_dims().size();
  for (std::size_t i = 0; i < of.transformer_dims().size(); ++i) {
    const auto block = "stages." + to_string(first + i) + "." + to_string(of.blocks()[first + i]);
    const auto dim = of.transformer_dims()[i];
    tensors.push_back({block + ".conv_1x1.weight", {dim, kAny, 1, 1}});
    add_depth(tensors, block + ".transformer.", of.transformer_depths()[i], dim);
    add_optional(
        tensors,
        block + ".transformer.0.attn.qkv_proj.weight",
        of.version() == 2,
        {1 + 2 * dim, dim, 1, 1});
  }
  add_optional(
      tensors,
      "final_conv.conv.weight",
      of.head_chans() > 0,
      {of.head_chans(), channels.back(), 1, 1});
  return tensors;
}

}  // namespace

std::vector<TellingTensor> telling_tensors(const FamilyOptions& options) {
  return std::visit([](const auto& family) { return of_family(family); }, options);
}

}  // namespace vitrine::detail

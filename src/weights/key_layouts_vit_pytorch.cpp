#include "key_layouts.h"

namespace vitrine::detail {
namespace {

/// A patch's values go through a linear layer; from version 1.0 on (`dual`) norms stand on both
/// sides of it, of which the first is folded into it but for the normalising itself.
std::vector<KeyRule> patch_rules(bool dual) {
  if (!dual) {
    return {
        {"to_patch_embedding.1.weight", "patch_embed.proj.weight", Derivation::Kernel, 0, 1},
        {"to_patch_embedding.1.bias", "patch_embed.proj.bias"}};
  }
  return {
      {"to_patch_embedding.2.weight", "patch_embed.proj.weight", Derivation::Kernel, 0, 2},
      {"to_patch_embedding.1.weight", "patch_embed.proj.weight", Derivation::Kernel, 1, 2},
      {"to_patch_embedding.2.bias", "patch_embed.proj.bias", Derivation::AddProduct, 0},
      {"to_patch_embedding.2.weight", "patch_embed.proj.bias", Derivation::AddProduct, 1},
      {"to_patch_embedding.1.bias", "patch_embed.proj.bias", Derivation::AddProduct, 2},
      {"to_patch_embedding.3.*", "patch_embed.norm.*"}};
}

/// Blocks as they were called from version 0.7.0, from 0.10.1 and from 1.4 on (in SimpleViT always
/// as in the last), and the head, whose norm follows the pooling before 1.4.
std::vector<KeyRule> rules_of(bool dual) {
  auto rules = patch_rules(dual);
  append(
      rules,
      {{"cls_token", "cls_token", Derivation::Token},
       {"pos_embedding", "pos_embed", Derivation::Token},
       {"transformer.layers.{}.0.fn.norm.*", "blocks.{0}.norm1.*"},
       {"transformer.layers.{}.0.fn.fn.to_qkv.weight", "blocks.{0}.attn.qkv.weight"},
       {"transformer.layers.{}.0.fn.fn.to_out.0.*", "blocks.{0}.attn.proj.*"},
       {"transformer.layers.{}.1.fn.norm.*", "blocks.{0}.norm2.*"},
       {"transformer.layers.{}.1.fn.fn.net.0.*", "blocks.{0}.mlp.fc1.*"},
       {"transformer.layers.{}.1.fn.fn.net.3.*", "blocks.{0}.mlp.fc2.*"},
       {"transformer.layers.{}.0.norm.*", "blocks.{0}.norm1.*"},
       {"transformer.layers.{}.0.fn.to_qkv.weight", "blocks.{0}.attn.qkv.weight"},
       {"transformer.layers.{}.0.fn.to_out.0.*", "blocks.{0}.attn.proj.*"},
       {"transformer.layers.{}.1.norm.*", "blocks.{0}.norm2.*"},
       {"transformer.layers.{}.1.fn.net.0.*", "blocks.{0}.mlp.fc1.*"},
       {"transformer.layers.{}.1.fn.net.3.*", "blocks.{0}.mlp.fc2.*"},
       {"transformer.layers.{}.0.to_qkv.weight", "blocks.{0}.attn.qkv.weight"},
       {"transformer.layers.{}.0.to_out.0.*", "blocks.{0}.attn.proj.*"},
       {"transformer.layers.{}.0.to_out.weight",  // SimpleViT's, without a bias
        "blocks.{0}.attn.proj.bias",
        Derivation::Zeros},
       {"transformer.layers.{}.0.to_out.weight", "blocks.{0}.attn.proj.weight"},
       {"transformer.layers.{}.1.net.0.*", "blocks.{0}.norm2.*"},
       {"transformer.layers.{}.1.net.1.*", "blocks.{0}.mlp.fc1.*"},
       {"transformer.layers.{}.1.net.3.*", "blocks.{0}.mlp.fc2.*"},  // SimpleViT's
       {"transformer.layers.{}.1.net.4.*", "blocks.{0}.mlp.fc2.*"},
       {"transformer.norm.*", "norm.*"},
       {"mlp_head.0.*", "fc_norm.*"},
       {"mlp_head.1.*", "head.*"},
       {"mlp_head.*", "head.*"},
       {"linear_head.0.*", "fc_norm.*"},
       {"linear_head.1.*", "head.*"},
       {"linear_head.*", "head.*"}});
  return rules;
}

bool is_vit_pytorch(const HasKey& has) {
  return has("to_patch_embedding.1.weight") && has("transformer.layers.{}.*");
}

bool is_dual(const HasKey& has) {
  return is_vit_pytorch(has) && has("to_patch_embedding.3.weight");
}

}  // namespace

std::vector<KeyLayout> vit_pytorch_layouts() {
  return {
      // Before 0.3.0 the head had two layers, before 0.6.7 attention was scaled by the width of
      // all heads.
      {"vit-pytorch before 0.7",
       [](const HasKey& has) { return has("patch_to_embedding.*") && has("transformer.*"); },
       {},
       false,
       "is a checkpoint of vit-pytorch before 0.7, whose versions computed different things from "
       "tensors of the same names: attention was scaled by the width of all heads before 0.6.7, by "
       "that of one from then on"},
      {"vit-pytorch SimpleViT",
       [](const HasKey& has) { return is_dual(has) && has("linear_head.*"); },
       rules_of(/*dual=*/true)},
      {"vit-pytorch SimpleViT",
       [](const HasKey& has) { return is_vit_pytorch(has) && has("linear_head.*"); },
       rules_of(/*dual=*/false)},
      {"vit-pytorch ViT", is_dual, rules_of(/*dual=*/true)},
      {"vit-pytorch ViT", is_vit_pytorch, rules_of(/*dual=*/false)}};
}

}  // namespace vitrine::detail

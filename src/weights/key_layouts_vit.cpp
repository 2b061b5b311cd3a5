#include "key_layouts.h"

namespace vitrine::detail {
namespace {

/// timm's names, which DeiT, DINO and DINOv2 share but for a few.
std::vector<KeyRule> timm_rules() {
  return {
      {"blocks.{}.gamma_1", "blocks.{0}.ls1.gamma"},  // DeiT III
      {"blocks.{}.gamma_2", "blocks.{0}.ls2.gamma"},
      {"blocks.{}.mlp.w12.*", "blocks.{0}.mlp.fc1.*"},  // DINOv2's SwiGLU
      {"blocks.{}.mlp.w3.*", "blocks.{0}.mlp.fc2.*"},
      {"blocks.{}.{}.mlp.w12.*", "blocks.{1}.mlp.fc1.*"},
      {"blocks.{}.{}.mlp.w3.*", "blocks.{1}.mlp.fc2.*"},
      {"blocks.{}.{}.*",
       "blocks.{1}.*"},  // DINOv2's chunks of blocks; the inner number is the whole one
      {"mask_token", ""},
      {"decoder_*", ""}};  // of MAE
}

std::vector<KeyRule> dinov2_register_rules() {
  auto rules = timm_rules();
  rules.insert(
      rules.begin(),
      {{"register_tokens", "reg_token"},
       {"cls_token", "cls_token", Derivation::AddToken, 0, 2},
       {"pos_embed", "cls_token", Derivation::AddToken, 1, 2},
       {"pos_embed", "pos_embed", Derivation::Tokens}});
  return rules;
}

/// Old ViT files have a layer before the head, which timm's models lost; the head was trained on
/// top of it and is of no use without.
std::vector<KeyRule> pre_logits_rules() {
  auto rules = timm_rules();
  rules.insert(rules.end(), {{"pre_logits.*", ""}, {"head.*", ""}});
  return rules;
}

std::vector<KeyRule> torchvision_rules() {
  return {
      {"class_token", "cls_token"},
      {"encoder.pos_embedding", "pos_embed"},
      {"conv_proj.*", "patch_embed.proj.*"},
      {"encoder.layers.encoder_layer_{}.ln_1.*", "blocks.{0}.norm1.*"},
      {"encoder.layers.encoder_layer_{}.ln_2.*", "blocks.{0}.norm2.*"},
      {"encoder.layers.encoder_layer_{}.self_attention.in_proj_weight",
       "blocks.{0}.attn.qkv.weight"},
      {"encoder.layers.encoder_layer_{}.self_attention.in_proj_bias", "blocks.{0}.attn.qkv.bias"},
      {"encoder.layers.encoder_layer_{}.self_attention.out_proj.*", "blocks.{0}.attn.proj.*"},
      {"encoder.layers.encoder_layer_{}.mlp.0.*", "blocks.{0}.mlp.fc1.*"},
      {"encoder.layers.encoder_layer_{}.mlp.3.*", "blocks.{0}.mlp.fc2.*"},
      {"encoder.layers.encoder_layer_{}.mlp.linear_1.*", "blocks.{0}.mlp.fc1.*"},
      {"encoder.layers.encoder_layer_{}.mlp.linear_2.*", "blocks.{0}.mlp.fc2.*"},
      {"encoder.ln.*", "norm.*"},
      {"heads.head.*", "head.*"}};
}

/// What blocks by Hugging Face's names have in common; names on disk first, then those in memory.
std::vector<KeyRule> huggingface_block_rules() {
  return {
      {"encoder.layer.{}.attention.attention.query.*", "blocks.{0}.attn.qkv.*", kConcat, 0},
      {"encoder.layer.{}.attention.attention.key.*", "blocks.{0}.attn.qkv.*", kConcat, 1},
      {"encoder.layer.{}.attention.attention.value.*", "blocks.{0}.attn.qkv.*", kConcat, 2},
      {"encoder.layer.{}.attention.output.dense.*", "blocks.{0}.attn.proj.*"},
      {"encoder.layer.{}.attention.q_proj.*", "blocks.{0}.attn.qkv.*", kConcat, 0},
      {"encoder.layer.{}.attention.k_proj.*", "blocks.{0}.attn.qkv.*", kConcat, 1},
      {"encoder.layer.{}.attention.v_proj.*", "blocks.{0}.attn.qkv.*", kConcat, 2},
      {"encoder.layer.{}.attention.o_proj.*", "blocks.{0}.attn.proj.*"},
      {"embeddings.patch_embeddings.projection.*", "patch_embed.proj.*"},
      {"embeddings.mask_token", ""},
      {"pooler.*", ""},
      {"layernorm.*", "norm.*"},
      {"classifier.*", "head.*"}};
}

std::vector<KeyRule> huggingface_vit_rules() {
  auto rules = huggingface_block_rules();
  rules.insert(
      rules.end(),
      {{"embeddings.cls_token", "cls_token"},
       {"embeddings.position_embeddings", "pos_embed"},
       {"embeddings.distillation_token", "dist_token"},
       {"cls_classifier.*", "head.*"},
       {"distillation_classifier.*", "head_dist.*"},
       {"encoder.layer.{}.layernorm_before.*", "blocks.{0}.norm1.*"},
       {"encoder.layer.{}.layernorm_after.*", "blocks.{0}.norm2.*"},
       {"encoder.layer.{}.intermediate.dense.*", "blocks.{0}.mlp.fc1.*"},
       {"encoder.layer.{}.output.dense.*", "blocks.{0}.mlp.fc2.*"},
       {"layers.{}.attention.q_proj.*", "blocks.{0}.attn.qkv.*", kConcat, 0},
       {"layers.{}.attention.k_proj.*", "blocks.{0}.attn.qkv.*", kConcat, 1},
       {"layers.{}.attention.v_proj.*", "blocks.{0}.attn.qkv.*", kConcat, 2},
       {"layers.{}.attention.o_proj.*", "blocks.{0}.attn.proj.*"},
       {"layers.{}.mlp.fc1.*", "blocks.{0}.mlp.fc1.*"},
       {"layers.{}.mlp.fc2.*", "blocks.{0}.mlp.fc2.*"},
       {"layers.{}.layernorm_before.*", "blocks.{0}.norm1.*"},
       {"layers.{}.layernorm_after.*", "blocks.{0}.norm2.*"}});
  return rules;
}

std::vector<KeyRule> huggingface_dinov2_rules(bool registers) {
  auto rules = huggingface_block_rules();
  rules.insert(
      rules.end(),
      {{"encoder.layer.{}.norm1.*", "blocks.{0}.norm1.*"},
       {"encoder.layer.{}.norm2.*", "blocks.{0}.norm2.*"},
       {"encoder.layer.{}.layer_scale1.lambda1", "blocks.{0}.ls1.gamma"},
       {"encoder.layer.{}.layer_scale2.lambda1", "blocks.{0}.ls2.gamma"},
       {"encoder.layer.{}.mlp.fc1.*", "blocks.{0}.mlp.fc1.*"},
       {"encoder.layer.{}.mlp.fc2.*", "blocks.{0}.mlp.fc2.*"},
       {"encoder.layer.{}.mlp.weights_in.*", "blocks.{0}.mlp.fc1.*"},
       {"encoder.layer.{}.mlp.weights_out.*", "blocks.{0}.mlp.fc2.*"},
       {"encoder.layer.{}.mlp.gate_proj.*", "blocks.{0}.mlp.fc1.*", kConcat, 0, 2},
       {"encoder.layer.{}.mlp.up_proj.*", "blocks.{0}.mlp.fc1.*", kConcat, 1, 2},
       {"encoder.layer.{}.mlp.down_proj.*", "blocks.{0}.mlp.fc2.*"}});
  if (registers) {
    rules.insert(
        rules.end(),
        {{"embeddings.register_tokens", "reg_token"},
         {"embeddings.cls_token", "cls_token", Derivation::AddToken, 0, 2},
         {"embeddings.position_embeddings", "cls_token", Derivation::AddToken, 1, 2},
         {"embeddings.position_embeddings", "pos_embed", Derivation::Tokens}});
  } else {
    rules.insert(
        rules.end(),
        {{"embeddings.cls_token", "cls_token"}, {"embeddings.position_embeddings", "pos_embed"}});
  }
  return rules;
}

/// A DeiT whose distillation token has no head: a register by timm's names.
std::vector<KeyRule> huggingface_deit_rules() {
  auto rules = huggingface_vit_rules();
  rules.insert(rules.begin(), {"embeddings.distillation_token", "reg_token"});
  return rules;
}

bool is_huggingface_vit(const HasKey& has) {
  return has("embeddings.patch_embeddings.projection.weight") &&
         (has("encoder.layer.{}.*") || has("layers.{}.attention.*"));
}

bool is_timm_vit(const HasKey& has) {
  return has("blocks.{}.attn.qkv.weight") || has("blocks.{}.{}.attn.qkv.weight");
}

/// OpenAI's names, of the image tower alone or with the other one, and Hugging Face's.
bool is_clip(const HasKey& has) {
  return has("visual.class_embedding") ||
         (has("class_embedding") && has("transformer.resblocks.{}.*")) ||
         has("vision_model.embeddings.class_embedding");
}

}  // namespace

std::vector<KeyLayout> vit_layouts() {
  return {
      {"CLIP",
       is_clip,
       {},
       false,
       "is a checkpoint of CLIP, whose image tower has a norm before its blocks and a GELU of its "
       "own (QuickGELU), which vitrine's ViT has not"},
      {"torchvision ViT",
       [](const HasKey& has) {
         return has("class_token") && has("encoder.layers.encoder_layer_{}.*");
       },
       torchvision_rules()},
      {"Hugging Face DINOv2 with registers",
       [](const HasKey& has) {
         return is_huggingface_vit(has) && has("embeddings.register_tokens");
       },
       huggingface_dinov2_rules(/*registers=*/true)},
      {"Hugging Face DINOv2",
       [](const HasKey& has) {
         return is_huggingface_vit(has) && has("encoder.layer.{}.layer_scale1.lambda1");
       },
       huggingface_dinov2_rules(/*registers=*/false)},
      {"Hugging Face DeiT with one head",
       [](const HasKey& has) {
         return is_huggingface_vit(has) && has("embeddings.distillation_token") &&
                has("classifier.*");
       },
       huggingface_deit_rules()},
      {"Hugging Face ViT", is_huggingface_vit, huggingface_vit_rules()},
      {"DINOv2 with registers",
       [](const HasKey& has) { return is_timm_vit(has) && has("register_tokens"); },
       dinov2_register_rules(),
       /*keeps_names=*/true},
      // timm's files have no token for masked patches.
      {"DINOv2",
       [](const HasKey& has) {
         return is_timm_vit(has) && has("mask_token") &&
                (has("blocks.{}.ls1.gamma") || has("blocks.{}.{}.ls1.gamma"));
       },
       timm_rules(),
       /*keeps_names=*/true},
      {"timm with a tanh layer before the head",
       [](const HasKey& has) { return is_timm_vit(has) && has("pre_logits.*"); },
       pre_logits_rules(),
       /*keeps_names=*/true},
      {"timm", is_timm_vit, timm_rules(), /*keeps_names=*/true}};
}

}  // namespace vitrine::detail

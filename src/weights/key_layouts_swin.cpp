#include "key_layouts.h"

namespace vitrine::detail {
namespace {

constexpr auto kRows = Derivation::Rows;

std::vector<KeyRule> torchvision_rules(bool second) {
  std::vector<KeyRule> rules = {
      {"features.0.0.*", "patch_embed.proj.*"},
      {"features.0.2.*", "patch_embed.norm.*"},
      {"features.{0*2+1}.{1}.norm1.*", "layers.{0}.blocks.{1}.norm1.*"},
      {"features.{0*2+1}.{1}.norm2.*", "layers.{0}.blocks.{1}.norm2.*"},
      {"features.{0*2+1}.{1}.attn.qkv.weight", "layers.{0}.blocks.{1}.attn.qkv.weight"},
      {"features.{0*2+1}.{1}.attn.proj.*", "layers.{0}.blocks.{1}.attn.proj.*"},
      {"features.{0*2+1}.{1}.mlp.0.*", "layers.{0}.blocks.{1}.mlp.fc1.*"},
      {"features.{0*2+1}.{1}.mlp.3.*", "layers.{0}.blocks.{1}.mlp.fc2.*"},
      {"features.{0*2}.norm.*", "layers.{0}.downsample.norm.*"},
      {"features.{0*2}.reduction.*", "layers.{0}.downsample.reduction.*"},
      {"norm.*", "norm.*"},
      {"head.*", "head.fc.*"}};
  if (second) {
    append(
        rules,
        {{"features.{0*2+1}.{1}.attn.logit_scale", "layers.{0}.blocks.{1}.attn.logit_scale"},
         {"features.{0*2+1}.{1}.attn.cpb_mlp.*", "layers.{0}.blocks.{1}.attn.cpb_mlp.*"},
         // Keys have no bias: torchvision keeps one and sets it to zero as it runs.
         {"features.{0*2+1}.{1}.attn.qkv.bias", "layers.{0}.blocks.{1}.attn.q_bias", kRows, 0},
         {"features.{0*2+1}.{1}.attn.qkv.bias", "layers.{0}.blocks.{1}.attn.v_bias", kRows, 2}});
  } else {
    append(
        rules,
        {{"features.{0*2+1}.{1}.attn.qkv.bias", "layers.{0}.blocks.{1}.attn.qkv.bias"},
         {"features.{0*2+1}.{1}.attn.relative_position_bias_table",
          "layers.{0}.blocks.{1}.attn.relative_position_bias_table"}});
  }
  return rules;
}

/// What both versions have in common by Hugging Face's names, on disk and in memory.
std::vector<KeyRule> huggingface_swin_rules() {
  return {
      {"embeddings.patch_embeddings.projection.*", "patch_embed.proj.*"},
      {"embeddings.norm.*", "patch_embed.norm.*"},
      {"embeddings.mask_token", ""},
      {"pooler.*", ""},
      {"encoder.layers.{}.downsample.*", "layers.{0+1}.downsample.*"},
      {"encoder.layers.{}.blocks.{}.attention.output.dense.*", "layers.{0}.blocks.{1}.attn.proj.*"},
      {"encoder.layers.{}.blocks.{}.attention.o_proj.*", "layers.{0}.blocks.{1}.attn.proj.*"},
      {"encoder.layers.{}.blocks.{}.layernorm_before.*", "layers.{0}.blocks.{1}.norm1.*"},
      {"encoder.layers.{}.blocks.{}.layernorm_after.*", "layers.{0}.blocks.{1}.norm2.*"},
      {"encoder.layers.{}.blocks.{}.intermediate.dense.*", "layers.{0}.blocks.{1}.mlp.fc1.*"},
      {"encoder.layers.{}.blocks.{}.output.dense.*", "layers.{0}.blocks.{1}.mlp.fc2.*"},
      {"encoder.layers.{}.blocks.{}.mlp.fc1.*", "layers.{0}.blocks.{1}.mlp.fc1.*"},
      {"encoder.layers.{}.blocks.{}.mlp.fc2.*", "layers.{0}.blocks.{1}.mlp.fc2.*"},
      {"layernorm.*", "norm.*"},
      {"classifier.*", "head.fc.*"}};
}

std::vector<KeyRule> huggingface_swin_v1_rules() {
  auto rules = huggingface_swin_rules();
  append(
      rules,
      {{"encoder.layers.{}.blocks.{}.attention.self.query.*",
        "layers.{0}.blocks.{1}.attn.qkv.*",
        kConcat,
        0},
       {"encoder.layers.{}.blocks.{}.attention.self.key.*",
        "layers.{0}.blocks.{1}.attn.qkv.*",
        kConcat,
        1},
       {"encoder.layers.{}.blocks.{}.attention.self.value.*",
        "layers.{0}.blocks.{1}.attn.qkv.*",
        kConcat,
        2},
       {"encoder.layers.{}.blocks.{}.attention.q_proj.*",
        "layers.{0}.blocks.{1}.attn.qkv.*",
        kConcat,
        0},
       {"encoder.layers.{}.blocks.{}.attention.k_proj.*",
        "layers.{0}.blocks.{1}.attn.qkv.*",
        kConcat,
        1},
       {"encoder.layers.{}.blocks.{}.attention.v_proj.*",
        "layers.{0}.blocks.{1}.attn.qkv.*",
        kConcat,
        2},
       {"encoder.layers.{}.blocks.{}.attention.self.relative_position_bias_table",
        "layers.{0}.blocks.{1}.attn.relative_position_bias_table"},
       {"encoder.layers.{}.blocks.{}.attention.relative_position_bias.relative_position_bias_table",
        "layers.{0}.blocks.{1}.attn.relative_position_bias_table"}});
  return rules;
}

std::vector<KeyRule> huggingface_swin_v2_rules() {
  auto rules = huggingface_swin_rules();
  append(
      rules,
      {{"encoder.layers.{}.blocks.{}.attention.self.query.weight",
        "layers.{0}.blocks.{1}.attn.qkv.weight",
        kConcat,
        0},
       {"encoder.layers.{}.blocks.{}.attention.self.key.weight",
        "layers.{0}.blocks.{1}.attn.qkv.weight",
        kConcat,
        1},
       {"encoder.layers.{}.blocks.{}.attention.self.value.weight",
        "layers.{0}.blocks.{1}.attn.qkv.weight",
        kConcat,
        2},
       {"encoder.layers.{}.blocks.{}.attention.self.query.bias",
        "layers.{0}.blocks.{1}.attn.q_bias"},
       {"encoder.layers.{}.blocks.{}.attention.self.value.bias",
        "layers.{0}.blocks.{1}.attn.v_bias"},
       {"encoder.layers.{}.blocks.{}.attention.self.logit_scale",
        "layers.{0}.blocks.{1}.attn.logit_scale"},
       {"encoder.layers.{}.blocks.{}.attention.self.continuous_position_bias_mlp.*",
        "layers.{0}.blocks.{1}.attn.cpb_mlp.*"}});
  return rules;
}

bool is_huggingface_swin(const HasKey& has) {
  return has("embeddings.patch_embeddings.projection.weight") &&
         has("encoder.layers.{}.blocks.{}.*");
}

bool is_timm_swin(const HasKey& has) {
  return has("patch_embed.proj.weight") && has("layers.{}.blocks.{}.attn.*");
}

}  // namespace

std::vector<KeyLayout> swin_layouts() {
  return {
      {"OpenMMLab Swin",
       [](const HasKey& has) { return has("stages.{}.blocks.{}.attn.w_msa.*"); },
       {},
       false,
       "is an OpenMMLab checkpoint, whose patch merging orders channels in a way of its own"},
      {"torchvision Swin V2",
       [](const HasKey& has) {
         return has("features.0.0.weight") && has("features.{0*2+1}.{1}.attn.logit_scale");
       },
       torchvision_rules(/*second=*/true)},
      {"torchvision Swin",
       [](const HasKey& has) {
         return has("features.0.0.weight") &&
                has("features.{0*2+1}.{1}.attn.relative_position_bias_table");
       },
       torchvision_rules(/*second=*/false)},
      {"Hugging Face Swin V2",
       [](const HasKey& has) {
         return is_huggingface_swin(has) &&
                has("encoder.layers.{}.blocks.{}.attention.self.logit_scale");
       },
       huggingface_swin_v2_rules()},
      {"Hugging Face Swin", is_huggingface_swin, huggingface_swin_v1_rules()},
      {"Microsoft Swin with absolute positions",
       [](const HasKey& has) { return is_timm_swin(has) && has("absolute_pos_embed"); },
       {},
       false,
       "has absolute position embeddings (absolute_pos_embed), which vitrine's Swin does not"},
      // A checkpoint without a head tells its age by its first merging alone.
      {"Microsoft Swin",
       [](const HasKey& has) {
         return is_timm_swin(has) && (has("layers.0.downsample.*") || has("head.weight"));
       },
       {{"layers.{}.downsample.*", "layers.{0+1}.downsample.*"}, {"head.*", "head.fc.*"}},
       /*keeps_names=*/true},
      {"timm", is_timm_swin, {}, /*keeps_names=*/true}};
}

}  // namespace vitrine::detail

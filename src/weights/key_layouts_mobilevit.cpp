#include "key_layouts.h"

namespace vitrine::detail {
namespace {

constexpr auto kFlip = Derivation::FlipChannels;

/// What both versions have in common by ml-cvnets's names. The first version was trained on images
/// in BGR, the second in RGB.
std::vector<KeyRule> cvnets_rules(bool bgr) {
  return {
      {"conv_1.block.conv.weight", "stem.conv.weight", bgr ? kFlip : Derivation::Copy},
      {"conv_1.block.norm.*", "stem.bn.*"},
      {"layer_{}.{}.block.exp_1x1.block.conv.*", "stages.{0-1}.{1}.conv1_1x1.conv.*"},
      {"layer_{}.{}.block.exp_1x1.block.norm.*", "stages.{0-1}.{1}.conv1_1x1.bn.*"},
      {"layer_{}.{}.block.conv_3x3.block.conv.*", "stages.{0-1}.{1}.conv2_kxk.conv.*"},
      {"layer_{}.{}.block.conv_3x3.block.norm.*", "stages.{0-1}.{1}.conv2_kxk.bn.*"},
      {"layer_{}.{}.block.red_1x1.block.conv.*", "stages.{0-1}.{1}.conv3_1x1.conv.*"},
      {"layer_{}.{}.block.red_1x1.block.norm.*", "stages.{0-1}.{1}.conv3_1x1.bn.*"},
      {"layer_{}.1.global_rep.{}.pre_norm_ffn.0.*", "stages.{0-1}.1.transformer.{1}.norm2.*"},
      {"layer_{}.1.global_rep.{}.weight", "stages.{0-1}.1.norm.weight"},
      {"layer_{}.1.global_rep.{}.bias", "stages.{0-1}.1.norm.bias"},
      {"layer_{}.1.conv_proj.block.conv.*", "stages.{0-1}.1.conv_proj.conv.*"},
      {"layer_{}.1.conv_proj.block.norm.*", "stages.{0-1}.1.conv_proj.bn.*"}};
}

std::vector<KeyRule> cvnets_v1_rules() {
  auto rules = cvnets_rules(/*bgr=*/true);
  append(
      rules,
      {{"layer_{}.1.local_rep.conv_3x3.block.conv.*", "stages.{0-1}.1.conv_kxk.conv.*"},
       {"layer_{}.1.local_rep.conv_3x3.block.norm.*", "stages.{0-1}.1.conv_kxk.bn.*"},
       {"layer_{}.1.local_rep.conv_1x1.block.conv.*", "stages.{0-1}.1.conv_1x1.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_mha.0.*", "stages.{0-1}.1.transformer.{1}.norm1.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_mha.1.qkv_proj.*",
        "stages.{0-1}.1.transformer.{1}.attn.qkv.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_mha.1.out_proj.*",
        "stages.{0-1}.1.transformer.{1}.attn.proj.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_ffn.1.*", "stages.{0-1}.1.transformer.{1}.mlp.fc1.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_ffn.4.*", "stages.{0-1}.1.transformer.{1}.mlp.fc2.*"},
       {"layer_{}.1.fusion.block.conv.*", "stages.{0-1}.1.conv_fusion.conv.*"},
       {"layer_{}.1.fusion.block.norm.*", "stages.{0-1}.1.conv_fusion.bn.*"},
       {"conv_1x1_exp.block.conv.*", "final_conv.conv.*"},
       {"conv_1x1_exp.block.norm.*", "final_conv.bn.*"},
       {"classifier.fc.*", "head.fc.*"}});
  return rules;
}

std::vector<KeyRule> cvnets_v2_rules() {
  auto rules = cvnets_rules(/*bgr=*/false);
  append(
      rules,
      {{"layer_{}.1.local_rep.0.block.conv.*", "stages.{0-1}.1.conv_kxk.conv.*"},
       {"layer_{}.1.local_rep.0.block.norm.*", "stages.{0-1}.1.conv_kxk.bn.*"},
       {"layer_{}.1.local_rep.1.block.conv.*", "stages.{0-1}.1.conv_1x1.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_attn.0.*", "stages.{0-1}.1.transformer.{1}.norm1.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_attn.1.qkv_proj.block.conv.*",
        "stages.{0-1}.1.transformer.{1}.attn.qkv_proj.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_attn.1.out_proj.block.conv.*",
        "stages.{0-1}.1.transformer.{1}.attn.out_proj.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_ffn.1.block.conv.*",
        "stages.{0-1}.1.transformer.{1}.mlp.fc1.*"},
       {"layer_{}.1.global_rep.{}.pre_norm_ffn.3.block.conv.*",
        "stages.{0-1}.1.transformer.{1}.mlp.fc2.*"},
       {"classifier.1.*", "head.fc.*"}});
  return rules;
}

/// What both versions have in common by Hugging Face's names.
std::vector<KeyRule> huggingface_mobilevit_rules(bool bgr) {
  return {
      {"conv_stem.convolution.weight", "stem.conv.weight", bgr ? kFlip : Derivation::Copy},
      {"conv_stem.normalization.*", "stem.bn.*"},
      // Stages from the third on begin with one block, which makes the map smaller.
      {"encoder.layer.{0+2}.downsampling_layer.expand_1x1.convolution.*",
       "stages.{0+2}.0.conv1_1x1.conv.*"},
      {"encoder.layer.{0+2}.downsampling_layer.expand_1x1.normalization.*",
       "stages.{0+2}.0.conv1_1x1.bn.*"},
      {"encoder.layer.{0+2}.downsampling_layer.conv_3x3.convolution.*",
       "stages.{0+2}.0.conv2_kxk.conv.*"},
      {"encoder.layer.{0+2}.downsampling_layer.conv_3x3.normalization.*",
       "stages.{0+2}.0.conv2_kxk.bn.*"},
      {"encoder.layer.{0+2}.downsampling_layer.reduce_1x1.convolution.*",
       "stages.{0+2}.0.conv3_1x1.conv.*"},
      {"encoder.layer.{0+2}.downsampling_layer.reduce_1x1.normalization.*",
       "stages.{0+2}.0.conv3_1x1.bn.*"},
      {"encoder.layer.{}.layer.{}.expand_1x1.convolution.*", "stages.{0}.{1}.conv1_1x1.conv.*"},
      {"encoder.layer.{}.layer.{}.expand_1x1.normalization.*", "stages.{0}.{1}.conv1_1x1.bn.*"},
      {"encoder.layer.{}.layer.{}.conv_3x3.convolution.*", "stages.{0}.{1}.conv2_kxk.conv.*"},
      {"encoder.layer.{}.layer.{}.conv_3x3.normalization.*", "stages.{0}.{1}.conv2_kxk.bn.*"},
      {"encoder.layer.{}.layer.{}.reduce_1x1.convolution.*", "stages.{0}.{1}.conv3_1x1.conv.*"},
      {"encoder.layer.{}.layer.{}.reduce_1x1.normalization.*", "stages.{0}.{1}.conv3_1x1.bn.*"},
      {"encoder.layer.{}.conv_kxk.convolution.*", "stages.{0}.1.conv_kxk.conv.*"},
      {"encoder.layer.{}.conv_kxk.normalization.*", "stages.{0}.1.conv_kxk.bn.*"},
      {"encoder.layer.{}.conv_1x1.convolution.*", "stages.{0}.1.conv_1x1.*"},
      {"encoder.layer.{}.transformer.layer.{}.layernorm_before.*",
       "stages.{0}.1.transformer.{1}.norm1.*"},
      {"encoder.layer.{}.transformer.layer.{}.layernorm_after.*",
       "stages.{0}.1.transformer.{1}.norm2.*"},
      {"encoder.layer.{}.layernorm.*", "stages.{0}.1.norm.*"},
      {"encoder.layer.{}.conv_projection.convolution.*", "stages.{0}.1.conv_proj.conv.*"},
      {"encoder.layer.{}.conv_projection.normalization.*", "stages.{0}.1.conv_proj.bn.*"},
      {"classifier.*", "head.fc.*"}};
}

std::vector<KeyRule> huggingface_mobilevit_v1_rules() {
  auto rules = huggingface_mobilevit_rules(/*bgr=*/true);
  append(
      rules,
      {{"encoder.layer.{}.transformer.layer.{}.attention.attention.query.*",
        "stages.{0}.1.transformer.{1}.attn.qkv.*",
        kConcat,
        0},
       {"encoder.layer.{}.transformer.layer.{}.attention.attention.key.*",
        "stages.{0}.1.transformer.{1}.attn.qkv.*",
        kConcat,
        1},
       {"encoder.layer.{}.transformer.layer.{}.attention.attention.value.*",
        "stages.{0}.1.transformer.{1}.attn.qkv.*",
        kConcat,
        2},
       {"encoder.layer.{}.transformer.layer.{}.attention.output.dense.*",
        "stages.{0}.1.transformer.{1}.attn.proj.*"},
       {"encoder.layer.{}.transformer.layer.{}.intermediate.dense.*",
        "stages.{0}.1.transformer.{1}.mlp.fc1.*"},
       {"encoder.layer.{}.transformer.layer.{}.output.dense.*",
        "stages.{0}.1.transformer.{1}.mlp.fc2.*"},
       {"encoder.layer.{}.fusion.convolution.*", "stages.{0}.1.conv_fusion.conv.*"},
       {"encoder.layer.{}.fusion.normalization.*", "stages.{0}.1.conv_fusion.bn.*"},
       {"conv_1x1_exp.convolution.*", "final_conv.conv.*"},
       {"conv_1x1_exp.normalization.*", "final_conv.bn.*"}});
  return rules;
}

std::vector<KeyRule> huggingface_mobilevit_v2_rules() {
  auto rules = huggingface_mobilevit_rules(/*bgr=*/false);
  append(
      rules,
      {{"encoder.layer.{}.transformer.layer.{}.attention.qkv_proj.convolution.*",
        "stages.{0}.1.transformer.{1}.attn.qkv_proj.*"},
       {"encoder.layer.{}.transformer.layer.{}.attention.out_proj.convolution.*",
        "stages.{0}.1.transformer.{1}.attn.out_proj.*"},
       {"encoder.layer.{}.transformer.layer.{}.ffn.conv1.convolution.*",
        "stages.{0}.1.transformer.{1}.mlp.fc1.*"},
       {"encoder.layer.{}.transformer.layer.{}.ffn.conv2.convolution.*",
        "stages.{0}.1.transformer.{1}.mlp.fc2.*"}});
  return rules;
}

}  // namespace

std::vector<KeyLayout> mobilevit_layouts() {
  return {
      {"timm",
       [](const HasKey& has) { return has("stem.conv.weight") && has("stages.{}.{}.*"); },
       {},
       /*keeps_names=*/true},
      {"ml-cvnets MobileViT",
       [](const HasKey& has) {
         return has("conv_1.block.conv.weight") && has("layer_{}.1.local_rep.conv_3x3.*");
       },
       cvnets_v1_rules()},
      {"ml-cvnets MobileViT V2",
       [](const HasKey& has) {
         return has("conv_1.block.conv.weight") && has("layer_{}.1.local_rep.0.block.*");
       },
       cvnets_v2_rules()},
      {"Hugging Face MobileViT V2",
       [](const HasKey& has) {
         return has("conv_stem.convolution.weight") &&
                has("encoder.layer.{}.transformer.layer.{}.attention.qkv_proj.*");
       },
       huggingface_mobilevit_v2_rules()},
      {"Hugging Face MobileViT",
       [](const HasKey& has) { return has("conv_stem.convolution.weight"); },
       huggingface_mobilevit_v1_rules()}};
}

}  // namespace vitrine::detail

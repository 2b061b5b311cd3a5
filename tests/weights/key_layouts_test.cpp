#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"

#include "mapped_names.h"
#include "support/refusal.h"
#include "weights/key_map.h"

namespace vitrine {
namespace {

using detail::Derivation;
using detail::map_keys;
using Shape = std::vector<std::int64_t>;

/// Expects that `from`, beside `others` that tell the layout, becomes `to` in a layout called
/// `layout`.
void expect_renamed(
    const std::string& layout,
    const std::vector<std::string>& others,
    const std::vector<std::pair<std::string, std::string>>& pairs) {
  SCOPED_TRACE(layout);
  auto names = others;
  for (const auto& pair : pairs) {
    names.push_back(pair.first);
  }
  const auto map = map_names(names);
  EXPECT_EQ(map.layout, layout);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto place = others.size() + i;
    std::string found;
    for (const auto& tensor : map.tensors) {
      if (tensor.sources == std::vector<std::size_t>{place}) {
        found = tensor.name;
      }
    }
    EXPECT_EQ(found, pairs[i].second) << pairs[i].first;
  }
}

TEST(KeyMap, KnowsTorchvisionsViT) {
  expect_renamed(
      "torchvision ViT",
      {},
      {{"class_token", "cls_token"},
       {"encoder.pos_embedding", "pos_embed"},
       {"conv_proj.bias", "patch_embed.proj.bias"},
       {"encoder.layers.encoder_layer_11.ln_2.weight", "blocks.11.norm2.weight"},
       {"encoder.layers.encoder_layer_0.self_attention.in_proj_weight", "blocks.0.attn.qkv.weight"},
       {"encoder.layers.encoder_layer_0.self_attention.out_proj.bias", "blocks.0.attn.proj.bias"},
       {"encoder.layers.encoder_layer_0.mlp.linear_1.weight", "blocks.0.mlp.fc1.weight"},
       {"encoder.layers.encoder_layer_1.mlp.3.weight", "blocks.1.mlp.fc2.weight"},
       {"encoder.ln.bias", "norm.bias"},
       {"heads.head.weight", "head.weight"}});
}

TEST(KeyMap, KnowsHuggingFacesViTOnDiskAndInMemory) {
  expect_renamed(
      "Hugging Face ViT",
      {"vit.embeddings.patch_embeddings.projection.weight"},
      {{"vit.embeddings.cls_token", "cls_token"},
       {"vit.encoder.layer.3.attention.output.dense.weight", "blocks.3.attn.proj.weight"},
       {"vit.encoder.layer.3.output.dense.weight", "blocks.3.mlp.fc2.weight"},
       {"vit.encoder.layer.3.intermediate.dense.bias", "blocks.3.mlp.fc1.bias"},
       {"vit.layernorm.weight", "norm.weight"},
       {"classifier.bias", "head.bias"}});
  expect_renamed(
      "Hugging Face ViT",
      {"embeddings.patch_embeddings.projection.weight"},
      {{"layers.3.attention.o_proj.weight", "blocks.3.attn.proj.weight"},
       {"layers.3.mlp.fc1.weight", "blocks.3.mlp.fc1.weight"}});
}

TEST(KeyMap, CallsADistillationTokenWithoutAHeadARegister) {
  expect_renamed(
      "Hugging Face DeiT with one head",
      {"deit.embeddings.patch_embeddings.projection.weight", "deit.encoder.layer.0.norm1.weight"},
      {{"deit.embeddings.distillation_token", "reg_token"}, {"classifier.bias", "head.bias"}});
  expect_renamed(
      "Hugging Face ViT",
      {"deit.embeddings.patch_embeddings.projection.weight", "deit.encoder.layer.0.norm1.weight"},
      {{"deit.embeddings.distillation_token", "dist_token"},
       {"cls_classifier.bias", "head.bias"},
       {"distillation_classifier.bias", "head_dist.bias"}});
}

TEST(KeyMap, FoldsTheClassPositionOfDinoV2WithRegisters) {
  const auto map = map_keys(
      {{"cls_token", {1, 1, 8}},
       {"pos_embed", {1, 10, 8}},
       {"register_tokens", {1, 4, 8}},
       {"mask_token", {1, 8}},
       {"blocks.0.attn.qkv.weight", {24, 8}},
       {"blocks.0.mlp.w12.weight", {16, 8}}},
      "file");
  EXPECT_EQ(map.layout, "DINOv2 with registers");
  const auto& token = find(map, "cls_token");
  EXPECT_EQ(token.derivation, Derivation::AddToken);
  EXPECT_EQ(token.sources, (std::vector<std::size_t>{0, 1}));
  const auto& positions = find(map, "pos_embed");
  EXPECT_EQ(positions.derivation, Derivation::Tokens);
  EXPECT_EQ(positions.shape, (Shape{1, 9, 8}));
  EXPECT_EQ(positions.begin, 1);
  EXPECT_EQ(find(map, "reg_token").sources, (std::vector<std::size_t>{2}));
  EXPECT_EQ(find(map, "blocks.0.mlp.fc1.weight").sources, (std::vector<std::size_t>{5}));
  EXPECT_EQ(map.dropped, (std::vector<std::size_t>{3}));
}

TEST(KeyMap, KnowsTheOriginalsOfDinoV2AndDeitIII) {
  expect_renamed(
      "timm",
      {"blocks.0.0.attn.qkv.weight"},
      {{"blocks.1.7.attn.proj.bias", "blocks.7.attn.proj.bias"},
       {"blocks.0.3.mlp.w3.bias", "blocks.3.mlp.fc2.bias"}});
  expect_renamed(
      "timm", {"blocks.0.attn.qkv.weight"}, {{"blocks.2.gamma_1", "blocks.2.ls1.gamma"}});
}

TEST(KeyMap, KnowsEverySwin) {
  expect_renamed(
      "torchvision Swin",
      {"features.0.0.weight"},
      {{"features.5.3.attn.relative_position_bias_table",
        "layers.2.blocks.3.attn.relative_position_bias_table"},
       {"features.5.3.attn.qkv.bias", "layers.2.blocks.3.attn.qkv.bias"},
       {"features.4.reduction.weight", "layers.2.downsample.reduction.weight"},
       {"features.7.1.mlp.0.bias", "layers.3.blocks.1.mlp.fc1.bias"},
       {"features.0.2.weight", "patch_embed.norm.weight"},
       {"head.bias", "head.fc.bias"}});
  expect_renamed(
      "Microsoft Swin",
      {"patch_embed.proj.weight", "layers.0.blocks.0.attn.qkv.weight", "head.weight"},
      {{"layers.0.downsample.norm.bias", "layers.1.downsample.norm.bias"},
       {"head.bias", "head.fc.bias"},
       {"layers.2.blocks.5.norm1.bias", "layers.2.blocks.5.norm1.bias"}});
  expect_renamed(
      "Hugging Face Swin",
      {"swin.embeddings.patch_embeddings.projection.weight"},
      {{"swin.encoder.layers.0.downsample.norm.bias", "layers.1.downsample.norm.bias"},
       {"swin.encoder.layers.1.blocks.0.attention.self.relative_position_bias_table",
        "layers.1.blocks.0.attn.relative_position_bias_table"},
       {"swin.layernorm.weight", "norm.weight"},
       {"classifier.weight", "head.fc.weight"}});
  expect_renamed(
      "Hugging Face Swin V2",
      {"embeddings.patch_embeddings.projection.weight"},
      {{"encoder.layers.0.blocks.0.attention.self.logit_scale",
        "layers.0.blocks.0.attn.logit_scale"},
       {"encoder.layers.0.blocks.0.attention.self.query.bias", "layers.0.blocks.0.attn.q_bias"},
       {"encoder.layers.0.blocks.0.attention.self.continuous_position_bias_mlp.0.weight",
        "layers.0.blocks.0.attn.cpb_mlp.0.weight"}});
}

TEST(KeyMap, SplitsTheBiasOfTorchvisionsSwinV2) {
  const auto map = map_keys(
      {{"features.0.0.weight", {4, 3, 4, 4}},
       {"features.1.0.attn.logit_scale", {2, 1, 1}},
       {"features.1.0.attn.qkv.bias", {12}},
       {"features.1.0.attn.cpb_mlp.0.weight", {512, 2}},
       {"features.1.0.mlp.0.weight", {16, 4}}},
      "file");
  EXPECT_EQ(map.layout, "torchvision Swin V2");
  const auto& q = find(map, "layers.0.blocks.0.attn.q_bias");
  const auto& v = find(map, "layers.0.blocks.0.attn.v_bias");
  EXPECT_EQ(q.shape, (Shape{4}));
  EXPECT_EQ(q.begin, 0);
  EXPECT_EQ(v.begin, 8);
  EXPECT_EQ(v.end, 12);
  EXPECT_EQ(find(map, "layers.0.blocks.0.attn.cpb_mlp.0.weight").sources.size(), 1U);
  EXPECT_EQ(find(map, "layers.0.blocks.0.mlp.fc1.weight").sources.size(), 1U);
}

TEST(KeyMap, FlipsTheColoursOfTheFirstMobileVitAlone) {
  const auto first =
      map_names({"conv_1.block.conv.weight", "layer_3.1.local_rep.conv_3x3.block.conv.weight"});
  EXPECT_EQ(first.layout, "ml-cvnets MobileViT");
  EXPECT_EQ(find(first, "stem.conv.weight").derivation, Derivation::FlipChannels);
  const auto second =
      map_names({"conv_1.block.conv.weight", "layer_3.1.local_rep.0.block.conv.weight"});
  EXPECT_EQ(second.layout, "ml-cvnets MobileViT V2");
  EXPECT_EQ(find(second, "stem.conv.weight").derivation, Derivation::Copy);
}

TEST(KeyMap, KnowsEveryMobileVit) {
  expect_renamed(
      "ml-cvnets MobileViT",
      {"conv_1.block.conv.weight"},
      {{"layer_3.1.local_rep.conv_3x3.block.norm.running_mean",
        "stages.2.1.conv_kxk.bn.running_mean"},
       {"layer_3.1.local_rep.conv_1x1.block.conv.weight", "stages.2.1.conv_1x1.weight"},
       {"layer_3.1.global_rep.1.pre_norm_mha.1.qkv_proj.bias",
        "stages.2.1.transformer.1.attn.qkv.bias"},
       {"layer_3.1.global_rep.0.pre_norm_ffn.4.bias", "stages.2.1.transformer.0.mlp.fc2.bias"},
       {"layer_3.1.global_rep.2.weight", "stages.2.1.norm.weight"},
       {"layer_1.0.block.red_1x1.block.norm.bias", "stages.0.0.conv3_1x1.bn.bias"},
       {"classifier.fc.bias", "head.fc.bias"}});
  expect_renamed(
      "ml-cvnets MobileViT V2",
      {"conv_1.block.conv.weight", "layer_3.1.local_rep.0.block.conv.weight"},
      {{"layer_4.1.global_rep.0.pre_norm_attn.1.qkv_proj.block.conv.bias",
        "stages.3.1.transformer.0.attn.qkv_proj.bias"},
       {"layer_4.1.global_rep.0.pre_norm_ffn.3.block.conv.weight",
        "stages.3.1.transformer.0.mlp.fc2.weight"},
       {"classifier.1.bias", "head.fc.bias"}});
  expect_renamed(
      "Hugging Face MobileViT",
      {"mobilevit.conv_stem.convolution.weight"},
      {{"mobilevit.encoder.layer.1.layer.0.expand_1x1.normalization.bias",
        "stages.1.0.conv1_1x1.bn.bias"},
       {"mobilevit.encoder.layer.2.downsampling_layer.conv_3x3.convolution.weight",
        "stages.2.0.conv2_kxk.conv.weight"},
       {"mobilevit.encoder.layer.2.transformer.layer.1.attention.output.dense.bias",
        "stages.2.1.transformer.1.attn.proj.bias"},
       {"mobilevit.encoder.layer.2.layernorm.bias", "stages.2.1.norm.bias"},
       {"mobilevit.conv_1x1_exp.convolution.weight", "final_conv.conv.weight"}});
  expect_renamed(
      "Hugging Face MobileViT V2",
      {"mobilevitv2.conv_stem.convolution.weight"},
      {{"mobilevitv2.encoder.layer.2.transformer.layer.1.attention.qkv_proj.convolution.bias",
        "stages.2.1.transformer.1.attn.qkv_proj.bias"},
       {"mobilevitv2.encoder.layer.2.transformer.layer.1.ffn.conv2.convolution.bias",
        "stages.2.1.transformer.1.mlp.fc2.bias"}});
}

TEST(KeyMap, RefusesWhatItKnowsToDiffer) {
  const auto refuse = [](const std::vector<std::string>& names, const std::string& cause) {
    expect_refusal<CheckpointError>([&] { map_names(names); }, "file: ", {cause});
  };
  refuse({"stages.0.blocks.0.attn.w_msa.qkv.weight"}, "OpenMMLab");
  refuse(
      {"patch_embed.proj.weight", "layers.0.blocks.0.attn.qkv.weight", "absolute_pos_embed"},
      "absolute_pos_embed");
}

TEST(KeyMap, NamesClipWhereItRefusesIt) {
  const std::string block = "transformer.resblocks.0.attn.in_proj_weight";
  for (const auto& names : std::vector<std::vector<std::string>>{
           {"visual.class_embedding", "visual." + block, block, "token_embedding.weight"},
           {"class_embedding", "conv1.weight", block},
           {"vision_model.embeddings.class_embedding", "visual_projection.weight"}}) {
    try {
      map_names(names);
      ADD_FAILURE() << names.front();
    } catch (const CheckpointError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find("file: is a checkpoint of CLIP, "), 0U) << message;
    }
  }
}

}  // namespace
}  // namespace vitrine

#include "weights/key_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"

#include "support/refusal.h"
#include "weights/key_pattern.h"

namespace vitrine {
namespace {

using detail::Derivation;
using detail::KeyMap;
using detail::map_keys;
using detail::MappedTensor;
using detail::SourceTensor;
using Shape = std::vector<std::int64_t>;

/// The map of tensors with these names, each of shape [6].
KeyMap map_names(const std::vector<std::string>& names) {
  std::vector<SourceTensor> tensors;
  for (const auto& name : names) {
    tensors.push_back({name, {6}});
  }
  return map_keys(tensors, "file");
}

std::vector<std::string> names_of(const KeyMap& map) {
  std::vector<std::string> names;
  for (const auto& tensor : map.tensors) {
    names.push_back(tensor.name);
  }
  return names;
}

const MappedTensor& find(const KeyMap& map, const std::string& name) {
  for (const auto& tensor : map.tensors) {
    if (tensor.name == name) {
      return tensor;
    }
  }
  throw std::out_of_range("no tensor " + name);
}

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

TEST(KeyPattern, TakesNumbersAndARest) {
  const auto match = detail::match_key("encoder.layer_12.x.3.weight", "encoder.layer_{}.x.{}.*");
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->numbers, (std::vector<int>{12, 3}));
  EXPECT_EQ(match->rest, "weight");
  EXPECT_EQ(detail::fill_key("a.{1}.b.{0+1}.{0-1}.{1*2+1}.*", *match), "a.3.b.13.11.7.weight");
}

TEST(KeyPattern, ReadsWhatItWrites) {
  for (const auto* pattern : {"a.{1}.{0}", "a.{1+1}.{0-1}", "a.{0*2}.{1}", "a.{1*2+1}.{0*2}"}) {
    const auto key = detail::fill_key(pattern, {{3, 5}, {}});
    const auto match = detail::match_key(key, pattern);
    ASSERT_TRUE(match.has_value()) << key;
    EXPECT_EQ(match->numbers, (std::vector<int>{3, 5})) << key;
  }
  EXPECT_FALSE(detail::match_key("a.4", "a.{0*2+1}").has_value());
  EXPECT_FALSE(detail::match_key("a.5", "a.{0*2}").has_value());
  EXPECT_FALSE(detail::match_key("a.0", "a.{0+1}").has_value());
}

TEST(KeyPattern, MatchesTheWholeKeyAlone) {
  EXPECT_FALSE(detail::match_key("a.b", "a").has_value());
  EXPECT_FALSE(detail::match_key("a", "a.b").has_value());
  EXPECT_FALSE(detail::match_key("a.", "a.*").has_value());
  EXPECT_FALSE(detail::match_key("a.x", "a.{}").has_value());
  EXPECT_FALSE(detail::match_key("a.12345", "a.{}").has_value());
  EXPECT_FALSE(detail::match_key("a." + std::string(100'000, '9'), "a.{}").has_value());
  EXPECT_TRUE(detail::match_key("a.b", "a.b").has_value());
}

TEST(KeyMap, LeavesTimmsNamesAlone) {
  const std::vector<std::string> vit = {"cls_token", "blocks.0.attn.qkv.weight", "head.weight"};
  EXPECT_EQ(map_names(vit).layout, "timm");
  EXPECT_EQ(names_of(map_names(vit)), vit);
  const std::vector<std::string> swin = {
      "patch_embed.proj.weight",
      "layers.1.downsample.norm.weight",
      "layers.0.blocks.0.attn.qkv.bias"};
  EXPECT_EQ(map_names(swin).layout, "timm");
  EXPECT_EQ(names_of(map_names(swin)), swin);
  const std::vector<std::string> mobilevit = {"stem.conv.weight", "stages.0.0.conv1_1x1.bn.bias"};
  EXPECT_EQ(map_names(mobilevit).layout, "timm");
  EXPECT_EQ(names_of(map_names(mobilevit)), mobilevit);
}

TEST(KeyMap, GivesBackWhatItDoesNotRecognise) {
  const auto map = map_names({"b", "a"});
  EXPECT_EQ(map.layout, "");
  EXPECT_EQ(names_of(map), (std::vector<std::string>{"b", "a"}));
}

TEST(KeyMap, TakesWrappersOff) {
  EXPECT_EQ(
      names_of(map_names({"module._orig_mod.model.cls_token", "module._orig_mod.model.head.bias"})),
      (std::vector<std::string>{"cls_token", "head.bias"}));
  // What not every name has is no wrapper.
  EXPECT_EQ(names_of(map_names({"module.a", "b"})), (std::vector<std::string>{"module.a", "b"}));
}

TEST(KeyMap, TakesAWrapperOffBesideATrainersOwnTensors) {
  const std::vector<std::string> model = {
      "model.blocks.0.attn.qkv.weight", "model.cls_token", "model.head.weight"};
  const auto beside = [&](const std::string& name) {
    auto names = model;
    names.push_back(name);
    return map_names(names);
  };
  for (const auto* name : {"criterion.weight", "loss.scale", "n_averaged"}) {
    const auto map = beside(name);
    EXPECT_EQ(map.layout, "timm") << name;
    EXPECT_EQ(
        names_of(map),
        (std::vector<std::string>{"blocks.0.attn.qkv.weight", "cls_token", "head.weight"}));
    EXPECT_EQ(map.dropped, (std::vector<std::size_t>{3})) << name;
  }
  // What could be the model's is not dropped.
  for (const auto* name : {"blocks.1.norm1.weight", "cls_token", "fc.weight", "new_head.weight"}) {
    EXPECT_EQ(beside(name).layout, "") << name;
  }
  EXPECT_EQ(map_names({"model.a", "b"}).layout, "");  // no model of vitrine's
}

TEST(KeyMap, DropsProjectionHeadsBesideABackbone) {
  const auto map = map_names(
      {"module.backbone.blocks.0.attn.qkv.weight",
       "module.head.mlp.0.weight",
       "module.dino_head.last_layer.weight_g"});
  EXPECT_EQ(names_of(map), (std::vector<std::string>{"blocks.0.attn.qkv.weight"}));
  EXPECT_EQ(map.dropped, (std::vector<std::size_t>{1, 2}));
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

TEST(KeyMap, JoinsQueriesKeysAndValuesInThatOrder) {
  const std::string block = "vit.encoder.layer.0.attention.attention.";
  const auto map = map_keys(
      {{"vit.embeddings.patch_embeddings.projection.weight", {4, 3, 2, 2}},
       {block + "value.weight", {4, 5}},
       {block + "query.weight", {4, 5}},
       {block + "key.weight", {4, 5}}},
      "file");
  const auto& qkv = find(map, "blocks.0.attn.qkv.weight");
  EXPECT_EQ(qkv.derivation, Derivation::Concat);
  EXPECT_EQ(qkv.sources, (std::vector<std::size_t>{2, 3, 1}));
  EXPECT_EQ(qkv.shape, (Shape{12, 5}));
}

TEST(KeyMap, NamesAsUnknownWhatLacksItsNeighbours) {
  const auto map = map_names(
      {"vit.embeddings.patch_embeddings.projection.weight",
       "vit.encoder.layer.0.attention.attention.query.weight",
       "vit.encoder.layer.0.strange"});
  EXPECT_EQ(map.unknown, (std::vector<std::size_t>{1, 2}));
}

TEST(KeyMap, RefusesNeighboursThatDoNotFit) {
  const std::string block = "encoder.layer.0.attention.attention.";
  const auto map = [&](const Shape& shape) {
    return map_keys(
        {{"embeddings.patch_embeddings.projection.weight", {4, 3, 2, 2}},
         {block + "query.weight", {4, 5}},
         {block + "key.weight", shape},
         {block + "value.weight", {4, 5}}},
        "file");
  };
  const std::string cause = "the shapes of '" + block + "query.weight', '" + block +
                            "key.weight', '" + block +
                            "value.weight' do not fit for 'blocks.0.attn.qkv.weight'";
  for (const auto& shape : {Shape{4, 6}, Shape{4}, Shape{}}) {
    expect_refusal<CheckpointError>([&] { map(shape); }, "file: ", {cause});
  }
  const auto overflow = [&] {
    map_keys(
        {{"embeddings.patch_embeddings.projection.weight", {1}},
         {block + "query.weight", {INT64_MAX, 0}},
         {block + "key.weight", {INT64_MAX, 0}},
         {block + "value.weight", {1, 0}}},
        "file");
  };
  expect_refusal<CheckpointError>(overflow, "file: ", {cause});
}

TEST(KeyMap, RefusesTwoNamesForOneTensor) {
  const auto map = [] {
    map_names(
        {"class_token",
         "encoder.layers.encoder_layer_0.mlp.0.weight",
         "encoder.layers.encoder_layer_0.mlp.linear_1.weight"});
  };
  expect_refusal<CheckpointError>(
      map,
      "file: both 'encoder.layers.encoder_layer_0.mlp.0.weight' and "
      "'encoder.layers.encoder_layer_0.mlp.linear_1.weight' stand for ",
      {"'blocks.0.mlp.fc1.weight'"});
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

TEST(KeyMap, LeavesOutAHeadThatStoodOnALayerThatIsGone) {
  const auto map =
      map_names({"blocks.0.attn.qkv.weight", "pre_logits.fc.weight", "head.weight", "norm.weight"});
  EXPECT_EQ(names_of(map), (std::vector<std::string>{"blocks.0.attn.qkv.weight", "norm.weight"}));
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

TEST(KeyMap, RefusesWhatItKnowsToDiffer) {
  const auto refuse = [](const std::vector<std::string>& names, const std::string& cause) {
    expect_refusal<CheckpointError>([&] { map_names(names); }, "file: ", {cause});
  };
  refuse({"stages.0.blocks.0.attn.w_msa.qkv.weight"}, "OpenMMLab");
  refuse(
      {"patch_embed.proj.weight", "layers.0.blocks.0.attn.qkv.weight", "absolute_pos_embed"},
      "absolute_pos_embed");
}

TEST(KeyMap, RefusesMoreTensorsThanAModelHas) {
  std::vector<SourceTensor> tensors;
  for (int i = 0; i < 65'536; ++i) {
    tensors.push_back({"blocks." + std::to_string(i) + ".attn.qkv.weight", {}});
  }
  expect_refusal<CheckpointError>(
      [&] { map_keys(tensors, "file"); },
      "file: ",
      {"has 65536 tensors, too many to be a model's; expected at most 20000"});
  tensors.resize(20'000);
  expect_cheap([&] { EXPECT_EQ(map_keys(tensors, "file").tensors.size(), 20'000U); });
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

TEST(KeyMap, DropsDerivedTablesOfAnyLayout) {
  const auto map = map_names(
      {"patch_embed.proj.weight",
       "layers.0.blocks.0.attn.relative_position_index",
       "layers.0.blocks.1.attn_mask",
       "layers.0.blocks.1.attn.relative_coords_table"});
  EXPECT_EQ(map.dropped, (std::vector<std::size_t>{1, 2, 3}));
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

}  // namespace
}  // namespace vitrine

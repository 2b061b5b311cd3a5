#include "weights/key_map.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/error.h"

#include "mapped_names.h"
#include "support/refusal.h"

namespace vitrine {
namespace {

using detail::Derivation;
using detail::KeyMap;
using detail::map_keys;
using detail::SourceTensor;
using Shape = std::vector<std::int64_t>;

std::vector<std::string> names_of(const KeyMap& map) {
  std::vector<std::string> names;
  for (const auto& tensor : map.tensors) {
    names.push_back(tensor.name);
  }
  return names;
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

TEST(KeyMap, LeavesOutAHeadThatStoodOnALayerThatIsGone) {
  const auto map =
      map_names({"blocks.0.attn.qkv.weight", "pre_logits.fc.weight", "head.weight", "norm.weight"});
  EXPECT_EQ(names_of(map), (std::vector<std::string>{"blocks.0.attn.qkv.weight", "norm.weight"}));
}

TEST(KeyMap, DropsDerivedTablesOfAnyLayout) {
  const auto map = map_names(
      {"patch_embed.proj.weight",
       "layers.0.blocks.0.attn.relative_position_index",
       "layers.0.blocks.1.attn_mask",
       "layers.0.blocks.1.attn.relative_coords_table"});
  EXPECT_EQ(map.dropped, (std::vector<std::size_t>{1, 2, 3}));
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

}  // namespace
}  // namespace vitrine

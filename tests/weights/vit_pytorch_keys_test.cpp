#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"

#include "support/refusal.h"
#include "weights/key_map.h"

namespace vitrine {
namespace {

using detail::Derivation;
using detail::KeyMap;
using detail::map_keys;
using detail::MappedTensor;
using detail::SourceTensor;
using Shape = std::vector<std::int64_t>;
using Places = std::vector<std::size_t>;

std::map<std::string, MappedTensor> by_name(const KeyMap& map) {
  std::map<std::string, MappedTensor> tensors;
  for (const auto& tensor : map.tensors) {
    tensors.emplace(tensor.name, tensor);
  }
  return tensors;
}

/// Expects the second of each pair for the first, in a file with a block of the names `version`.
void expect_renamed(
    const std::string& version, const std::vector<std::pair<std::string, std::string>>& pairs) {
  SCOPED_TRACE(version);
  std::vector<SourceTensor> tensors = {{"to_patch_embedding.1.weight", {4, 12}}};
  for (const auto& pair : pairs) {
    tensors.push_back({pair.first, {6}});
  }
  const auto map = map_keys(tensors, "file");
  EXPECT_TRUE(map.unknown.empty());
  const auto found = by_name(map);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto tensor = found.find(pairs[i].second);
    ASSERT_NE(tensor, found.end()) << pairs[i].second;
    EXPECT_EQ(tensor->second.sources, Places{i + 1}) << pairs[i].second;
  }
}

TEST(VitPytorchKeys, AreKnownOfEveryVersion) {
  expect_renamed(
      "0.7.0",
      {{"transformer.layers.3.0.fn.norm.bias", "blocks.3.norm1.bias"},
       {"transformer.layers.3.0.fn.fn.to_qkv.weight", "blocks.3.attn.qkv.weight"},
       {"transformer.layers.3.0.fn.fn.to_out.0.bias", "blocks.3.attn.proj.bias"},
       {"transformer.layers.3.1.fn.norm.bias", "blocks.3.norm2.bias"},
       {"transformer.layers.3.1.fn.fn.net.0.bias", "blocks.3.mlp.fc1.bias"},
       {"transformer.layers.3.1.fn.fn.net.3.bias", "blocks.3.mlp.fc2.bias"},
       {"mlp_head.0.bias", "fc_norm.bias"},
       {"mlp_head.1.bias", "head.bias"}});
  expect_renamed(
      "0.10.1",
      {{"transformer.layers.3.0.norm.bias", "blocks.3.norm1.bias"},
       {"transformer.layers.3.0.fn.to_qkv.weight", "blocks.3.attn.qkv.weight"},
       {"transformer.layers.3.0.fn.to_out.0.bias", "blocks.3.attn.proj.bias"},
       {"transformer.layers.3.1.norm.bias", "blocks.3.norm2.bias"},
       {"transformer.layers.3.1.fn.net.0.bias", "blocks.3.mlp.fc1.bias"},
       {"transformer.layers.3.1.fn.net.3.bias", "blocks.3.mlp.fc2.bias"}});
  expect_renamed(
      "1.4.0",
      {{"transformer.layers.3.0.norm.bias", "blocks.3.norm1.bias"},
       {"transformer.layers.3.0.to_qkv.weight", "blocks.3.attn.qkv.weight"},
       {"transformer.layers.3.0.to_out.0.bias", "blocks.3.attn.proj.bias"},
       {"transformer.layers.3.1.net.0.bias", "blocks.3.norm2.bias"},
       {"transformer.layers.3.1.net.1.bias", "blocks.3.mlp.fc1.bias"},
       {"transformer.layers.3.1.net.4.bias", "blocks.3.mlp.fc2.bias"},
       {"transformer.norm.bias", "norm.bias"},
       {"mlp_head.bias", "head.bias"}});
}

TEST(VitPytorchKeys, FoldTheFirstNormIntoTheProjection) {
  const auto map = map_keys(
      {{"to_patch_embedding.1.weight", {12}},
       {"to_patch_embedding.1.bias", {12}},
       {"to_patch_embedding.2.weight", {4, 12}},
       {"to_patch_embedding.2.bias", {4}},
       {"to_patch_embedding.3.weight", {4}},
       {"transformer.norm.weight", {4}},
       {"transformer.layers.0.0.norm.weight", {4}}},
      "file");
  EXPECT_EQ(map.layout, "vit-pytorch ViT");
  auto found = by_name(map);
  EXPECT_EQ(found["patch_embed.proj.weight"].derivation, Derivation::Kernel);
  EXPECT_EQ(found["patch_embed.proj.weight"].sources, (Places{2, 0}));
  EXPECT_EQ(found["patch_embed.proj.weight"].shape, (Shape{4, 3, 2, 2}));
  EXPECT_EQ(found["patch_embed.proj.bias"].derivation, Derivation::AddProduct);
  EXPECT_EQ(found["patch_embed.proj.bias"].sources, (Places{3, 2, 1}));
  EXPECT_EQ(found["patch_embed.norm.weight"].sources, (Places{4}));
}

TEST(VitPytorchKeys, LeaveOutATokenOfWhichThereAreNone) {
  for (const auto& shape : {Shape{0, 4}, Shape{1, 0, 4}}) {
    const auto map = map_keys(
        {{"cls_token", shape},
         {"pos_embedding", {9, 4}},
         {"to_patch_embedding.1.weight", {4, 12}},
         {"transformer.layers.0.0.norm.weight", {4}}},
        "file");
    EXPECT_EQ(map.dropped, (Places{0}));
    EXPECT_EQ(by_name(map)["pos_embed"].shape, (Shape{1, 9, 4}));
  }
}

TEST(VitPytorchKeys, OfSimpleVitLackABias) {
  const auto map = map_keys(
      {{"to_patch_embedding.1.weight", {4, 12}},
       {"transformer.layers.0.0.to_out.weight", {4, 8}},
       {"linear_head.weight", {5, 4}}},
      "file");
  EXPECT_EQ(map.layout, "vit-pytorch SimpleViT");
  auto found = by_name(map);
  EXPECT_EQ(found["blocks.0.attn.proj.weight"].derivation, Derivation::Copy);
  EXPECT_EQ(found["blocks.0.attn.proj.bias"].derivation, Derivation::Zeros);
  EXPECT_EQ(found["blocks.0.attn.proj.bias"].shape, (Shape{4}));
}

TEST(VitPytorchKeys, AreRefusedWhereTheyDoNotTellWhatIsMeant) {
  const auto map = [](const std::vector<SourceTensor>& tensors) { map_keys(tensors, "file"); };
  // Versions before 0.7, of which no name tells how attention is scaled.
  const auto early = [&] {
    map({{"patch_to_embedding.weight", {4, 12}}, {"transformer.layers.0.0.fn.norm.weight", {4}}});
  };
  expect_refusal<CheckpointError>(early, "file: ", {"0.7"});
  // Patches of neither three channels nor one.
  const auto channels = [&] {
    map({{"to_patch_embedding.1.weight", {4, 13}}, {"transformer.layers.0.0.norm.weight", {4}}});
  };
  expect_refusal<CheckpointError>(
      channels,
      "file: the shapes of 'to_patch_embedding.1.weight' do not fit ",
      {"for 'patch_embed.proj.weight'"});
}

}  // namespace
}  // namespace vitrine

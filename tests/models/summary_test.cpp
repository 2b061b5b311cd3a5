#include "vitrine/models/summary.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "vitrine/models/registry.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

ModelSummary summary_of(const std::string& name, const ModelOptions& options, const Shape& images) {
  auto model = create_model(name, options);
  return summarize(*model, torch::zeros(images));
}

const ModuleSummary& find(const ModelSummary& summary, const std::string& name) {
  const auto found =
      std::find_if(summary.modules.begin(), summary.modules.end(), [&](const auto& m) {
        return m.name == name;
      });
  if (found == summary.modules.end()) {
    throw std::out_of_range("no module " + name);
  }
  return *found;
}

TEST(Summary, WalksTheLecturesViTFromImageToLogits) {
  auto options = ModelOptions().img_size(256).num_classes(20);
  options.set("embed_dim", int64_t{1024}).set("depth", int64_t{6}).set("num_heads", int64_t{16});
  options.set("head_dim", int64_t{64}).set("mlp_ratio", 2.0);
  const auto walk = summary_of("vit_base_patch32_224", options, {5, 3, 256, 256}).walk;
  ASSERT_EQ(walk.size(), 12U);
  EXPECT_EQ(walk[0].shape, (Shape{5, 3, 256, 256}));
  EXPECT_EQ(walk[1].name, "patch_embed");
  EXPECT_EQ(walk[1].shape, (Shape{5, 64, 1024}));
  EXPECT_EQ(walk[2].name, "class token");
  EXPECT_EQ(walk[2].shape, (Shape{5, 65, 1024}));
  EXPECT_EQ(walk[9].name, "blocks.5");
  EXPECT_EQ(walk[9].shape, (Shape{5, 65, 1024}));
  EXPECT_EQ(walk[10].name, "pool");
  EXPECT_EQ(walk[10].shape, (Shape{5, 1024}));
  EXPECT_EQ(walk[11].name, "logits");
  EXPECT_EQ(walk[11].shape, (Shape{5, 20}));
}

TEST(Summary, CountsTheMultiplyAccumulatesThatTimmPublishes) {
  for (const auto* name :
       {"vit_tiny_patch16_224",
        "deit_tiny_distilled_patch16_224",
        "swin_tiny_patch4_window7_224",
        "swin_s3_tiny_224",
        "swinv2_tiny_window8_256",
        "mobilevit_xxs",
        "mobilevitv2_050"}) {
    const auto card = find_card(name);
    const auto side = card.preprocess.height();
    // Swin V2's MLP of offsets runs once for a batch, of however many images.
    const int64_t batch = std::string(name).rfind("swinv2", 0) == 0 ? 1 : 2;
    const auto summary = summary_of(name, {}, {batch, 3, side, side});
    // Published figures have two digits, and those of Swin V2 count a little beside the products.
    const double tolerance = std::max(0.02, 0.005 * card.gmacs);
    EXPECT_NEAR(static_cast<double>(summary.modules[0].macs) / 1e9, card.gmacs, tolerance) << name;
    EXPECT_EQ(summary.modules[0].parameters, card.parameters) << name;
  }
}

TEST(Summary, ShowsStagesBlocksAttentionAndMergingOfASwin) {
  const auto summary = summary_of("swin_tiny_patch4_window7_224", {}, {1, 3, 224, 224});
  EXPECT_EQ(find(summary, "layers.1").type, "SwinStage");
  EXPECT_EQ(find(summary, "layers.1").output, (Shape{1, 28, 28, 192}));
  EXPECT_EQ(find(summary, "layers.1.downsample").type, "PatchMerging");
  EXPECT_EQ(find(summary, "layers.1.downsample.reduction").output, (Shape{1, 28, 28, 192}));
  EXPECT_EQ(find(summary, "layers.1.blocks.1").type, "SwinBlock");
  EXPECT_EQ(find(summary, "layers.1.blocks.1.attn").type, "WindowAttention");
  EXPECT_EQ(find(summary, "layers.1.blocks.1.attn").output, (Shape{16, 49, 192}));
  // By hand: 784 tokens; qkv and projection 4 * 192^2 each, scores and sums over 49 tokens 2 * 49 *
  // 192.
  EXPECT_EQ(find(summary, "layers.1.blocks.1.attn").macs, 784 * (4 * 192 * 192 + 2 * 49 * 192));
}

TEST(Summary, CountsTheMlpOfOffsetsAndTheNormsOfGroups) {
  const auto swin = summary_of("swinv2_tiny_window8_256", {}, {1, 3, 256, 256});
  // 225 offsets in windows of 8x8, 512 channels inside, three heads.
  EXPECT_EQ(find(swin, "layers.0.blocks.0.attn.cpb_mlp").macs, 225 * (2 * 512 + 512 * 3));
  const auto mobile = summary_of("mobilevitv2_050", {}, {1, 3, 256, 256});
  EXPECT_EQ(find(mobile, "stages.2.1.norm").output, (Shape{1, 64, 4, 256}));
  EXPECT_EQ(find(mobile, "stages.2.1.transformer.0.attn").type, "LinearAttention");
  // One channel of queries, 64 of keys, 64 of values for each of 1024 pixels.
  EXPECT_EQ(find(mobile, "stages.2.1.transformer.0.attn.qkv_proj").macs, 1024 * 64 * 129);
}

TEST(Summary, WalksADistilledViTThroughBothHeads) {
  const auto walk = summary_of("deit_tiny_distilled_patch16_224", {}, {1, 3, 224, 224}).walk;
  EXPECT_EQ(walk[2].name, "prefix tokens");
  EXPECT_EQ(walk[2].shape, (Shape{1, 198, 192}));
  EXPECT_EQ(walk[walk.size() - 3].name, "pool");
  EXPECT_EQ(walk[walk.size() - 2].name, "pool");
  EXPECT_EQ(walk.back().name, "logits");
}

TEST(Summary, LeavesTheModelAsItWas) {
  auto model = create_model("vitrine_vit_patch4_32");
  model->train();
  const auto before = model->parameters()[0].clone();
  summarize(*model, torch::zeros({1, 3, 32, 32}));
  EXPECT_TRUE(model->is_training());
  EXPECT_TRUE(torch::equal(before, model->parameters()[0]));
}

}  // namespace
}  // namespace vitrine

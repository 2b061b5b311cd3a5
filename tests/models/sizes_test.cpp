#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/layers/relative_position.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/load.h"
#include "vitrine/weights/safetensors.h"

#include "small_models.h"
#include "support/reference_fill.h"
#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

/// A model of the zoo, narrowed, with weights of another image size or other windows.
struct SizeCase {
  std::string name;  // in the golden file
  std::string model;
  ModelOptions options;  // of both
  ModelOptions origin;   // of the model that the weights are of
  ModelOptions wanted;
  int64_t rows;
  int64_t columns;
};

ModelOptions swin_options() {
  return ModelOptions()
      .set("embed_dim", int64_t{24})
      .set("depths", std::vector<int64_t>{2, 2})
      .set("num_heads", std::vector<int64_t>{2, 4})
      .num_classes(20);
}

/// What tests/golden/make_sizes_golden.py recorded.
std::vector<SizeCase> size_cases() {
  const auto size = [](int64_t rows, int64_t columns) {
    return ModelOptions().img_size(rows, columns);
  };
  const auto with = [](ModelOptions options, const char* name, OptionValue value) {
    return options.set(name, std::move(value));
  };
  const auto windows = [&](int64_t side, int64_t window) {
    return with(size(side, side), "window_size", window);
  };
  const std::string vit = "test_vit";
  const auto twenty = ModelOptions().num_classes(20);
  const std::string dinov2 = "vit_small_patch14_dinov2";
  const auto narrow =
      with(with(with({}, "depth", int64_t{2}), "embed_dim", int64_t{48}), "num_heads", int64_t{3});
  const auto of_dino =
      with(with(narrow, "interpolate_antialias", false), "interpolate_offset", 0.1);
  const std::string swin = "swin_tiny_patch4_window7_224";
  const std::string swin_v2 = "swinv2_tiny_window8_256";
  const auto of_7 = windows(112, 7);
  const auto of_8 = windows(64, 8);
  const auto narrow_swin = swin_options();
  return {
      {"vit.64x128", vit, twenty, size(160, 160), size(64, 128), 64, 128},
      {"vit.80x320", vit, twenty, size(160, 160), size(80, 320), 80, 320},
      {"dinov2.56x140", dinov2, narrow, size(112, 112), size(56, 140), 56, 140},
      {"dinov2.dino_56x140", dinov2, of_dino, size(112, 112), size(56, 140), 56, 140},
      {"swin.window8", swin, narrow_swin, of_7, windows(128, 8), 128, 128},
      {"swin.window12", swin, narrow_swin, of_7, windows(192, 12), 192, 192},
      {"swin.image128", swin, narrow_swin, of_7, windows(128, 7), 128, 128},
      {"swin.image40x96",
       swin,
       narrow_swin,
       of_7,
       with(size(40, 96), "window_size", int64_t{7}),
       40,
       96},
      {"swinv2.image96", swin_v2, narrow_swin, of_8, windows(96, 8), 96, 96},
      {"swinv2.window12", swin_v2, narrow_swin, of_8, windows(96, 12), 96, 96},
      {"swinv2.pretrained8",
       swin_v2,
       with(narrow_swin, "pretrained_window_sizes", int64_t{8}),
       of_8,
       windows(96, 12),
       96,
       96}};
}

ModelOptions merged(ModelOptions options, const ModelOptions& over) {
  for (const auto& [name, value] : over.values()) {
    options.set(name, value);
  }
  return options;
}

TEST(Sizes, GiveTimmsLogits) {
  const torch::NoGradGuard no_grad;
  const auto golden = read_safetensors(VITRINE_TEST_DATA "/golden/sizes.safetensors").tensors;
  for (const auto& test : size_cases()) {
    SCOPED_TRACE(test.name);
    const auto origin = create_model(test.model, merged(test.options, test.origin));
    reference_fill(*origin);
    const auto model = create_model(test.model, merged(test.options, test.wanted));
    StateDict tensors;
    for (const auto& item : state_dict(*origin)) {
      tensors.insert(item.key(), item.value());
    }
    load_state_dict(*model, tensors, LoadOptions().origin(origin->model_options()));
    model->eval();
    const auto size = std::to_string(test.rows) + "x" + std::to_string(test.columns);
    const auto images = reference_tensor("image " + size, {2, 3, test.rows, test.columns});
    EXPECT_TENSOR_NEAR(model->forward(images), golden[test.name], 1e-4);
  }
}

TEST(Sizes, OfDinosRuleAreTheSameOnTheWay) {
  const torch::NoGradGuard no_grad;
  auto options = small_vit_options().interpolate_antialias(false).interpolate_offset(0.1);
  VisionTransformer loaded(VisionTransformerOptions(options).img_size({48, 24}));
  VisionTransformer dynamic(options.dynamic_img_size(true));
  StateDict tensors;
  for (const auto& item : state_dict(*dynamic)) {
    tensors.insert(item.key(), item.value());
  }
  load_state_dict(*loaded, tensors);
  dynamic->eval();
  loaded->eval();
  const auto images = torch::randn({2, 3, 48, 24});
  EXPECT_TENSOR_NEAR(dynamic->forward(images), loaded->forward(images), 1e-6);
}

TEST(Sizes, OfWindowsComeFromTheOriginOrASquare) {
  // A map of 4x8 tokens: windows of 4x7 with a table of 7 * 13.
  SwinTransformer narrow(small_swin_options().img_size({16, 32}).window_size(7));
  SwinTransformer square(small_swin_options().window_size(5));
  const std::string key = "layers.0.blocks.1.attn.relative_position_bias_table";
  const auto table = torch::randn({91, 1});
  EXPECT_TRUE(narrow->depends_on_size(key));
  EXPECT_TRUE(narrow->adapt_weight(key, table, nullptr).is_same(table));
  const auto options = narrow->model_options();
  EXPECT_TRUE(narrow->adapt_weight(key, table, &options).is_same(table));
  EXPECT_TENSOR_NEAR(
      square->adapt_weight(key, table, &options), resize_bias_table(table, {4, 7}, {5, 5}), 0);
  // Without an origin the window was square, or the table fits none.
  EXPECT_TRUE(square->adapt_weight(key, table, nullptr).is_same(table));
  const auto of_3x3 = torch::randn({25, 1});
  EXPECT_TENSOR_NEAR(
      narrow->adapt_weight(key, of_3x3, nullptr), resize_bias_table(of_3x3, {3, 3}, {4, 7}), 0);
  const std::string other = "layers.0.blocks.1.attn.qkv.weight";
  EXPECT_FALSE(narrow->depends_on_size(other));
  EXPECT_TRUE(narrow->adapt_weight(other, of_3x3, nullptr).is_same(of_3x3));
  EXPECT_FALSE(narrow->depends_on_size("layers.7.blocks.1.attn.relative_position_bias_table"));
}

TEST(Sizes, ThatAreImpossibleAreToldWithoutBuilding) {
  EXPECT_VALUE_ERROR(
      check_image_size("vit_giant_patch14_dinov2", ModelOptions().img_size(520)),
      "image size 520x520 is no multiple of the patch, 14; the nearest: 518x518 and 532x532");
  EXPECT_VALUE_ERROR(
      check_image_size("swin_tiny_patch4_window7_224", ModelOptions().img_size(2)), "4x4");
  EXPECT_NO_THROW(check_image_size("swin_tiny_patch4_window7_224", ModelOptions().img_size(36)));
  EXPECT_NO_THROW(check_image_size("mobilevit_xxs", {}));
}

}  // namespace
}  // namespace vitrine

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "vitrine/models/registry.h"
#include "vitrine/weights/safetensors.h"

#include "support/reference_fill.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

struct Case {
  std::string name;  // in the golden file
  std::string model;
  ModelOptions options;
  int64_t rows;
  int64_t columns;
};

Case native(const std::string& name) {
  const auto size = find_card(name).preprocess;
  return {name, name, {}, size.height(), size.width()};
}

/// What tests/golden/make_model_golden.py recorded.
std::vector<Case> cases() {
  std::vector<Case> result;
  for (const auto* name :
       {"vit_tiny_patch16_224",
        "vit_small_patch16_224",
        "vit_base_patch16_224",
        "vit_base_patch32_224",
        "vit_base_patch16_384",
        "test_vit",
        "swin_tiny_patch4_window7_224",
        "swin_small_patch4_window7_224",
        "swin_base_patch4_window7_224",
        "swin_base_patch4_window12_384",
        "mobilevit_xxs",
        "mobilevit_xs",
        "mobilevit_s",
        "deit_tiny_distilled_patch16_224",
        "deit3_small_patch16_224",
        "vit_small_patch8_224",
        "swin_s3_tiny_224",
        "swinv2_tiny_window8_256",
        "swinv2_base_window12to16_192to256",
        "mobilevitv2_050",
        "mobilevitv2_100"}) {
    result.push_back(native(name));
  }
  const auto option = [](const char* name, OptionValue value) {
    return ModelOptions().set(name, std::move(value));
  };
  const auto dynamic = option("dynamic_img_size", true);
  const auto avg = option("global_pool", std::string("avg"));
  result.push_back({"vit.dynamic_160", "vit_tiny_patch16_224", dynamic, 160, 160});
  result.push_back({"vit.dynamic_384", "vit_tiny_patch16_224", dynamic, 384, 384});
  result.push_back({"vit.dynamic_224x320", "vit_tiny_patch16_224", dynamic, 224, 320});
  result.push_back({"vit.avg", "test_vit", avg, 160, 160});
  result.push_back(
      {"vit.mean_all", "test_vit", option("global_pool", std::string("mean_all")), 160, 160});
  result.push_back(
      {"vit.no_class_token", "test_vit", ModelOptions(avg).set("class_token", false), 160, 160});
  result.push_back({"vit.no_qkv_bias", "test_vit", option("qkv_bias", false), 160, 160});
  const std::string swin = "swin_tiny_patch4_window7_224";
  result.push_back({"swin.uneven", swin, ModelOptions().img_size(200), 200, 200});
  result.push_back({"swin.rectangular", swin, ModelOptions().img_size(96, 224), 96, 224});
  result.push_back({"mobilevit.uneven", "mobilevit_xxs", {}, 200, 136});
  result.push_back({"mobilevitv2.uneven", "mobilevitv2_050", {}, 200, 136});

  const auto at_98 = ModelOptions().img_size(98);
  const std::string reg4 = "vit_small_patch14_reg4_dinov2";
  result.push_back({"dinov2", "vit_small_patch14_dinov2", at_98, 98, 98});
  result.push_back({"dinov2.reg4", reg4, at_98, 98, 98});
  result.push_back(
      {"dinov2.reg4_dynamic", reg4, ModelOptions(at_98).set("dynamic_img_size", true), 70, 112});
  result.push_back(
      {"dinov2.reg4_avg",
       reg4,
       ModelOptions(at_98).set("global_pool", "avg").num_classes(100),
       98,
       98});
  const auto narrow = ModelOptions()
                          .img_size(70)
                          .set("depth", int64_t{3})
                          .set("embed_dim", int64_t{96})
                          .set("num_heads", int64_t{4});
  result.push_back({"dinov2.swiglu", "vit_giant_patch14_dinov2", narrow, 70, 70});
  result.push_back(
      {"deit.distilled_dynamic", "deit_tiny_distilled_patch16_224", dynamic, 160, 192});
  result.push_back({"simple_vit", "simple_vit_small_patch16_224", {}, 224, 224});
  const std::string swinv2 = "swinv2_tiny_window8_256";
  result.push_back({"swinv2.uneven", swinv2, ModelOptions().img_size(200), 200, 200});
  result.push_back({"swinv2.rectangular", swinv2, ModelOptions().img_size(96, 224), 96, 224});
  const std::vector<int64_t> windows = {4, 5, 6, 7};
  result.push_back(
      {"swin.windows", swin, ModelOptions().img_size(160).set("window_size", windows), 160, 160});
  return result;
}

class Golden : public testing::TestWithParam<Case> {};

TEST_P(Golden, GivesTimmsLogits) {
  const auto& test = GetParam();
  const torch::NoGradGuard no_grad;
  const auto golden = read_safetensors(VITRINE_TEST_DATA "/golden/models.safetensors").tensors;
  auto model = create_model(test.model, test.options);
  reference_fill(*model);
  model->eval();
  const auto size = std::to_string(test.rows) + "x" + std::to_string(test.columns);
  const auto images = reference_tensor("image " + size, {2, 3, test.rows, test.columns});
  const auto logits = model->forward(images);
  EXPECT_TENSOR_NEAR(logits.slice(1, 0, {}, 8), golden[test.name], 1e-4);
  // An image's answer does not depend on the images beside it.
  EXPECT_TENSOR_NEAR(model->forward(images.slice(0, 1)), logits.slice(0, 1), 1e-4);
}

std::string test_name(const testing::TestParamInfo<Case>& test) {
  auto name = test.param.name;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, Golden, testing::ValuesIn(cases()), test_name);

}  // namespace
}  // namespace vitrine

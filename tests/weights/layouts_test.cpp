#include <torch/utils.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/models/registry.h"
#include "vitrine/weights/load.h"
#include "vitrine/weights/safetensors.h"

#include "support/reference_fill.h"
#include "support/tensor_assert.h"

// Checkpoints that other libraries wrote (tests/golden/make_layout_golden.py) give their logits.

namespace vitrine {
namespace {

void expect_logits(const std::string& file, const std::string& name, ModelOptions options) {
  SCOPED_TRACE(file);
  const torch::NoGradGuard no_grad;
  const auto model = create_model(name, options.img_size(32).num_classes(5));
  load_weights(*model, kLayouts + file + ".pth");
  model->eval();
  const auto expected = read_safetensors(kLayouts + "logits.safetensors").tensors[file];
  EXPECT_TENSOR_NEAR((*model)(reference_tensor("image 32x32", {2, 3, 32, 32})), expected, 1e-5);
}

TEST(Layouts, OfTorchvisionAndHuggingFaceGiveTheirLogits) {
  const auto vit = ModelOptions()
                       .set("patch_size", int64_t{8})
                       .set("embed_dim", int64_t{16})
                       .set("depth", int64_t{2})
                       .set("num_heads", int64_t{2});
  expect_logits("torchvision_vit", "vit_tiny_patch16_224", vit);
  expect_logits("huggingface_vit", "vit_tiny_patch16_224", vit);
  expect_logits(
      "torchvision_swin_v2",
      "swinv2_tiny_window8_256",
      ModelOptions()
          .set("embed_dim", int64_t{8})
          .set("depths", std::vector<int64_t>{2, 2})
          .set("num_heads", std::vector<int64_t>{1, 2})
          .set("window_size", int64_t{4}));
}

TEST(Layouts, AreFoundByTheKeyOfTheirDict) {
  const auto model = create_model("vit_tiny_patch16_224");
  try {
    load_weights(
        *model, kLayouts + "torchvision_vit.pth", LoadOptions().checkpoint_key("model_ema"));
    ADD_FAILURE() << "there is no such dict";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("model_ema"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace vitrine

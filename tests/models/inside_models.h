#pragma once

#include <memory>
#include <string>

#include "vitrine/models/registry.h"

#include "support/reference_fill.h"

namespace vitrine {

/// The model that tests/golden/make_inside_golden.py calls `name`, filled alike, in evaluation.
inline std::shared_ptr<Classifier> inside_model(const std::string& name) {
  const auto classes = ModelOptions().num_classes(5);
  auto vit = ModelOptions(classes)
                 .img_size(32)
                 .set("patch_size", int64_t{8})
                 .set("embed_dim", int64_t{16})
                 .set("depth", int64_t{3})
                 .set("num_heads", int64_t{2});
  const auto swin = ModelOptions(classes)
                        .img_size(32)
                        .set("embed_dim", int64_t{8})
                        .set("depths", std::vector<int64_t>{2, 2})
                        .set("num_heads", std::vector<int64_t>{1, 2})
                        .set("window_size", int64_t{4});
  const auto build = [&]() -> std::shared_ptr<Classifier> {
    if (name == "vit_avg") {
      return create_model("vit_tiny_patch16_224", vit.set("global_pool", std::string("avg")));
    }
    if (name == "vit_dynamic") {
      return create_model("vit_tiny_patch16_224", vit.img_size(24).set("dynamic_img_size", true));
    }
    if (name == "deit") {
      return create_model("deit_tiny_distilled_patch16_224", vit);
    }
    if (name == "registers") {
      return create_model("vit_small_patch14_reg4_dinov2", vit);
    }
    if (name == "registers_headless") {
      return create_model("vit_small_patch14_reg4_dinov2", vit.num_classes(0));
    }
    if (name == "swin") {
      return create_model("swin_tiny_patch4_window7_224", swin);
    }
    if (name == "swin_v2") {
      return create_model("swinv2_tiny_window8_256", swin);
    }
    if (name == "mobilevit") {
      return create_model("mobilevit_xxs", classes);
    }
    if (name == "mobilevit_v2") {
      return create_model("mobilevitv2_050", classes);
    }
    return create_model("vit_tiny_patch16_224", vit);
  };
  auto model = build();
  reference_fill(*model);
  model->eval();
  return model;
}

/// The image that goes with it.
inline torch::Tensor inside_image() {
  return reference_tensor("image 32x32", {1, 3, 32, 32});
}

/// Those of a tensor's values that the generator records.
inline torch::Tensor thinned(const torch::Tensor& tensor) {
  const auto step = std::max<int64_t>(1, tensor.numel() / 400);
  return tensor.flatten().slice(0, 0, {}, step);
}

}  // namespace vitrine

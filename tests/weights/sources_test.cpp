#include <torch/utils.h>

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

#include "support/reference_fill.h"
#include "support/refusal.h"
#include "support/temporary_folder.h"
#include "support/tensor_assert.h"

// Files with the names of other libraries (tests/golden/make_source_golden.py) answer as they do
// there.

namespace vitrine {
namespace {

/// A shape written as 2x3, or as - where there are no dimensions.
std::vector<int64_t> parse_shape(const std::string& text) {
  std::vector<int64_t> shape;
  std::istringstream sizes(text == "-" ? "" : text);
  for (std::string size; std::getline(sizes, size, 'x');) {
    shape.push_back(std::stoll(size));
  }
  return shape;
}

torch::Tensor value(const std::string& key, const std::vector<int64_t>& shape) {
  const auto is = [&](const char* name) { return key.find(name) != std::string::npos; };
  return is("num_batches_tracked") || is("relative_position_index")
             ? torch::zeros(shape, torch::kLong)
             : reference_value(key, shape);
}

/// The state dict of each model, as its library has it.
std::map<std::string, StateDict> read_sources() {
  std::map<std::string, StateDict> sources;
  std::ifstream file(kLayouts + "sources.txt");
  std::string key;
  std::string rest;
  StateDict* tensors = nullptr;
  while (file >> key >> rest) {
    if (key == "model") {
      tensors = &sources[rest];
    } else {
      tensors->insert(key, value(key, parse_shape(rest)));
    }
  }
  return sources;
}

ModelOptions vit() {
  return ModelOptions()
      .img_size(32)
      .set("patch_size", int64_t{8})
      .set("embed_dim", int64_t{16})
      .set("depth", int64_t{2})
      .set("num_heads", int64_t{2});
}

ModelOptions swin() {
  return ModelOptions()
      .img_size(32)
      .set("embed_dim", int64_t{8})
      .set("depths", std::vector<int64_t>{2, 2})
      .set("num_heads", std::vector<int64_t>{1, 2})
      .set("window_size", int64_t{4});
}

struct Model {
  std::string name;
  ModelOptions options;
};

/// vitrine's model for each of the sources, smaller; what the tensors tell is left out.
std::map<std::string, Model> models() {
  const auto with_registers = [] { return vit().set("reg_tokens", int64_t{2}); };
  const auto gated = [] { return vit().set("mlp_ratio", 6.0); };
  const auto mean = [] { return vit().set("global_pool", "mean_all"); };
  return {
      {"huggingface_deit", {"deit_tiny_patch16_224", vit()}},
      {"huggingface_deit_distilled", {"deit_tiny_distilled_patch16_224", vit()}},
      {"huggingface_dinov2_registers", {"vit_small_patch14_reg4_dinov2", with_registers()}},
      {"huggingface_dinov2_classifier", {"vit_small_patch14_dinov2", vit()}},
      {"huggingface_dinov2_registers_classifier",
       {"vit_small_patch14_reg4_dinov2", with_registers()}},
      {"huggingface_dinov2_swiglu", {"vit_giant_patch14_dinov2", gated()}},
      {"huggingface_dinov2_swiglu_in_memory", {"vit_giant_patch14_dinov2", gated()}},
      {"microsoft_swin", {"swin_tiny_patch4_window7_224", swin()}},
      {"microsoft_swin_v2", {"swinv2_tiny_window8_256", swin()}},
      {"dino_student", {"vit_small_patch16_224.dino", vit()}},
      {"dinov2_teacher", {"vit_small_patch14_reg4_dinov2", with_registers()}},
      {"dinov2_swiglu", {"vit_giant_patch14_dinov2", gated()}},
      {"deit3", {"deit3_small_patch16_224", vit()}},
      {"cvnets_mobilevit", {"mobilevit_xxs", {}}},
      {"cvnets_mobilevit_v2", {"mobilevitv2_050", {}}},
      {"vit_pytorch_0.7", {"vit_tiny_patch16_224", vit()}},
      {"vit_pytorch_0.40_mean", {"vit_tiny_patch16_224", mean()}},
      {"vit_pytorch_1.2", {"vit_tiny_patch16_224", vit()}},
      {"vit_pytorch_1.16_mean", {"vit_tiny_patch16_224", vit()}},
      {"vit_pytorch_1.26", {"vit_tiny_patch16_224", vit().set("head_dim", int64_t{4})}},
      {"simple_vit_0.40", {"simple_vit_small_patch16_224", vit()}},
      {"simple_vit_1.26", {"simple_vit_small_patch16_224", vit()}}};
}

/// The model of a file with these tensors.
std::shared_ptr<Classifier> open(const std::string& source, const StateDict& tensors) {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  write_safetensors(path, tensors);
  const auto wanted = models();
  ModelFileOptions options;
  options.architecture = wanted.at(source).name;
  options.options = wanted.at(source).options;
  return load_model(path, options).model;
}

TEST(Sources, GiveTheirAnswers) {
  const torch::NoGradGuard no_grad;
  const auto answers = read_safetensors(kLayouts + "sources.safetensors").tensors;
  const auto sources = read_sources();
  EXPECT_EQ(sources.size(), models().size());
  for (const auto& [source, tensors] : sources) {
    SCOPED_TRACE(source);
    const auto model = open(source, tensors);
    const int64_t side = source.compare(0, 6, "cvnets") == 0 ? 64 : 32;
    const auto text = std::to_string(side);
    const auto images = reference_tensor("image " + text + "x" + text, {2, 3, side, side});
    EXPECT_TENSOR_NEAR((*model)(images), answers[source], 1e-5);
  }
}

TEST(Sources, AreAddedUpInAWiderTypeThanHalfPrecision) {
  StateDict halves;
  StateDict same;
  const auto tensors = read_sources().at("vit_pytorch_1.26");
  for (const auto& item : tensors) {
    halves.insert(item.key(), item.value().to(torch::kHalf));
    same.insert(item.key(), halves[item.key()].to(torch::kFloat));
  }
  const auto expected = open("vit_pytorch_1.26", same);
  const auto model = open("vit_pytorch_1.26", halves);
  const auto wanted = state_dict(*expected);
  const auto found = state_dict(*model);
  for (const auto& item : found) {
    EXPECT_TRUE(torch::equal(item.value(), wanted[item.key()])) << item.key();
  }
}

TEST(Sources, AreRefusedWhereTheirSumsAreInfinite) {
  auto tensors = read_sources().at("vit_pytorch_1.26");
  tensors["to_patch_embedding.1.weight"].fill_(3e38);
  tensors["to_patch_embedding.2.weight"].fill_(3e38);
  const auto refuse = [](const std::string& source, const StateDict& wild) {
    expect_refusal<CheckpointError>(
        [&] { open(source, wild); }, "", {"/model.safetensors: NaN or infinity in tensor '"});
  };
  refuse("vit_pytorch_1.26", tensors);
  auto teacher = read_sources().at("dinov2_teacher");
  teacher["backbone.cls_token"].fill_(3e38);
  teacher["backbone.pos_embed"].fill_(3e38);
  refuse("dinov2_teacher", teacher);
}

}  // namespace
}  // namespace vitrine

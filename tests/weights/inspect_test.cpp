#include "vitrine/weights/inspect.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"

#include "support/temporary_folder.h"

namespace vitrine {
namespace {

const std::string kLayouts = VITRINE_TEST_DATA "/golden/layouts/";

const InspectedTensor& find(const Inspection& found, const std::string& name) {
  for (const auto& tensor : found.tensors) {
    if (tensor.name == name) {
      return tensor;
    }
  }
  throw std::out_of_range("no tensor " + name);
}

TEST(Inspect, TellsAVitrineFile) {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  const auto model = create_model("vitrine_vit_patch4_32");
  save_model(path, *model, find_card("vitrine_vit_patch4_32"));
  const auto found = inspect_checkpoint(path);
  EXPECT_EQ(found.kind, "safetensors");
  EXPECT_EQ(found.layout, "timm");
  EXPECT_EQ(found.architecture, "vitrine_vit_patch4_32");
  EXPECT_EQ(found.told_by, "its card");
  EXPECT_EQ(found.problem, "");
  EXPECT_EQ(found.metadata.at("format"), "pt");
  EXPECT_EQ(found.metadata.count("vitrine"), 1U);
  EXPECT_EQ(found.tensors.size(), state_dict(*model).size());
  const auto& weight = find(found, "blocks.0.attn.qkv.weight");
  EXPECT_EQ(weight.shape, (std::vector<std::int64_t>{192, 64}));
  EXPECT_EQ(weight.dtype, "F32");
  EXPECT_EQ(weight.bytes, 4U * 192 * 64);
  EXPECT_EQ(weight.timm_names, std::vector<std::string>{weight.name});
}

TEST(Inspect, TellsATrainingCheckpoint) {
  const auto found = inspect_checkpoint(kLayouts + "torchvision_swin_v2.pth");
  EXPECT_EQ(found.kind, "PyTorch zip");
  EXPECT_EQ(found.layout, "torchvision Swin V2");
  EXPECT_EQ(
      find(found, "features.1.0.attn.qkv.bias").timm_names,
      (std::vector<std::string>{"layers.0.blocks.0.attn.q_bias", "layers.0.blocks.0.attn.v_bias"}));
  EXPECT_FALSE(find(found, "features.1.0.attn.relative_position_index").needed);
  EXPECT_EQ(found.architecture, "");  // it is of no size that the zoo has
  EXPECT_NE(
      found.problem.find("fit no model of the zoo and do not tell window_size and img_size"),
      std::string::npos)
      << found.problem;
}

TEST(Inspect, SaysWhatTellsTheModel) {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  write_safetensors(path, state_dict(*create_model("vitrine_vit_patch4_32")));
  EXPECT_EQ(inspect_checkpoint(path).told_by, "its tensors");
  write_safetensors(
      path,
      state_dict(*create_model("vit_tiny_patch16_224", ModelOptions().set("depth", int64_t{2}))));
  const auto inferred = inspect_checkpoint(path);
  EXPECT_EQ(inferred.architecture, "vit_tiny_patch16_224");
  EXPECT_EQ(inferred.options, "depth=2");
  EXPECT_EQ(inferred.told_by, "its tensors, with heads taken to be 64 wide");
  std::ofstream(folder / "config.json") << R"({"architecture": "vit_tiny_patch16_224"})";
  const auto found = inspect_checkpoint(path);
  EXPECT_EQ(found.architecture, "vit_tiny_patch16_224");
  EXPECT_EQ(found.told_by, "config.json beside it");
}

TEST(Inspect, RefusesWhatIsNoCheckpoint) {
  EXPECT_THROW(inspect_checkpoint(kLayouts), FileError);
  EXPECT_THROW(inspect_checkpoint(VITRINE_TEST_DATA "/golden/train.json"), CheckpointError);
}

}  // namespace
}  // namespace vitrine

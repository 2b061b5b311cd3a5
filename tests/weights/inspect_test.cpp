#include "vitrine/weights/inspect.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"

#include "pth_assembler.h"
#include "support/reference_fill.h"
#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

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
  const std::string json = VITRINE_TEST_DATA "/golden/train.json";
  expect_refusal(
      [] { inspect_checkpoint(kLayouts); },
      kLayouts + ": ",
      {"is a folder with no model.safetensors"});
  expect_refusal<CheckpointError>(
      [&] { inspect_checkpoint(json); }, json + ": ", {"is a JSON text"});
}

TEST(Inspect, RefusesFarMoreNamesThanAModelHas) {
  const TemporaryFolder folder;
  const auto path = folder / "m.pth";
  auto object = pickle::vector("0", 1) + pickle::put(0) + "0}(";
  for (int i = 0; i < 65'536; ++i) {
    object += pickle::text(std::to_string(i)) + pickle::get(0);
  }
  const auto bytes = torch_zip(object + "u", {{"0", "abcd"}});
  ASSERT_LT(bytes.size(), 1U << 20);
  std::ofstream(path, std::ios::binary) << bytes;
  expect_refusal<CheckpointError>(
      [&] { inspect_checkpoint(path); }, path + ": ", {"has 65536 tensors, too many"});
}

}  // namespace
}  // namespace vitrine

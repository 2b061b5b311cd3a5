#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/file.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/load.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

#include "pth_assembler.h"
#include "support/cost.h"
#include "support/temporary_folder.h"
#include "weights/hugging_face.h"

// Whatever the file, loading holds no more than the model, one tensor and 64 MB.

namespace vitrine {
namespace {

constexpr std::int64_t kBeside = 64 << 20;
const std::string kName = "vit_tiny_patch16_224";

/// 190 MB in float32, no tensor of which has more than 13 MB.
ModelOptions large_options() {
  return ModelOptions()
      .img_size(32)
      .num_classes(10)
      .set("embed_dim", int64_t{1024})
      .set("depth", int64_t{10})
      .set("num_heads", int64_t{8})
      .set("mlp_ratio", 0.25);
}

enum class Form { Safetensors, HuggingFace, Zip, Legacy };

struct Case {
  std::string name;
  Form form;
  torch::ScalarType type;
};

std::vector<std::int64_t> strides_of(const torch::Tensor& tensor) {
  return tensor.strides().vec();
}

/// What torch.save writes of `tensors`.
std::string pth_bytes(const StateDict& tensors, bool zip) {
  using pickle::dict;
  using pickle::legacy_storage;
  using pickle::little;
  using pickle::numbers;
  using pickle::storage;
  using pickle::tensor;
  using pickle::text;
  std::vector<std::string> items;
  std::vector<std::string> keys;
  std::vector<std::pair<std::string, std::string>> storages;
  std::string data;
  for (const auto& item : tensors) {
    const auto& value = item.value();
    const std::string kind = value.scalar_type() == torch::kHalf ? "HalfStorage" : "FloatStorage";
    const auto key = std::to_string(keys.size());
    const auto numel = value.numel();
    const auto held = zip ? storage(kind, key, numel) : legacy_storage(kind, key, numel, "N");
    items.push_back(text(item.key()));
    items.push_back(tensor(held, 0, numbers(value.sizes().vec()), numbers(strides_of(value))));
    const std::string bytes(static_cast<const char*>(value.const_data_ptr()), value.nbytes());
    keys.push_back(key);
    if (zip) {
      storages.emplace_back(key, bytes);
    } else {
      data += little(static_cast<std::uint64_t>(numel), 8) + bytes;
    }
  }
  return zip ? torch_zip(dict(items), storages) : legacy_stream(dict(items), keys, data);
}

/// The state dict of a model whose tensors are all ones, as `test` has it.
StateDict tensors_of(const Case& test) {
  const torch::NoGradGuard no_grad;
  const auto model = create_model(kName, large_options());
  for (auto& parameter : model->parameters()) {
    parameter.fill_(1);
  }
  const auto own = test.form == Form::HuggingFace
                       ? detail::to_hugging_face(*model, find_card(kName)).tensors
                       : state_dict(*model);
  StateDict tensors;
  for (const auto& item : own) {
    tensors.insert(item.key(), item.value().detach().to(test.type).contiguous());
  }
  return tensors;
}

void write(const std::string& path, const Case& test) {
  const auto tensors = tensors_of(test);
  if (test.form == Form::Safetensors || test.form == Form::HuggingFace) {
    write_safetensors(path, tensors);
    return;
  }
  const auto bytes = pth_bytes(tensors, test.form == Form::Zip);
  write_file_atomically(path, [&](File& file) { file.write(bytes); });
}

std::int64_t bytes_of(const Classifier& model) {
  std::int64_t sum = 0;
  for (const auto& parameter : model.parameters()) {
    sum += static_cast<std::int64_t>(parameter.nbytes());
  }
  return sum;
}

std::int64_t largest_of(const Classifier& model) {
  std::int64_t most = 0;
  for (const auto& parameter : model.parameters()) {
    most = std::max(most, static_cast<std::int64_t>(parameter.nbytes()));
  }
  return most;
}

class LoadMemory : public testing::TestWithParam<Case> {};

TEST_P(LoadMemory, IsThatOfTheModelAndOneTensor) {
  const TemporaryFolder folder;
  const auto path = folder / "m";
  write(path, GetParam());
  const auto model = create_model(kName, large_options());
  const auto one = [](const Classifier& of) {
    const auto parameters = of.parameters();
    return std::all_of(parameters.begin(), parameters.end(), [](const auto& parameter) {
      return (parameter == 1).all().template item<bool>();
    });
  };
  const auto weights = measure([&] { load_weights(*model, path); });
  EXPECT_TRUE(one(*model));
  ModelFileOptions options;
  options.architecture = kName;
  options.options = large_options();
  std::shared_ptr<Classifier> loaded;
  const auto whole = measure([&] { loaded = load_model(path, options).model; });
  EXPECT_TRUE(one(*loaded));
  if (!kSanitized) {
    EXPECT_LT(weights.peak_bytes, largest_of(*model) + kBeside);
    EXPECT_LT(whole.peak_bytes, bytes_of(*model) + largest_of(*model) + kBeside);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files,
    LoadMemory,
    testing::Values(
        Case{"safetensors_float32", Form::Safetensors, torch::kFloat},
        Case{"safetensors_float16", Form::Safetensors, torch::kHalf},
        Case{"hugging_face_float32", Form::HuggingFace, torch::kFloat},
        Case{"hugging_face_float16", Form::HuggingFace, torch::kHalf},
        Case{"zip_float32", Form::Zip, torch::kFloat},
        Case{"zip_float16", Form::Zip, torch::kHalf},
        Case{"legacy_float32", Form::Legacy, torch::kFloat},
        Case{"legacy_float16", Form::Legacy, torch::kHalf}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace vitrine

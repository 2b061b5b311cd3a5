#include "vitrine/weights/load.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/weights/safetensors.h"

#include "hostile_file.h"
#include "pth_assembler.h"
#include "same_weights.h"
#include "support/cost.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

/// Two features, a norm, positions that can be resampled, a table that is derived, and a head.
class SmallClassifier final : public Classifier {
 public:
  explicit SmallClassifier(int64_t classes = 3, int64_t positions = 4) {
    norm = register_module("norm", torch::nn::BatchNorm1d(2));
    pos_embed = register_parameter("pos_embed", torch::randn({1, positions, 2}));
    register_buffer("relative_position_index", torch::zeros({4}, torch::kLong));
    reset_classifier(classes);
  }

  torch::Tensor forward_features(const torch::Tensor& images) override { return images; }
  torch::Tensor forward_head(const torch::Tensor& features, bool /*pre_logits*/) override {
    return features;
  }
  void reset_classifier(int64_t classes) override {
    classes_ = classes;
    if (classes > 0) {
      head = register_module("head", torch::nn::Linear(2, classes));
    }
  }
  int64_t num_classes() const override { return classes_; }
  int64_t num_features() const override { return 2; }
  int64_t in_chans() const override { return 3; }
  std::vector<std::string> classifier_names() const override { return {"head"}; }
  ModelOptions model_options() const override { return ModelOptions().num_classes(classes_); }
  torch::Tensor adapt_weight(
      const std::string& key,
      const torch::Tensor& value,
      const ModelOptions* /*origin*/) const override {
    while_adapting();
    return key == "pos_embed" ? value.mean(1, /*keepdim=*/true).expand_as(pos_embed) : value;
  }

  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Linear head{nullptr};
  torch::Tensor pos_embed;
  std::function<void()> while_adapting = [] {};

 private:
  int64_t classes_ = 0;
};

/// Tensors that fit a SmallClassifier, each with a value of its own.
StateDict fitting(const SmallClassifier& model) {
  StateDict tensors;
  double value = 1;
  for (const auto& item : state_dict(model)) {
    tensors.insert(item.key(), torch::full_like(item.value(), value++).detach());
  }
  return tensors;
}

/// `tensors` with `name` set to `value`.
StateDict with(const StateDict& tensors, const std::string& name, const torch::Tensor& value) {
  StateDict result;
  for (const auto& item : tensors) {
    if (item.key() != name) {
      result.insert(item.key(), item.value());
    }
  }
  if (value.defined()) {
    result.insert(name, value);
  }
  return result;
}

StateDict without(const StateDict& tensors, const std::string& name) {
  return with(tensors, name, {});
}

StateDict copies(const Classifier& model) {
  StateDict result;
  for (const auto& item : state_dict(model)) {
    result.insert(item.key(), item.value().detach().clone());
  }
  return result;
}

/// Loads by both ways, from memory and from a file.
class Load : public testing::TestWithParam<bool> {
 protected:
  LoadReport load(Classifier& model, const StateDict& tensors, const LoadOptions& options = {}) {
    if (!GetParam()) {
      return load_state_dict(model, tensors, options);
    }
    write_safetensors(path_, tensors);
    return load_weights(model, path_, options);
  }

  /// Expects that `tensors` are refused, the model staying as it was; gives the message.
  std::string refusal(
      SmallClassifier& model, const StateDict& tensors, const LoadOptions& options = {}) {
    const auto before = copies(model);
    auto message = message_of(model, tensors, options);
    expect_same_weights(copies(model), before);
    return message;
  }

  /// Expects that `tensors` are refused; gives the message.
  std::string message_of(
      SmallClassifier& model, const StateDict& tensors, const LoadOptions& options = {}) {
    std::string message;
    try {
      load(model, tensors, options);
      ADD_FAILURE() << "not refused";
    } catch (const CheckpointError& error) {
      message = error.what();
    }
    const auto subject = (GetParam() ? path_ : "the state dict") + ": ";
    EXPECT_EQ(message.substr(0, subject.size()), subject);
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message.substr(std::min(subject.size(), message.size()));
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "m.safetensors";
};

std::string way(const testing::TestParamInfo<bool>& from_file) {
  return from_file.param ? "File" : "Memory";
}

INSTANTIATE_TEST_SUITE_P(FromMemoryAndFile, Load, testing::Bool(), way);

TEST_P(Load, CopiesEveryTensor) {
  SmallClassifier model;
  const auto tensors = fitting(model);
  const auto report = load(model, tensors);
  expect_same_weights(copies(model), tensors);
  EXPECT_TRUE(report.resampled.empty());
  EXPECT_TRUE(report.reset.empty());
  EXPECT_TRUE(model.head->weight.requires_grad());
}

TEST_P(Load, ConvertsAmongFloatingPointTypes) {
  SmallClassifier model;
  const auto tensors = fitting(model);
  for (const auto type : {torch::kHalf, torch::kBFloat16, torch::kDouble}) {
    auto other = tensors;
    for (const auto& item : tensors) {
      other = with(
          other,
          item.key(),
          item.value().is_floating_point() ? item.value().to(type) : item.value().to(torch::kInt));
    }
    SmallClassifier fresh;
    load(fresh, other);
    expect_same_weights(copies(fresh), tensors);
    EXPECT_EQ(fresh.head->weight.scalar_type(), torch::kFloat);
  }
}

TEST_P(Load, RefusesIntegersForFloats) {
  SmallClassifier model;
  const auto tensors = fitting(model);
  EXPECT_EQ(
      refusal(model, with(tensors, "norm.weight", torch::ones({2}, torch::kLong))),
      "does not fit the model; misshapen 'norm.weight' (Long, expected Float)");
  EXPECT_EQ(
      refusal(model, with(tensors, "norm.num_batches_tracked", torch::tensor(1.5))),
      "does not fit the model; misshapen 'norm.num_batches_tracked' (Float, expected Long)");
}

TEST_P(Load, NeedsNoNumberOfBatchesAndNoDerivedTable) {
  SmallClassifier model;
  auto tensors = without(fitting(model), "norm.num_batches_tracked");
  tensors.insert("relative_position_index", torch::ones({9}, torch::kLong));
  tensors.insert("layers.0.attn_mask", torch::full({9}, NAN));
  load(model, tensors);
  EXPECT_TRUE(torch::equal(model.head->weight, tensors["head.weight"]));
}

TEST_P(Load, ListsWhatIsMissingUnknownAndMisshapen) {
  SmallClassifier model;
  auto tensors = without(fitting(model), "norm.bias");
  tensors = with(tensors, "norm.weight", torch::ones({5}));
  tensors.insert("new\nkey", torch::ones({2}));
  EXPECT_EQ(
      refusal(model, tensors),
      "does not fit the model; missing 'norm.bias'; unknown 'new\\x0akey'; misshapen 'norm.weight' "
      "([5], expected [2]); is it another model's, or of another image size?");
}

TEST_P(Load, ListsTheFirstFewOfMany) {
  SmallClassifier model;
  auto tensors = fitting(model);
  for (int i = 0; i < 148; ++i) {
    tensors.insert("x" + std::to_string(1000 + i), torch::ones({1}));
  }
  EXPECT_EQ(
      refusal(model, tensors),
      "does not fit the model; unknown 'x1000', 'x1001', 'x1002', 'x1003', 'x1004' and 143 more");
}

TEST_P(Load, SaysThatNoNameIsKnown) {
  SmallClassifier model;
  StateDict tensors;
  tensors.insert("encoder.weight", torch::ones({1}));
  const auto message = refusal(model, tensors);
  EXPECT_NE(message.find("no tensor has a name that the model knows"), std::string::npos)
      << message;
}

TEST_P(Load, ExplainsAHeadOfOtherClasses) {
  SmallClassifier model(3);
  const auto tensors = fitting(SmallClassifier(10));
  EXPECT_EQ(
      refusal(model, tensors),
      "does not fit the model; misshapen 'head.weight' ([10, 2], expected [3, 2]), 'head.bias' "
      "([10], expected [3]); the file's head has 10 classes, the model's 3; with reset_head "
      "('vitrine train --reset-head') the model keeps its own");
}

TEST_P(Load, ExplainsAHeadThatOneOfTheTwoLacks) {
  SmallClassifier model(3);
  EXPECT_NE(
      refusal(model, fitting(SmallClassifier(0)))
          .find("the file has no such head; with reset_head"),
      std::string::npos);
  SmallClassifier headless(0);
  EXPECT_NE(
      refusal(headless, fitting(model)).find("the model has no head; with reset_head"),
      std::string::npos);
}

TEST_P(Load, KeepsTheModelsHeadWhenAsked) {
  for (const int64_t classes : {0, 3, 10}) {
    SmallClassifier model(3);
    const auto weight = model.head->weight.detach().clone();
    auto tensors = fitting(SmallClassifier(classes));
    if (classes > 0) {
      tensors["head.weight"].fill_(NAN);  // what is not copied is not looked at
    }
    const auto report = load(model, tensors, LoadOptions().reset_head(true));
    EXPECT_TRUE(torch::equal(model.head->weight, weight));
    EXPECT_TRUE(torch::equal(model.pos_embed, tensors["pos_embed"]));
    EXPECT_EQ(report.reset, (std::vector<std::string>{"head.weight", "head.bias"}));
  }
}

TEST_P(Load, ResamplesWhatTheModelCan) {
  SmallClassifier model;
  const auto values = torch::arange(12, torch::kFloat).view({1, 6, 2}).to(torch::kHalf);
  const auto report = load(model, with(fitting(model), "pos_embed", values));
  EXPECT_EQ(report.resampled, std::vector<std::string>{"pos_embed"});
  EXPECT_TRUE(torch::equal(model.pos_embed[0][3], torch::tensor({5.0F, 6.0F})));
}

TEST_P(Load, RefusesNanAndInfinity) {
  SmallClassifier model;
  const auto tensors = fitting(model);
  for (const auto type : {torch::kFloat, torch::kHalf, torch::kBFloat16, torch::kDouble}) {
    for (const auto bad : {NAN, INFINITY, -INFINITY}) {
      const auto weight = torch::tensor({1.0F, bad}).to(type);
      EXPECT_EQ(
          refusal(model, with(tensors, "norm.running_var", weight)),
          "NaN or infinity in tensor 'norm.running_var'");
    }
  }
  auto positions = torch::ones({1, 6, 2});
  positions[0][5][1] = NAN;
  EXPECT_EQ(
      refusal(model, with(tensors, "pos_embed", positions)),
      "NaN or infinity in tensor 'pos_embed'");
}

TEST_P(Load, LeavesTheModelAsItWasUnlessToldOtherwise) {
  SmallClassifier model;
  const auto before = model.pos_embed.detach().clone();
  const auto tensors = with(
      with(fitting(model), "pos_embed", torch::full({1, 4, 2}, 7.0F)),
      "norm.weight",
      torch::tensor({1.0F, NAN}));
  EXPECT_THROW(load(model, tensors), CheckpointError);
  EXPECT_TRUE(torch::equal(model.pos_embed, before));
  EXPECT_THROW(load(model, tensors, LoadOptions().all_or_nothing(false)), CheckpointError);
  EXPECT_TRUE(torch::equal(model.pos_embed, tensors["pos_embed"]));
}

TEST_P(Load, RefusesWhatOverflowsInTheModelsType) {
  SmallClassifier model;
  const auto wide = torch::tensor({1.0, 1e300}, torch::kDouble);
  EXPECT_EQ(
      refusal(model, with(fitting(model), "norm.weight", wide)),
      "NaN or infinity in tensor 'norm.weight'");
  const auto largest = torch::tensor({1.0F, std::numeric_limits<float>::max()});
  load(model, with(fitting(model), "norm.weight", largest));
  EXPECT_TRUE(torch::equal(model.norm->weight, largest));
}

TEST_P(Load, FillsParametersOfAnyStrides) {
  SmallClassifier model;
  model.head->weight.set_data(torch::randn({2, 3}).t());
  const auto tensors = fitting(model);
  auto values = torch::arange(6, torch::kFloat).view({3, 2});
  load(model, with(tensors, "head.weight", values));
  EXPECT_TRUE(torch::equal(model.head->weight, values));
}

TEST(LoadWeights, NamesADtypeThatItDoesNotRead) {
  SmallClassifier model;
  const TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  write_bytes(path, file_bytes("{" + entry("norm.weight", "F8_E4M3", "[2]", "[0,2]") + "}", 2));
  expect_refusal<CheckpointError>(
      [&] { load_weights(model, path); },
      path + ": ",
      {"tensor 'norm.weight' has dtype F8_E4M3, expected F32"});
}

TEST(LoadWeights, TellsWhenTheFileIsCutShortOnceItIsOpen) {
  SmallClassifier model;
  const TemporaryFolder folder;
  const auto refuse = [&](const std::string& path) {
    SCOPED_TRACE(path);
    // Called when all is checked and only the positions are read.
    model.while_adapting = [&] { std::filesystem::resize_file(path, 100); };
    expect_refusal(
        [&] { load_weights(model, path); },
        path + ": ",
        {"ended while it was read; was it cut short meanwhile?"});
    EXPECT_EQ(std::filesystem::file_size(path), 100U);
  };
  const auto tensors = with(fitting(model), "pos_embed", torch::ones({1, 6, 2}));
  write_safetensors(folder / "m.safetensors", tensors);
  refuse(folder / "m.safetensors");

  using pickle::dict;
  using pickle::numbers;
  using pickle::storage;
  using pickle::tensor;
  using pickle::text;
  std::vector<std::string> items;
  std::vector<std::pair<std::string, std::string>> storages;
  for (const auto& item : without(tensors, "norm.num_batches_tracked")) {
    const auto& value = item.value();
    const auto key = std::to_string(storages.size());
    items.push_back(text(item.key()));
    items.push_back(tensor(
        storage("FloatStorage", key, value.numel()),
        0,
        numbers(value.sizes().vec()),
        numbers(value.strides().vec())));
    storages.emplace_back(key, std::string(value.nbytes(), '\0'));
  }
  write_bytes(folder / "m.pth", torch_zip(dict(items), storages));
  refuse(folder / "m.pth");
}

TEST(LoadWeights, NeedsLittleMemoryBesideTheModel) {
  constexpr int64_t kSide = 6000;  // 144 MB
  SmallClassifier model;
  for (const auto* name : {"big1", "big2"}) {
    model.register_parameter(name, torch::zeros({kSide, kSide}));
  }
  const TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  auto tensors = copies(model);
  tensors["big1"].fill_(1);
  tensors["big2"].fill_(2);
  write_safetensors(path, tensors);
  tensors.clear();
  const auto cost = measure([&] { load_weights(model, path); });
  EXPECT_EQ(model.named_parameters()["big2"][kSide - 1][kSide - 1].item<float>(), 2);
  if (!kSanitized) {
    EXPECT_LT(cost.peak_bytes, 64 << 20);
  }
}

}  // namespace
}  // namespace vitrine

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/data/augment.h"
#include "vitrine/data/image_folder.h"
#include "vitrine/data/sampler.h"
#include "vitrine/models/registry.h"
#include "vitrine/train/trainer.h"

#include "support/cost.h"
#include "support/reference_fill.h"
#include "train/golden_json.h"

namespace vitrine {
namespace {

using List = std::vector<int64_t>;

struct Case {
  std::string name;  // in the golden file
  std::string model;
  ModelOptions options;
  int64_t side;
};

/// What tests/golden/make_training_golden.py recorded.
std::vector<Case> cases() {
  const auto swin = ModelOptions()
                        .img_size(16)
                        .set("patch_size", int64_t{2})
                        .set("embed_dim", int64_t{16})
                        .set("depths", List{2, 2})
                        .set("num_heads", List{2, 4})
                        .set("window_size", List{4})
                        .set("drop_path_rate", 0.0);
  const auto mobilevit = ModelOptions()
                             .set("stem_chans", int64_t{8})
                             .set("blocks", List{1, 2, 1, 1})
                             .set("strides", List{1, 2, 2, 2})
                             .set("transformer_depths", List{2, 1});
  return {
      {"vit",
       "vitrine_vit_patch4_32",
       ModelOptions().img_size(16).set("embed_dim", int64_t{32}).set("depth", int64_t{3}),
       16},
      {"swin", "swin_tiny_patch4_window7_224", swin, 16},
      {"swin_v2", "swinv2_tiny_window8_256", swin, 16},
      {"mobilevit",
       "mobilevit_xxs",
       ModelOptions(mobilevit)
           .set("channels", List{8, 16, 16, 24})
           .set("transformer_dims", List{16, 24})
           .set("head_chans", int64_t{48}),
       32},
      {"mobilevit_v2",
       "mobilevitv2_050",
       ModelOptions(mobilevit)
           .set("channels", List{8, 16, 16, 32})
           .set("transformer_dims", List{8, 16}),
       32},
  };
}

nlohmann::json training_golden() {
  std::ifstream file(std::string(VITRINE_TEST_DATA) + "/golden/training.json");
  return nlohmann::json::parse(file);
}

/// The digits placed so that the shuffled epoch of a trainer with this seed shows every `stride`-th
/// of them, again from the start after the last, `count` in all.
ImageDataset digits(int64_t side, std::size_t stride, std::size_t count, std::uint64_t seed) {
  const auto images = scan_image_folder(VITRINE_TEST_DATA "/data/digits/train").samples;
  const auto places = ShuffleSampler(count, seed, /*epoch=*/1).next(count).value();
  std::vector<ImageSample> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    samples[places[i]] = images[i * stride % images.size()];
  }
  const auto still = AugmentOptions().no_aug(true);
  return {std::move(samples), TrainTransform(still, PreprocessOptions().height(side).width(side))};
}

TrainerOptions trainer_options(const nlohmann::json& recipe) {
  return TrainerOptions()
      .optimizer(OptimizerOptions().weight_decay(recipe["weight_decay"]))
      .schedule(ScheduleOptions()
                    .lr(recipe["lr"])
                    .min_lr(recipe["min_lr"])
                    .warmup_lr(recipe["warmup_lr"])
                    .warmup_updates(recipe["warmup_updates"])
                    .total_updates(recipe["total_updates"]))
      .loss(LossOptions().smoothing(recipe["smoothing"]))
      .clip_grad(recipe["clip_grad"])
      .loader(LoaderOptions().batch_size(recipe["batch_size"]).workers(1));
}

class TrainingParity : public testing::TestWithParam<Case> {
 protected:
  /// Trains in `dtype` as recorded, and expects every loss within `tolerance` of timm's, relative
  /// to it.
  static void expect_losses(torch::Dtype dtype, const char* dtype_name, double tolerance) {
    const auto& test = GetParam();
    const auto golden = training_golden();
    auto expected = golden["losses"][test.name][dtype_name].get<std::vector<double>>();
    if (kSanitized) {
      expected.resize(std::min<std::size_t>(expected.size(), 10));
    }
    const auto model = create_model(test.model, ModelOptions(test.options).num_classes(10));
    reference_fill(*model);
    model->to(dtype);
    const auto options = trainer_options(golden["recipe"]);
    const auto batch = static_cast<std::size_t>(options.loader().batch_size());
    auto data = digits(test.side, golden["stride"], expected.size() * batch, options.seed());
    std::vector<double> losses;
    Trainer(model, options).train_epoch(std::move(data), /*epoch=*/1, [&](const StepReport& step) {
      losses.push_back(step.loss);
      return true;
    });
    ASSERT_EQ(losses.size(), expected.size());
    double worst = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const double difference = std::abs(losses[i] / expected[i] - 1);
      EXPECT_LE(difference, tolerance)
          << "update " << i + 1 << ": " << losses[i] << ", expected " << expected[i];
      worst = std::max(worst, difference);
    }
    RecordProperty("worst_relative_difference", std::to_string(worst * 1e9) + "e-9");
  }
};

TEST_P(TrainingParity, LosesWhatTimmLosesInDoublePrecision) {
  expect_losses(torch::kFloat64, "float64", 1e-5);
}

TEST_P(TrainingParity, LosesWhatTimmLosesAtFirstInSinglePrecision) {
  expect_losses(torch::kFloat32, "float32", 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Models, TrainingParity, testing::ValuesIn(cases()), [](const auto& test) {
  return test.param.name;
});

}  // namespace
}  // namespace vitrine

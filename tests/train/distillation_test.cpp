#include "vitrine/train/distillation.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"

#include "support/tensor_assert.h"
#include "support/value_error.h"
#include "train/golden_json.h"
#include "train/small_model.h"

namespace vitrine {
namespace {

/// What golden/make_distillation_golden.py recorded.
nlohmann::json distillation_golden() {
  std::ifstream file(std::string(VITRINE_TEST_DATA) + "/golden/distillation.json");
  return nlohmann::json::parse(file);
}

TEST(Distillation, HasTheLossesOfDeit) {
  const auto golden = distillation_golden();
  const auto teacher = to_tensor(golden["teacher"]);
  for (const auto& expected : golden["cases"]) {
    const auto options = DistillationOptions()
                             .distillation_type(parse_distillation_type(
                                 expected["distillation_type"].get<std::string>()))
                             .distillation_tau(expected["tau"].get<double>());
    const auto student = to_tensor(golden["student"]).requires_grad_();
    const auto loss = distillation_loss(student, teacher, options);
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), expected["loss"].get<double>(), 1e-6);
    EXPECT_TENSOR_NEAR(student.grad(), to_tensor(expected["gradient"]), 1e-6);
  }
}

TEST(Distillation, ShowsItsTeacherImagesAsTheTeacherKnowsThem) {
  torch::manual_seed(1);
  auto model = std::make_shared<SmallModel>(3);
  const auto own = PreprocessOptions().height(8).width(8).mean({0.1, 0.2, 0.3}).std({1, 2, 4});
  const auto students =
      PreprocessOptions(own).mean({0.5, 0.4, 0.3}).std({0.5, 0.25, 0.125}).height(16).width(16);
  const auto pixels = torch::rand({2, 3, 8, 8});
  const auto normalised = [](const torch::Tensor& x, const PreprocessOptions& by) {
    auto result = x.clone();
    for (int64_t c = 0; c < 3; ++c) {
      const auto i = static_cast<std::size_t>(c);
      result.select(1, c).sub_(by.mean()[i]).div_(by.std()[i]);
    }
    return result;
  };
  model->eval();
  const auto expected = model->forward(normalised(pixels, own)).detach();
  model->train();
  const auto teacher = make_teacher(model, own, students);
  EXPECT_FALSE(model->is_training());
  const auto answer = teacher(normalised(pixels, students));
  EXPECT_TENSOR_NEAR(answer, expected, 1e-5);
  EXPECT_FALSE(answer.requires_grad());
  // A picture twice as large, each pixel four times, is scaled back; the filter mixes neighbours.
  const auto grey = torch::full({1, 3, 8, 8}, 0.5);
  EXPECT_TENSOR_NEAR(
      teacher(normalised(torch::full({1, 3, 16, 16}, 0.5), students)),
      model->forward(normalised(grey, own)),
      1e-5);
  // As it is where nothing differs.
  EXPECT_TRUE(torch::equal(make_teacher(model, own, own)(pixels), model->forward(pixels)));
}

TEST(Distillation, RefusesWhatCannotBe) {
  EXPECT_VALUE_ERROR(
      (check_options(DistillationOptions().distillation_alpha(1.5)), 0), "distillation_alpha");
  EXPECT_VALUE_ERROR(
      (check_options(DistillationOptions().distillation_tau(0)), 0), "distillation_tau");
  const auto hard = DistillationOptions().distillation_type(DistillationType::Hard);
  EXPECT_VALUE_ERROR(
      distillation_loss(torch::zeros({2, 3}), torch::zeros({2, 4}), hard), "one shape");
  EXPECT_VALUE_ERROR(
      distillation_loss(torch::zeros({2, 3}), torch::zeros({2, 3}), {}), "none has no loss");
  EXPECT_THROW(parse_distillation_type("sift"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine

#include "vitrine/train/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/data/image_folder.h"
#include "vitrine/image/preprocess.h"

#include "support/drawn_data.h"
#include "support/temporary_folder.h"
#include "train/small_model.h"

namespace vitrine {
namespace {

/// Pretends that every image is of class 1, with logit `margin` against 0.
std::shared_ptr<SmallModel> one_minded(int64_t classes, double margin) {
  auto model = std::make_shared<SmallModel>(classes);
  const torch::NoGradGuard no_grad;
  model->head->weight.zero_();
  model->head->bias.zero_();
  model->head->bias[1] = margin;
  return model;
}

ImageDataset drawn_dataset(const TemporaryFolder& folder, int classes, int count) {
  draw_class_folders(folder.path(), classes, count);
  const auto size = PreprocessOptions().height(8).width(8);
  return {
      scan_image_folder(folder.path()).samples,
      [size](const torch::Tensor& image, at::Generator&) { return preprocess(image, size); }};
}

TEST(Evaluate, CountsRightAnswersAndLosses) {
  const TemporaryFolder folder;
  const auto data = drawn_dataset(folder, /*classes=*/3, /*count=*/5);
  const auto model = one_minded(3, 2);
  const auto options = EvaluateOptions().loader(LoaderOptions().batch_size(4)).mistakes(7);
  const auto result = evaluate(*model, data, options);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->images, 15);
  EXPECT_DOUBLE_EQ(result->top1, 1.0 / 3);
  EXPECT_DOUBLE_EQ(result->top5, 1);
  // Cross entropy: log(e^2 + 2) less the logit of the class.
  EXPECT_NEAR(result->loss, std::log(std::exp(2.0) + 2) - 2.0 / 3, 1e-6);
  EXPECT_EQ(result->confusion.counts().to_dense()[2][1].item<int64_t>(), 5);
  ASSERT_EQ(result->mistakes.size(), 7U);
  EXPECT_EQ(result->mistakes[0].index, 0U);
  EXPECT_EQ(result->mistakes[6].index, 11U);
  EXPECT_EQ(result->mistakes[6].target, 2);
  EXPECT_EQ(result->mistakes[6].predicted, 1);
  EXPECT_NEAR(result->mistakes[6].probability, std::exp(2.0) / (std::exp(2.0) + 2), 1e-6);
}

TEST(Evaluate, CountsTheSameAnswersInTopOneAsInTheConfusionMatrixWhereLogitsAreEqual) {
  const TemporaryFolder folder;
  const auto data = drawn_dataset(folder, /*classes=*/3, /*count=*/2);
  const auto result = evaluate(*one_minded(/*classes=*/16, /*margin=*/0), data);
  ASSERT_TRUE(result.has_value());
  EXPECT_DOUBLE_EQ(result->top1, 1.0 / 3);
  EXPECT_DOUBLE_EQ(result->top5, 1);
  const auto confusion = result->confusion.counts().to_dense();  // [16, 16]
  EXPECT_EQ(confusion.diagonal().sum().item<int64_t>(), 2);
  EXPECT_EQ(confusion.select(/*dim=*/1, /*index=*/0).sum().item<int64_t>(), 6);
  EXPECT_EQ(result->mistakes.size(), 4U);
}

TEST(Evaluate, AnswersWithTheLargestLogitWhereProbabilitiesAreEqual) {
  const TemporaryFolder folder;
  const auto data = drawn_dataset(folder, /*classes=*/2, /*count=*/2);
  const auto result = evaluate(*one_minded(/*classes=*/2, /*margin=*/1e-12), data);
  ASSERT_TRUE(result.has_value());
  EXPECT_DOUBLE_EQ(result->top1, 0.5);
  EXPECT_EQ(result->confusion.counts().to_dense()[1][1].item<int64_t>(), 2);
  ASSERT_EQ(result->mistakes.size(), 2U);
  EXPECT_EQ(result->mistakes[0].predicted, 1);
  EXPECT_NEAR(result->mistakes[0].probability, 0.5, 1e-6);
}

TEST(Evaluate, AveragesTheProbabilitiesOfAnImageAndItsMirrorImage) {
  const TemporaryFolder folder;
  auto data = drawn_dataset(folder, /*classes=*/3, /*count=*/5);
  torch::manual_seed(0);
  SmallModel model(3);
  model.eval();
  std::vector<torch::Tensor> images;
  std::vector<torch::Tensor> targets;
  for (std::size_t i = 0; i < 15; ++i) {
    images.push_back(data.get(i).data);
    targets.push_back(data.get(i).target);
  }
  const torch::NoGradGuard no_grad;
  const auto x = torch::stack(images);   // [15, 3, 8, 8]
  const auto y = torch::stack(targets);  // [15]
  const auto mean =
      (model.forward(x).softmax(1) + model.forward(x.flip(3)).softmax(1)) / 2;  // [15, 3]
  const auto losses = -mean.log().gather(1, y.view({15, 1})).squeeze(1);        // [15]

  const auto options = EvaluateOptions().loader(LoaderOptions().batch_size(4)).hflip(true);
  const auto result = evaluate(model, data, options);
  ASSERT_TRUE(result.has_value());
  EXPECT_NEAR(result->loss, losses.mean().item<double>(), 1e-6);
  EXPECT_DOUBLE_EQ(result->top1, mean.argmax(1).eq(y).to(torch::kDouble).mean().item<double>());
  ASSERT_FALSE(result->mistakes.empty());
  for (const auto& mistake : result->mistakes) {
    const auto i = static_cast<int64_t>(mistake.index);
    EXPECT_NEAR(mistake.probability, mean[i].max().item<double>(), 1e-6);
    EXPECT_NEAR(mistake.loss, losses[i].item<double>(), 1e-6);
  }
  const auto plain = evaluate(model, data, EvaluateOptions().loader(LoaderOptions().batch_size(4)));
  EXPECT_GT(std::abs(plain->loss - result->loss), 1e-5) << "the mirror image changes nothing";
}

TEST(Evaluate, LeavesTheModelInItsMode) {
  const TemporaryFolder folder;
  const auto data = drawn_dataset(folder, 2, 2);
  const auto model = one_minded(2, 1);
  model->train();
  const auto before = model->norm->running_mean.clone();
  evaluate(*model, data);
  EXPECT_TRUE(model->is_training());
  EXPECT_TRUE(model->norm->is_training());
  EXPECT_TRUE(torch::equal(model->norm->running_mean, before));
}

TEST(Evaluate, StopsWhenTold) {
  const TemporaryFolder folder;
  const auto data = drawn_dataset(folder, 2, 4);
  const auto model = one_minded(2, 1);
  const auto options = EvaluateOptions().loader(LoaderOptions().batch_size(2));
  int64_t seen = 0;
  const auto result = evaluate(*model, data, options, [&](int64_t done, int64_t total) {
    EXPECT_EQ(total, 8);
    seen = done;
    return done < 4;
  });
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(seen, 4);
}

TEST(Evaluate, RefusesDataOfMoreClassesThanTheModel) {
  const TemporaryFolder folder;
  const auto data = drawn_dataset(folder, 3, 1);
  EXPECT_THROW(evaluate(*one_minded(2, 1), data), c10::ValueError);
}

}  // namespace
}  // namespace vitrine

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "cli.h"
#include "support/cost.h"

namespace vitrine {
namespace {

using nlohmann::json;

ProcessResult benchmark(const std::vector<std::string>& words) {
  std::vector<std::string> all{"benchmark", "--device", "cpu", "--threads", "1"};
  all.insert(all.end(), words.begin(), words.end());
  return vitrine_program(all);
}

TEST(BenchmarkCommand, PrintsAnObjectOfEachModel) {
  const auto result = benchmark(
      {"vitrine_vit_patch4_32",
       "vitrine_mobilevit_32",
       "--batch-size",
       "2",
       "--image-size",
       "32x64",
       "--iterations",
       "3",
       "--warmup",
       "0",
       "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 2U) << result.out;
  const auto first = json::parse(lines[0]);
  EXPECT_EQ(first["model"], "vitrine_vit_patch4_32");
  EXPECT_EQ(json::parse(lines[1])["model"], "vitrine_mobilevit_32");
  EXPECT_EQ(first["mode"], "inference");
  EXPECT_EQ(first["batch_size"], 2);
  EXPECT_EQ(first["image_size"], json({32, 64}));
  EXPECT_EQ(first["precision"], "fp32");
  EXPECT_EQ(first["device"], "cpu");
  EXPECT_EQ(first["threads"], 1);
  const double median = first["step_ms"]["median"];
  EXPECT_GT(median, 0);
  EXPECT_GE(first["step_ms"]["p90"].get<double>(), median);
  EXPECT_NEAR(first["images_per_second"].get<double>() * median / 2e3, 1, 1e-2);
  EXPECT_TRUE(first["versions"].contains("vitrine"));
  EXPECT_TRUE(first["versions"].contains("libtorch"));
  EXPECT_FALSE(first.contains("backward_ms"));
}

TEST(BenchmarkCommand, TellsThePartsOfATrainingStep) {
  const auto result = benchmark(
      {"vitrine_vit_patch4_32",
       "--mode",
       "train",
       "--batch-size",
       "4",
       "--iterations",
       "1",
       "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto found = json::parse(result.out);
  EXPECT_EQ(found["mode"], "train");
  double sum = 0;
  for (const auto* part : {"forward_ms", "backward_ms", "optimizer_ms"}) {
    EXPECT_GT(found[part].get<double>(), 0) << part;
    sum += found[part].get<double>();
  }
  EXPECT_NEAR(found["step_ms"]["median"].get<double>(), sum, 1e-2);  // of one step
}

TEST(BenchmarkCommand, ForgetsTheMemoryOfTheModelBefore) {
  const auto result = benchmark(
      {"vit_base_patch32_224",
       "vitrine_vit_patch4_32",
       "--iterations",
       "1",
       "--warmup",
       "0",
       "--json"});
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 2U) << result.err;
  const double large = json::parse(lines[0])["peak_memory_mb"];
  const double small = json::parse(lines[1])["peak_memory_mb"];
  EXPECT_GT(large, 88 * 4);  // MB of its weights alone
  if (!kSanitized) {         // memory that was freed stays with the sanitizer for a while
    EXPECT_LT(small, large - 88 * 2);
  }
}

TEST(BenchmarkCommand, TakesAndTellsThePrecision) {
  for (const auto* mode : {"inference", "train"}) {
    for (const auto* precision : {"fp32", "bf16", "fp16"}) {
      const auto result = benchmark(
          {"vitrine_vit_patch4_32",
           "--mode",
           mode,
           "--precision",
           precision,
           "--iterations",
           "1",
           "--warmup",
           "0",
           "--json"});
      EXPECT_EQ(result.status, 0) << result.err;
      ASSERT_EQ(lines_of(result.out).size(), 1U) << result.err;
      EXPECT_EQ(json::parse(lines_of(result.out)[0])["precision"], precision);
    }
  }
}

TEST(BenchmarkCommand, PrintsATable) {
  const auto result =
      benchmark({"vitrine_vit_patch4_32", "--mode", "train", "--iterations", "1", "--warmup", "0"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 4U) << result.out;
  EXPECT_EQ(lines[0].rfind("train, batches of 1, fp32 on cpu, threads: 1; vitrine ", 0), 0U);
  EXPECT_NE(lines[2].find("optimizer ms"), std::string::npos);
  EXPECT_EQ(lines[3].rfind("vitrine_vit_patch4_32  32x32 ", 0), 0U) << lines[3];
}

TEST(BenchmarkCommand, RefusesWrongUsageBeforeItMeasures) {
  struct Case {
    std::vector<std::string> words;
    std::string message;
  };
  const std::vector<Case> cases{
      {{"vitrine_vit_patch4_32", "vit_tiny_patch16_22"}, "the nearest: vit_tiny_patch16_224"},
      {{"vitrine_vit_patch4_32", "vit_tiny_patch16_224", "--image-size", "100"},
       "image size 100x100 is no multiple of the patch, 16"},
      {{"--mode", "training"}, "option --mode: got training, expected one of inference, train"},
      {{"--iterations", "0"}, "option --iterations: got 0, expected a whole number from 1"},
      {{"--warmup", "-1"}, "option --warmup: got -1, expected a whole number from 0"},
      {{"--precision", "fp64"}, "option --precision: got fp64"},
      {{"--workers", "2"}, "unknown option '--workers'"},
      {{"vitrine_vit_patch4_32", "--mode", "train", "--model-kwargs", "num_classes=0"},
       "a model without a head (num_classes 0) cannot be trained"}};
  for (const auto& expected : cases) {
    const auto result = benchmark(expected.words);
    EXPECT_EQ(result.status, 2) << expected.message;
    EXPECT_EQ(result.out, "") << expected.message;
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    EXPECT_NE(result.err.find(expected.message), std::string::npos) << result.err;
  }
}

}  // namespace
}  // namespace vitrine

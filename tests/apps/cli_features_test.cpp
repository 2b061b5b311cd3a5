#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli.h"
#include "support/drawn_data.h"

namespace vitrine {
namespace {

using nlohmann::json;

ProcessResult features(const std::vector<std::string>& words, ProcessOptions options = {}) {
  std::vector<std::string> all{"features", "--weights", small_model(), "--device", "cpu"};
  all.insert(all.end(), words.begin(), words.end());
  return vitrine_program(all, std::move(options));
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<float> floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

/// The header of a safetensors file.
json header_of(const std::string& bytes) {
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  return json::parse(bytes.substr(sizeof(size), size));
}

/// The values of one tensor of such a file.
std::vector<float> tensor_of(const std::string& bytes, const std::string& name) {
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  const auto offsets = header_of(bytes)[name]["data_offsets"].get<std::vector<std::size_t>>();
  return floats(bytes.substr(sizeof(size) + size + offsets[0], offsets[1] - offsets[0]));
}

std::vector<float> features_of(const std::string& line) {
  return json::parse(line)["features"].get<std::vector<float>>();
}

/// The small model without its head, made once.
const std::string& headless_model() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    auto file = folder / "headless.safetensors";
    const auto result = run_process({VITRINE_MAKE_MODEL, file, "headless"});
    if (result.status != 0) {
      throw std::runtime_error("cannot make the model: " + result.err);
    }
    return file;
  }();
  return path;
}

TEST(FeaturesCommand, GivesWhatTheHeadMakesLogitsOf) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  const auto result = features({file});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out.rfind("{\"file\":\"" + file + "\",\"features\":[", 0), 0U) << result.out;
  const auto vector = features_of(result.out);
  ASSERT_EQ(vector.size(), 32U);
  const auto model = content(small_model());
  const auto weight = tensor_of(model, "head.weight");  // [3, 32]
  const auto bias = tensor_of(model, "head.bias");
  const auto answer = json::parse(classify({file, "--format", "jsonl", "--top-k", "0"}).out);
  for (std::size_t k = 0; k < 3; ++k) {
    double logit = bias.at(k);
    for (std::size_t i = 0; i < vector.size(); ++i) {
      logit += static_cast<double>(vector[i]) * static_cast<double>(weight.at(32 * k + i));
    }
    EXPECT_NEAR(answer["predictions"][k]["logit"].get<double>(), logit, 1e-4);
  }
}

TEST(FeaturesCommand, HasTheSameRowsInEveryFormatAndNamesTheFilesThatFailed) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "in");
  const auto a = write_picture(folder / "in/a.png", 1);
  write_text(folder / "in/b.png", "no image");
  const auto c = write_picture(folder / "in/c\nd.png", 2);
  for (const auto* name : {"x.jsonl", "x.npy", "x.safetensors"}) {
    const auto result = features({folder / "in", "--batch-size", "2", "--output", folder / name});
    EXPECT_EQ(result.status, 1) << name;
    EXPECT_EQ(result.out, "") << name;
    ASSERT_EQ(lines_of(result.err).size(), 1U) << result.err;
    EXPECT_EQ(result.err.rfind("vitrine: " + (folder / "in/b.png") + ": ", 0), 0U) << result.err;
  }
  const auto lines = lines_of(content(folder / "x.jsonl"));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(json::parse(lines[1])["file"], folder / "in/b.png");
  EXPECT_TRUE(json::parse(lines[1])["error"].is_string());
  auto rows = features_of(lines[0]);
  const auto last = features_of(lines[2]);
  rows.insert(rows.end(), last.begin(), last.end());

  const auto npy = content(folder / "x.npy");
  EXPECT_NE(npy.find("'shape': (2, 32), }"), std::string::npos);
  EXPECT_EQ(floats(npy.substr(128)), rows);
  EXPECT_EQ(content(folder / "x.npy.txt"), a + "\n" + folder.path() + "/in/c\\x0ad.png\n");

  const auto tensors = content(folder / "x.safetensors");
  const auto header = header_of(tensors);
  EXPECT_EQ(header["features"]["dtype"], "F32");
  EXPECT_EQ(header["features"]["shape"], json({2, 32}));
  EXPECT_EQ(tensor_of(tensors, "features"), rows);
  EXPECT_EQ(json::parse(header["__metadata__"]["files"].get<std::string>()), json({a, c}));

  // Nothing else lies beside them.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 5)
      << "in, x.jsonl, x.npy, x.npy.txt, x.safetensors";
}

TEST(FeaturesCommand, TakesTheFormatOverTheName) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  ASSERT_EQ(features({file, "--output", folder / "x", "--format", "npy"}).status, 0);
  EXPECT_EQ(content(folder / "x").substr(0, 6), "\x93NUMPY");
  EXPECT_EQ(content(folder / "x.txt"), file + "\n");
}

TEST(FeaturesCommand, ReadsAListFromStandardInput) {
  const TemporaryFolder folder;
  ProcessOptions options;
  options.input = write_picture(folder / "a.png", 1) + "\n" + write_picture(folder / "b.png", 2);
  const auto lines = lines_of(features({"-", "--format", "jsonl"}, options).out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(features_of(lines[0]), features_of(lines[1]));
}

TEST(FeaturesCommand, NeedsNoHeadWhichClassifyDoes) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  const auto expected = features({file}).out;
  EXPECT_EQ(features({file, "--weights", headless_model()}).out, expected);
  // Nor does it mind the head of the file.
  EXPECT_EQ(features({file, "--model-kwargs", "num_classes=0"}).out, expected);
  EXPECT_EQ(features({file, "--num-classes", "7"}).status, 2);
  const auto refused = classify({file, "--weights", headless_model()});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(
      refused.err,
      "vitrine: " + headless_model() +
          ": the model has no head, so it names no classes; 'vitrine features' gives its "
          "features\n");
}

TEST(FeaturesCommand, FailsBeforeTheWorkWhereItsOutputCannotBeWritten) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  for (const auto* name : {"none/x.npy", "none/x.safetensors", "none/x.jsonl"}) {
    const auto result = features({file, folder / "missing.png", "--output", folder / name});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(
        result.err, "vitrine: " + (folder / name) + ": cannot write: No such file or directory\n");
  }
  std::filesystem::create_directory(folder / "x.npy");
  std::filesystem::create_directory(folder / "y.npy.txt");  // where the names would go
  for (const auto* name : {"x.npy", "y.npy"}) {
    const auto result = features({file, folder / "missing.png", "--output", folder / name});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("is a folder, a device or a pipe"), std::string::npos) << result.err;
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  }
}

TEST(FeaturesCommand, KeepsTheOldFileWhereNoImageCanBeRead) {
  const TemporaryFolder folder;
  write_text(folder / "x.npy", "old");
  const auto result = features({folder / "missing.png", "--output", folder / "x.npy"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(lines_of(result.err).size(), 2U) << result.err;
  EXPECT_EQ(content(folder / "x.npy"), "old");
}

TEST(FeaturesCommand, KeepsTheOldFileWhereTheDiskIsFull) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  write_text(folder / "x.npy", "old");
  ProcessOptions options;
  options.largest_file = 100;
  const auto result = features({file, "--output", folder / "x.npy"}, options);
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.err.rfind("vitrine: " + (folder / "x.npy"), 0), 0U) << result.err;
  EXPECT_EQ(content(folder / "x.npy"), "old");
}

TEST(FeaturesCommand, DoesNotWriteOverItsWeights) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  const auto weights = folder / "x.safetensors";
  std::filesystem::copy_file(small_model(), weights);
  std::filesystem::create_symlink(weights, folder / "y.safetensors");
  const auto before = content(weights);
  for (const auto* name : {"x.safetensors", "y.safetensors"}) {
    const auto result = features({file, "--weights", weights, "--output", folder / name});
    EXPECT_EQ(result.status, 2);
    EXPECT_NE(result.err.find("--output names the file of --weights"), std::string::npos)
        << result.err;
    EXPECT_EQ(content(weights), before);
  }
}

TEST(FeaturesCommand, RefusesWhatDoesNotGoTogether) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "features: INPUT... is missing"},
      {{"a.png", "--format", "npy"}, "--format npy needs --output FILE"},
      {{"a.png", "--format", "table"}, "expected jsonl, npy or safetensors without --knn"},
      {{"a.png", "--output", "x.csv"}, "expected a name that ends in .safetensors, .npy or .jsonl"},
      {{"a.png", "--neighbours", "5"}, "--neighbours needs --knn DATA"},
      {{"a.png", "--knn", "data"}, "unexpected 'a.png'"},
      {{"--knn", "data", "--output", "x.npy"}, "--output is not for --knn"},
      {{"--knn", "data", "--format", "jsonl"}, "expected table or json with --knn"},
      {{"--knn", "data", "--neighbours", "0"}, "of at least 1"},
      {{"--knn", "data", "--temperature", "0"}, "option --temperature: got 0"}};
  for (const auto& [words, message] : cases) {
    const auto result = features(words);
    EXPECT_EQ(result.status, 2) << message;
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    EXPECT_NE(result.err.find(message), std::string::npos) << result.err;
  }
}

TEST(FeaturesKnn, TellsTheDigitsByTheirNeighbours) {
  const std::string data = VITRINE_TEST_DATA;
  const std::vector<std::string> words{
      "--weights",
      data + "/../weights/vitrine_vit_patch4_32.safetensors",
      "--knn",
      data + "/data/digits"};
  auto with = [&](const std::vector<std::string>& more) {
    auto all = words;
    all.insert(all.end(), more.begin(), more.end());
    return features(all);
  };
  const auto result = with({"--format", "json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto object = json::parse(result.out);
  // The formula in numpy, on features that timm computed, gives 296 and 298. Processors sum in
  // different orders, which may move an image across a border.
  EXPECT_NEAR(object["top1"].get<double>(), 296.0 / 300, 1.01 / 300);
  EXPECT_NEAR(object["top5"].get<double>(), 298.0 / 300, 1.01 / 300);
  EXPECT_EQ(object["k"], 20);
  EXPECT_EQ(object["temperature"], 0.07);
  EXPECT_EQ(object["images"], 300);
  EXPECT_EQ(object["train_images"], 1200);
  const auto table = with({"--neighbours", "5", "--temperature", "0.1"});
  EXPECT_EQ(table.out.rfind("top-1 9", 0), 0U) << table.out;
  EXPECT_NE(
      table.out.find("k 5, temperature 0.1, 300 images by 1200 of train\n"), std::string::npos)
      << table.out;
}

TEST(FeaturesKnn, LeavesOutAndNamesImagesThatCannotBeRead) {
  const TemporaryFolder folder;
  draw_splits(folder.path(), /*classes=*/3, /*train_count=*/4, /*val_count=*/2);
  write_text(folder / "train/class0/1.png", "no image");
  write_text(folder / "val/class1/0.png", "no image");
  const auto result = features({"--knn", folder.path(), "--format", "json"});
  EXPECT_EQ(result.status, 1);
  const auto errors = lines_of(result.err);
  ASSERT_EQ(errors.size(), 2U) << result.err;
  EXPECT_NE(errors[0].find("train/class0/1.png: "), std::string::npos);
  EXPECT_NE(errors[1].find("val/class1/0.png: "), std::string::npos);
  EXPECT_EQ(json::parse(result.out)["images"], 5);
  EXPECT_EQ(json::parse(result.out)["train_images"], 11);
  const auto missing = features({"--knn", folder / "train"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.err.find("has no part to judge by"), std::string::npos) << missing.err;
}

}  // namespace
}  // namespace vitrine

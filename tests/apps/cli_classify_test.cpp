#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "cli.h"

namespace vitrine {
namespace {

using nlohmann::json;

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> objects;
  for (const auto& line : lines_of(text)) {
    objects.push_back(json::parse(line));
  }
  return objects;
}

TEST(ClassifyCommand, WritesOneJsonObjectALine) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  const auto result = classify({file, "--format", "jsonl"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const auto objects = json_lines(result.out);
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].size(), 2U);
  EXPECT_EQ(objects[0]["file"], file);
  const std::vector<std::string> labels{"cat", "dog, \"big\"", "hen"};
  double sum = 0;
  double last = 1;
  ASSERT_EQ(objects[0]["predictions"].size(), 3U) << "top-k beyond the classes means all of them";
  for (const auto& prediction : objects[0]["predictions"]) {
    EXPECT_EQ(prediction.size(), 4U);
    EXPECT_EQ(prediction["label"], labels.at(prediction["index"].get<std::size_t>()));
    EXPECT_LE(prediction["probability"].get<double>(), last);
    EXPECT_TRUE(prediction["logit"].is_number());
    last = prediction["probability"];
    sum += last;
  }
  EXPECT_NEAR(sum, 1, 1e-6);
  // The members stand in the documented order, and no number has more digits than the model
  // computes.
  EXPECT_EQ(result.out.find("{\"file\":\""), 0U);
  EXPECT_NE(result.out.find("\"predictions\":[{\"index\":"), std::string::npos);
  EXPECT_LT(result.out.size(), 400U + file.size());
}

TEST(ClassifyCommand, GivesEveryClassInIndexOrderForTopZero) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  const auto object = json::parse(classify({file, "--format", "jsonl", "--top-k", "0"}).out);
  ASSERT_EQ(object["predictions"].size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(object["predictions"][i]["index"], i);
  }
  const auto best = json::parse(classify({file, "--format", "jsonl", "--top-k", "1"}).out);
  EXPECT_EQ(best["predictions"].size(), 1U);
}

TEST(ClassifyCommand, WritesCsvWithQuotedFields) {
  const TemporaryFolder folder;
  const auto good = write_picture(folder / "a,\"b\".png", 1);
  write_text(folder / "bad.png", "no image");
  const auto result = classify({good, folder / "bad.png", "--format", "csv", "--top-k", "0"});
  EXPECT_EQ(result.status, 1);
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 5U) << result.out;
  EXPECT_EQ(lines[0], "file,rank,index,label,probability,logit,error");
  const auto quoted = "\"" + folder.path() + "/a,\"\"b\"\".png\",";
  EXPECT_EQ(lines[1].rfind(quoted + "1,0,cat,", 0), 0U) << lines[1];
  EXPECT_EQ(lines[2].rfind(quoted + "2,1,\"dog, \"\"big\"\"\",", 0), 0U) << lines[2];
  EXPECT_EQ(lines[3].back(), ',');
  EXPECT_EQ(lines[4].rfind(folder / "bad.png" + ",,,,,,", 0), 0U) << lines[4];
}

TEST(ClassifyCommand, PrintsATableUnlessToldOtherwise) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  const auto lines = lines_of(classify({file, "--top-k", "2"}).out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], file);
  EXPECT_NE(lines[1].find(" %  "), std::string::npos);
}

TEST(ClassifyCommand, KeepsTheOrderOfItsInputsWhateverTheWorkers) {
  const TemporaryFolder folder;
  std::vector<std::string> words;
  for (int i = 40; i > 0; --i) {
    // Large ones among small ones finish late.
    const auto path = folder / (std::to_string(i) + ".png");
    write_bytes(path, encoded(".png", i % 5 == 0 ? picture(i, 900, 1200) : picture(i)));
    words.push_back(path);
  }
  auto with = [&](const std::vector<std::string>& options) {
    auto all = words;
    all.insert(all.end(), options.begin(), options.end());
    return classify(all);
  };
  const auto one = with({"--format", "csv", "--workers", "0", "--batch-size", "40"});
  EXPECT_EQ(one.status, 0) << one.err;
  const auto many = with({"--format", "csv", "--workers", "4", "--batch-size", "40"});
  EXPECT_EQ(one.out, many.out);
  const auto objects =
      json_lines(with({"--format", "jsonl", "--workers", "3", "--batch-size", "1"}).out);
  ASSERT_EQ(objects.size(), words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(objects[i]["file"], words[i]);
  }
}

TEST(ClassifyCommand, ReadsAListFromStandardInput) {
  const TemporaryFolder folder;
  const auto a = write_picture(folder / "a.png", 1);
  const auto b = write_picture(folder / "b c.jpg", 2);
  ProcessOptions options;
  options.input = b + "\r\n\n" + a;
  const auto objects = json_lines(classify({"-", "--format", "jsonl"}, options).out);
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0]["file"], b);
  EXPECT_EQ(objects[1]["file"], a);
  const auto empty = classify({"-"});
  EXPECT_EQ(empty.status, 1);
  EXPECT_EQ(empty.err, "vitrine: -: standard input names no file\n");
}

TEST(ClassifyCommand, ExpandsPatternsAndFolders) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "sub/deep");
  const auto a = write_picture(folder / "a.png", 1);
  const auto b = write_picture(folder / "b.JPG", 2);
  const auto c = write_picture(folder / "sub/deep/c.webp", 3);
  write_text(folder / "notes.txt", "no image, and no failure either");
  auto files = [&](const std::vector<std::string>& words) {
    auto all = words;
    all.insert(all.end(), {"--format", "jsonl", "--top-k", "1"});
    const auto result = classify(all);
    EXPECT_EQ(result.status, 0) << result.err;
    std::vector<std::string> names;
    for (const auto& object : json_lines(result.out)) {
      names.push_back(object["file"]);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(files({folder.path()}), (Names{a, b}));
  EXPECT_EQ(files({folder.path(), "--recursive"}), (Names{a, b, c}));
  EXPECT_EQ(files({folder / "*.png", a}), (Names{a, a}));
  EXPECT_EQ(
      classify({folder / "*.bmp"}).err, "vitrine: " + (folder / "*.bmp") + ": no file matches\n");
  EXPECT_EQ(classify({folder / "sub"}).status, 1);
}

TEST(ClassifyCommand, SurvivesNamesThatAreNoUtf8) {
  const TemporaryFolder folder;
  const auto file = folder / "caf\xe9\x1b[31m.png";
  write_bytes(file, encoded(".png", picture(1)));
  write_text(folder / "caf\xe9.jpg", "no image");
  const auto result = classify({folder.path(), "--format", "jsonl"});
  const auto objects = json_lines(result.out);
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_TRUE(objects[0].contains("predictions"));
  EXPECT_EQ(objects[1]["file"], folder.path() + "/caf\xef\xbf\xbd.jpg");
  EXPECT_NE(result.err.find("caf\\xe9.jpg: "), std::string::npos);
  EXPECT_EQ(classify({folder.path()}).out.find('\x1b'), std::string::npos);
}

TEST(ClassifyCommand, TakesOtherLabelsOfTheRightNumber) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  write_text(folder / "three.txt", "un\ndeux\ntrois");
  write_text(folder / "two.txt", "un\ndeux\n");
  const auto result = classify({file, "--labels", folder / "three.txt", "--top-k", "0"});
  EXPECT_NE(result.out.find("trois"), std::string::npos);
  const auto wrong = classify({file, "--labels", folder / "two.txt"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_EQ(
      wrong.err,
      "vitrine: " + (folder / "two.txt") +
          ": has 2 labels, expected 3, one for each class of the model\n");
}

TEST(ClassifyCommand, AnswersTheSameForAnImageUnderAnyName) {
  const TemporaryFolder folder;
  const auto bytes = encoded(".jpg", picture(1));
  write_bytes(folder / "a.jpg", bytes);
  write_bytes(folder / "b.png", bytes);
  write_bytes(folder / "c", bytes);
  const auto objects = json_lines(
      classify({folder / "a.jpg", folder / "b.png", folder / "c", "--format", "jsonl"}).out);
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[0]["predictions"], objects[1]["predictions"]);
  EXPECT_EQ(objects[0]["predictions"], objects[2]["predictions"]);
}

TEST(ClassifyCommand, LetsOptionsWinOverTheCard) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  const auto plain = classify({file}).out;
  EXPECT_NE(classify({file, "--mean", "0,0,0"}).out, plain);
  EXPECT_NE(classify({file, "--crop-pct", "0.4"}).out, plain);
  EXPECT_EQ(classify({file, "--image-size", "32"}).out, plain);
  EXPECT_EQ(classify({file, "--image-size", "48x64"}).status, 0);
}

TEST(ClassifyCommand, NamesTheNearestSizesThatTheModelOfTheFileTakes) {
  const TemporaryFolder folder;
  const auto file = write_picture(folder / "a.png", 1);
  const auto result = classify({file, "--image-size", "33x64"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(
      result.err,
      "vitrine: " + small_model() +
          ": image size 33x64 is no multiple of the patch, 8; the nearest: 32x64 and 40x64\n");
}

}  // namespace
}  // namespace vitrine

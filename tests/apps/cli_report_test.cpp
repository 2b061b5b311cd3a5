#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "apps/training.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

const std::string kHostileName = "<img src=x onerror=alert(1)>";

/// Images of three classes, one of them with a hostile name.
const std::string& hostile_splits() {
  static const TemporaryFolder folder;
  static const bool drawn = [] {
    draw_splits(folder.path(), /*classes=*/3, /*train_count=*/8, /*val_count=*/4);
    for (const auto* part : {"/train/", "/val/"}) {
      fs::rename(folder.path() + part + "class0", folder.path() + part + kHostileName);
    }
    return true;
  }();
  static_cast<void>(drawn);
  return folder.path();
}

/// A finished run on those images, made once.
const std::string& hostile_run() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    auto words = train_words(folder / "run", 2);
    words[1] = hostile_splits();
    const auto result = vitrine_program(words);
    EXPECT_EQ(result.status, 0) << result.err;
    return folder / "run";
  }();
  return path;
}

std::string best() {
  return hostile_run() + "/best.safetensors";
}

/// `vitrine evaluate` of those images with more words.
ProcessResult evaluate(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"evaluate", hostile_splits(), "--device=cpu", "--workers=1"};
  words.insert(words.end(), more.begin(), more.end());
  return vitrine_program(words);
}

nlohmann::json evaluated(std::vector<std::string> more) {
  more.emplace_back("--format=json");
  const auto result = evaluate(more);
  EXPECT_EQ(result.status, 0) << result.err;
  return nlohmann::json::parse(result.out, nullptr, /*allow_exceptions=*/false);
}

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

/// The browser that shows pages without a window, or nothing.
std::string browser() {
  std::istringstream folders(std::getenv("PATH") != nullptr ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    for (const auto* name : {"chromium", "chromium-browser", "google-chrome"}) {
      auto path = folder + "/" + name;
      if (fs::exists(path)) {
        return path;
      }
    }
  }
  return "";
}

ProcessResult browse(const std::string& page, const std::string& what) {
  const TemporaryFolder profile;
  return run_process(
      {browser(),
       "--headless",
       "--no-sandbox",
       "--disable-gpu",
       "--hide-scrollbars",
       "--user-data-dir=" + profile.path(),
       "--window-size=1200,2400",
       what,
       "file://" + page});
}

TEST(ReportPage, OfARunShowsEverythingInABrowser) {
  if (browser().empty()) {
    GTEST_SKIP() << "no chromium and no google-chrome in PATH";
  }
  const auto page = hostile_run() + "/report.html";
  const auto dom = browse(page, "--dump-dom");
  ASSERT_EQ(dom.status, 0) << dom.err;
  EXPECT_NE(dom.out.find("<h1><bdi>vitrine_vit_patch4_32</bdi></h1>"), std::string::npos);
  EXPECT_EQ(count_of(dom.out, "<svg"), 5) << "four curves and a matrix";
  EXPECT_EQ(count_of(dom.out, "class=\"point"), 2 * 6) << "two epochs of six lines";
  EXPECT_NE(dom.out.find("<bdi>&lt;img src=x onerror=alert(1)&gt;</bdi>"), std::string::npos);
  const auto mistakes = evaluated({"--weights", best()})["mistakes"].size();
  EXPECT_EQ(count_of(dom.out, "<figure"), static_cast<int>(24 + mistakes));
  EXPECT_EQ(count_of(dom.out, "<img alt=\"\" src=\"data:image/"), count_of(dom.out, "<figure"));

  const TemporaryFolder folder;
  const auto shot = folder / "page.png";
  ASSERT_EQ(browse(page, "--screenshot=" + shot).status, 0);
  const auto image = cv::imread(shot);
  ASSERT_FALSE(image.empty());
  // The curves' blue, #2563c4, or that of a dark screen: the style is in force.
  cv::Mat light;
  cv::Mat dark;
  cv::inRange(image, cv::Scalar(0xC4, 0x63, 0x25), cv::Scalar(0xC4, 0x63, 0x25), light);
  cv::inRange(image, cv::Scalar(0xF7, 0xA7, 0x74), cv::Scalar(0xF7, 0xA7, 0x74), dark);
  EXPECT_GT(cv::countNonZero(light) + cv::countNonZero(dark), 100);
}

TEST(ReportPage, OfAnEvaluationHasThatOfTheRunLessItsCourse) {
  const TemporaryFolder folder;
  const auto page = folder / "page.html";
  const auto result = evaluate({"--weights", best(), "--report", page});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto html = bytes_of(page);
  EXPECT_EQ(count_of(html, "<svg"), 1);
  EXPECT_NE(html.find("&lt;img src=x onerror=alert(1)&gt;"), std::string::npos);
  EXPECT_EQ(html.find(kHostileName), std::string::npos);
  EXPECT_EQ(html.find("Course of the training"), std::string::npos);
  const auto run = bytes_of(hostile_run() + "/report.html");
  const auto matrix = [](const std::string& text) {
    const auto begin = text.find("<svg class=\"matrix\"");
    return text.substr(begin, text.find("</svg>", begin) - begin);
  };
  EXPECT_EQ(matrix(html), matrix(run));
}

TEST(ReportPage, ThatCannotBeWrittenIsNamed) {
  const auto result = evaluate({"--weights", best(), "--report", "/nowhere/page.html"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("/nowhere/page.html: cannot write"), std::string::npos) << result.err;
}

TEST(EventFileOfARun, GivesTensorBoardTheMetrics) {
  const auto read = run_process({"python3", VITRINE_READ_EVENTS, finished_run()});
  if (read.status == 77) {
    GTEST_SKIP() << "python3 has no tensorboard";
  }
  ASSERT_EQ(read.status, 0) << read.err;
  const auto tags = nlohmann::json::parse(read.out);
  ASSERT_EQ(tags.size(), 6U) << read.out;
  const auto lines = lines_of(bytes_of(finished_run() + "/metrics.jsonl"));
  ASSERT_EQ(lines.size(), 3U);
  for (auto tag = tags.begin(); tag != tags.end(); ++tag) {
    ASSERT_EQ(tag->size(), lines.size()) << tag.key();
    auto field = tag.key();
    std::replace(field.begin(), field.end(), '/', '_');
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto line = nlohmann::json::parse(lines[i]);
      EXPECT_EQ((*tag)[i][0], line["step"]);
      EXPECT_EQ((*tag)[i][1], line["time"]);
      EXPECT_EQ((*tag)[i][2].get<float>(), line[field].get<float>()) << tag.key();
    }
  }
}

TEST(EvaluateSeveral, PrintsALineForEach) {
  const auto result = evaluate({"--weights", best(), "--weights", best(), "--quiet"});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 3U) << result.out;
  EXPECT_NE(lines[0].find("weights"), std::string::npos);
  EXPECT_EQ(lines[1], lines[2]);
  EXPECT_EQ(lines[1].substr(lines[1].size() - best().size()), best());
  const auto json = evaluate({"--weights", best(), "--weights", best(), "--format=json"});
  ASSERT_EQ(lines_of(json.out).size(), 2U) << json.out;
  const auto first = nlohmann::json::parse(lines_of(json.out)[0]);
  EXPECT_EQ(first["weights"], best());
  EXPECT_EQ(first["images"], 12);
}

TEST(EvaluateAverage, OfOneModelTwiceIsThatModel) {
  const TemporaryFolder folder;
  const auto mean = folder / "mean.safetensors";
  const auto json =
      evaluated({"--weights", best(), "--weights", best(), "--average", "--output", mean});
  const auto alone = evaluated({"--weights", best()});
  EXPECT_EQ(json["top1"], alone["top1"]);
  EXPECT_EQ(json["loss"], alone["loss"]);
  EXPECT_EQ(evaluated({"--weights", mean})["loss"], alone["loss"]);
  const auto again =
      evaluate({"--weights", best(), "--weights", best(), "--average", "--output", mean});
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find(mean + ": is there already; --force"), std::string::npos) << again.err;
}

TEST(EvaluateAverage, RefusesModelsOfOtherKinds) {
  const auto result = evaluate({"--weights", best(), "--weights", small_model(), "--average"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  EXPECT_NE(result.err.find(small_model() + ": "), std::string::npos) << result.err;
}

TEST(EvaluateAverage, TakesOnlyWhatMakesSense) {
  const std::vector<std::vector<std::string>> cases = {
      {"--average"},
      {"--output", "mean.safetensors"},
      {"--force"},
      {"--weights", best(), "--average", "--output", "mean.pth"},
      {"--weights", best(), "--report", "page.html"}};
  for (auto words : cases) {
    words.insert(words.end(), {"--weights", best()});
    const auto result = evaluate(words);
    EXPECT_EQ(result.status, 2) << words[0] << ": " << result.err;
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  }
}

TEST(EvaluateCheckpoint, GivesWhatTheRunFoundAfterThatEpoch) {
  for (const int epoch : {1, 2}) {
    const auto judged = evaluated({"--weights", checkpoint_of(hostile_run(), epoch)});
    EXPECT_EQ(judged["top1"], metrics_of(hostile_run())[epoch - 1]["val_top1"]);
    EXPECT_NEAR(
        judged["loss"].get<double>(),
        metrics_of(hostile_run())[epoch - 1]["val_loss"].get<double>(),
        1e-6);
  }
}

TEST(EvaluateBest, AveragesTheBestCheckpointsThatARunKeeps) {
  const TemporaryFolder folder;
  const auto metrics = metrics_of(hostile_run());
  const auto one = evaluated({"--weights", hostile_run(), "--best=1"});
  const auto top1 = [&](int epoch) { return metrics[epoch - 1]["val_top1"].get<double>(); };
  EXPECT_EQ(one["top1"], std::max(top1(1), top1(2)));
  const auto mean = folder / "mean.safetensors";
  const auto two = evaluated({"--weights", hostile_run(), "--best=2", "--output", mean});
  const auto both = evaluated(
      {"--weights",
       checkpoint_of(hostile_run(), 1),
       "--weights",
       checkpoint_of(hostile_run(), 2),
       "--average"});
  EXPECT_EQ(two["loss"], both["loss"]);
  EXPECT_EQ(evaluated({"--weights", mean})["loss"], two["loss"]);
}

TEST(EvaluateBest, TakesTheFolderOfARunThatKeepsEnough) {
  auto result = evaluate({"--weights", hostile_run(), "--best=3"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("keeps the checkpoints of 2 epochs, fewer than 3"), std::string::npos)
      << result.err;
  result = evaluate({"--weights", best(), "--best=1"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  result = evaluate({"--weights", hostile_run(), "--best=1", "--average"});
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("excludes --average"), std::string::npos) << result.err;
}

TEST(EvaluateMirrored, JudgesByOtherProbabilities) {
  const auto plain = evaluated({"--weights", best()});
  const auto mirrored = evaluated({"--weights", best(), "--tta"});
  EXPECT_NE(plain["loss"], mirrored["loss"]);
  EXPECT_EQ(mirrored["images"], 12);
}

TEST(Report, IsNotWrittenOverAnotherFile) {
  const TemporaryFolder folder;
  const auto page = folder / "page.html";
  std::ofstream(page) << "notes";
  auto result = evaluate({"--weights", best(), "--report", page});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.err, "vitrine: " + page + ": is there already, and no page of HTML\n");
  EXPECT_EQ(bytes_of(page), "notes");
  result = evaluate({"--weights", best(), "--report", best()});
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("expected a name that ends in .html"), std::string::npos) << result.err;
  std::filesystem::remove(page);
  EXPECT_EQ(evaluate({"--weights", best(), "--report", page}).status, 0);
  EXPECT_EQ(evaluate({"--weights", best(), "--report", page}).status, 0);  // a page it replaces
}

}  // namespace
}  // namespace vitrine

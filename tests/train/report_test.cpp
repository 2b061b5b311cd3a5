#include "vitrine/train/report.h"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "vitrine/image/opencv.h"

#include "support/temporary_folder.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

const std::string kHostile = "<script>alert('x')</script>&\"\n\xFF";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

int64_t count_of(const std::string& text, const std::string& part) {
  int64_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

EpochRecord epoch(int64_t number, double loss, double top1) {
  return {
      number, number * 10, 0.1 / static_cast<double>(number), 2 * loss, loss, top1, 1, 100, 0, 90};
}

/// `right` images of each of `classes` classes answered rightly, and those in `wrong`.
Evaluation evaluation(
    int64_t classes, int64_t right, const std::vector<std::pair<int64_t, int64_t>>& wrong) {
  std::vector<int64_t> targets;
  std::vector<int64_t> answers;
  for (int64_t i = 0; i < classes * right; ++i) {
    targets.push_back(i % classes);
    answers.push_back(i % classes);
  }
  for (const auto& [target, answer] : wrong) {
    targets.push_back(target);
    answers.push_back(answer);
  }
  Evaluation result;
  result.images = static_cast<int64_t>(targets.size());
  result.top1 = static_cast<double>(classes * right) / static_cast<double>(targets.size());
  result.top5 = 1;
  result.confusion = ConfusionMatrix(classes);
  result.confusion.add(torch::tensor(answers), torch::tensor(targets));
  return result;
}

std::vector<std::uint8_t> from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') {
      break;
    }
    bits = bits << 6 | static_cast<std::uint32_t>(digits.find(c));
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> count & 0xFF));
    }
  }
  return bytes;
}

/// The pictures in a page, decoded.
std::vector<torch::Tensor> pictures_in(const std::string& html) {
  const std::string start = ";base64,";
  std::vector<torch::Tensor> pictures;
  for (auto at = html.find(start); at != std::string::npos; at = html.find(start, at + 1)) {
    const auto begin = at + start.size();
    const auto bytes = from_base64(html.substr(begin, html.find('"', begin) - begin));
    pictures.push_back(image_from_mat(cv::imdecode(bytes, cv::IMREAD_COLOR)));
  }
  return pictures;
}

TEST(Report, EscapesEveryText) {
  const TemporaryFolder folder;
  Report report;
  report.title = kHostile;
  report.subtitle = kHostile;
  report.labels = {kHostile, "b"};
  report.evaluation = evaluation(2, 3, {{0, 1}});
  report.evaluation->mistakes = {{0, 0, 1, 0.9, 2.5}};
  report.samples = {{folder / kHostile, 0}};
  report.training_pictures = {{torch::zeros({4, 4, 3}, torch::kUInt8), kHostile}};
  report.facts = {{kHostile, {{kHostile, kHostile}}}};
  const auto html = report_html(report);
  EXPECT_FALSE(holds(html, "<script"));
  EXPECT_FALSE(holds(html, "('x')"));
  EXPECT_FALSE(holds(html, "\xFF"));
  const std::string escaped =
      "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\\x0a\\xff";
  EXPECT_GE(count_of(html, escaped), 12);
  EXPECT_TRUE(holds(html, "cannot be read")) << "the mistake's file is missing";
}

TEST(Report, NeedsNothingElse) {
  Report report;
  report.title = "model";
  report.epochs = {epoch(1, 1, 0.5), epoch(2, 0.5, 0.75)};
  report.evaluation = evaluation(3, 2, {{0, 1}});
  report.training_pictures = {{torch::zeros({80, 80, 3}, torch::kUInt8), "a"}};
  const auto html = report_html(report);
  for (const auto* part : {"http:", "https:", "url(", "href", "@import", "<script", "<link"}) {
    EXPECT_FALSE(holds(html, part)) << part;
  }
  EXPECT_EQ(count_of(html, "src=\""), count_of(html, "src=\"data:image/"));
  EXPECT_EQ(count_of(html, "src=\""), 1);
}

TEST(Report, DrawsCurvesWithAxesAndTheBestEpoch) {
  Report report;
  report.title = "model";
  for (int64_t i = 1; i <= 40; ++i) {
    report.epochs.push_back(
        epoch(i, 2.0 / static_cast<double>(i), i == 30 ? 0.875 : 0.01 * static_cast<double>(i)));
  }
  const auto html = report_html(report);
  EXPECT_EQ(count_of(html, "<svg"), 4);
  EXPECT_TRUE(holds(html, "<b>30 of 40</b>"));
  EXPECT_TRUE(holds(html, "<b>87.50 %</b>"));
  EXPECT_TRUE(holds(html, "<b>1 h 00 min</b>"));
  for (const auto* tick : {">4</text>", ">80 %</text>", ">0.08</text>", ">20</text>"}) {
    EXPECT_TRUE(holds(html, tick)) << tick;
  }
  EXPECT_TRUE(holds(html, "<title>epoch 30, top-1: 87.5 %</title>"));
}

TEST(Report, LeavesGapsWhereALossIsNotFinite) {
  Report report;
  report.title = "model";
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  report.epochs = {epoch(1, 1, 0.5), epoch(2, nan, 0.5), epoch(3, HUGE_VAL, 0.5), epoch(4, 1, 0.5)};
  const auto html = report_html(report);
  EXPECT_FALSE(holds(html, "nan"));
  EXPECT_FALSE(holds(html, "inf"));
  report.epochs = {epoch(1, nan, nan)};
  EXPECT_TRUE(holds(report_html(report), "no finite value"));
}

TEST(Report, ShowsTheMatrixOfTheClassesThatOccur) {
  Report report;
  report.evaluation = evaluation(3, 4, {{0, 2}, {0, 2}});
  report.labels = {"ant", "bee", "cow"};
  auto html = report_html(report);
  EXPECT_TRUE(holds(html, "aria-label=\"confusion matrix\""));
  EXPECT_TRUE(holds(html, "<title>2 of 6 images of ant taken for cow</title>"));
  EXPECT_TRUE(holds(html, "<title>4 of 4 images of bee taken for bee</title>"));
  // Of a thousand classes two have images.
  report.labels.clear();
  report.evaluation->confusion = ConfusionMatrix(1000);
  report.evaluation->confusion.add(torch::tensor({7, 500}), torch::tensor({7, 7}));
  html = report_html(report);
  EXPECT_TRUE(holds(html, "<title>1 of 2 images of 7 taken for 500</title>"));
  EXPECT_EQ(count_of(html, "class=\"wrong\""), 1);
}

TEST(Report, NamesTheMostConfusedOfManyClasses) {
  Report report;
  report.evaluation = evaluation(60, 1, {{3, 4}, {3, 4}, {3, 4}, {8, 9}, {50, 1}, {50, 1}});
  const auto html = report_html(report);
  EXPECT_FALSE(holds(html, "confusion matrix\""));
  EXPECT_TRUE(holds(html, "60 classes are too many for a matrix"));
  const auto worst = html.find(
      "<td class=\"name\"><bdi>3</bdi></td><td class=\"name\"><bdi>4</bdi></td>"
      "<td class=\"number\">3</td>");
  const auto second = html.find(
      "<td class=\"name\"><bdi>50</bdi></td><td class=\"name\"><bdi>1</bdi></td>"
      "<td class=\"number\">2</td>");
  ASSERT_NE(worst, std::string::npos);
  EXPECT_LT(worst, second);
  EXPECT_NE(second, std::string::npos);
}

TEST(Report, ScoresClassesTheWorstFirst) {
  Report report;
  report.evaluation = evaluation(3, 3, {{1, 2}});
  report.labels = {"ant", "bee", "cow"};
  const auto html = report_html(report);
  // bee: precision 3/3, recall 3/4, F1 6/7; cow: precision 3/4, recall 1, F1 6/7; ant: all right.
  const auto bee = html.find("<bdi>bee</bdi></td><td class=\"share\"><i style=\"width:85.7%\">");
  const auto ant = html.find("<bdi>ant</bdi></td><td class=\"share\"><i style=\"width:100.0%\">");
  ASSERT_NE(bee, std::string::npos);
  ASSERT_NE(ant, std::string::npos);
  EXPECT_LT(bee, ant);
  EXPECT_TRUE(holds(
      html.substr(bee, ant - bee),
      "<td class=\"number\">100.00 %</td><td class=\"number\">75.00 %</td>"
      "<td class=\"number\">4</td>"));
}

TEST(Report, HoldsPicturesAsTheyAre) {
  const TemporaryFolder folder;
  cv::Mat file(6, 9, CV_8UC3);
  cv::randu(file, 0, 256);
  cv::imwrite(folder / "a.png", file);
  torch::manual_seed(0);
  const auto small = torch::randint(256, {8, 5, 3}, torch::kUInt8);
  Report report;
  report.evaluation = evaluation(2, 1, {{0, 1}});
  report.evaluation->mistakes = {{0, 0, 1, 0.625, 2.5}};
  report.samples = {{folder / "a.png", 0}};
  report.labels = {"ant", "bee"};
  report.training_pictures = {
      {small, "small"}, {torch::full({400, 1000, 3}, 77, torch::kUInt8), "large"}};
  const auto html = report_html(report);
  const auto pictures = pictures_in(html);
  ASSERT_EQ(pictures.size(), 3U);
  EXPECT_TRUE(torch::equal(pictures[0], image_from_mat(file)));
  EXPECT_TRUE(torch::equal(pictures[1], small));
  EXPECT_EQ(pictures[2].sizes(), (std::vector<int64_t>{102, 256, 3}));
  EXPECT_TENSOR_NEAR(pictures[2], torch::full({102, 256, 3}, 77, torch::kUInt8), 2);
  EXPECT_TRUE(holds(html, "62.50 % sure"));
}

TEST(Report, TellsTheFactsOfJson) {
  const auto facts = facts_from_json(
      R"({"lr":1e-3,"list":[1,"a"],"empty":"","none":null,"inner":{"x":true,"deep":{"y":2}}})");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"lr", "0.001"},
      {"list", "1, a"},
      {"empty", "–"},
      {"none", "–"},
      {"inner.x", "true"},
      {"inner.deep.y", "2"}};
  EXPECT_EQ(facts, expected);
  EXPECT_TRUE(facts_from_json("[1]").empty());
  EXPECT_TRUE(facts_from_json("{").empty());
}

}  // namespace
}  // namespace vitrine

#include "train/metrics_copies.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "vitrine/file.h"

#include "support/temporary_folder.h"
#include "train/event_file.h"

namespace vitrine::detail {
namespace {

const std::string kFirst =
    R"({"epoch":1,"step":9,"lr":0.5,"train_loss":2.5,"val_loss":null,"val_top1":0.25,"time":100.5})";
const std::string kSecond =
    R"({"epoch":2,"step":18,"lr":0.25,"train_loss":1.5,"val_loss":1.75,"val_top1":1,"time":200})";

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

/// The files in `folder` that hold events.
std::vector<std::string> events_in(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().find("tfevents") != std::string::npos) {
      paths.push_back(entry.path().string());
    }
  }
  return paths;
}

std::string first_event() {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  return scalars_event(
      100.5, 9, {{"train/loss", 2.5}, {"val/loss", nan}, {"val/top1", 0.25}, {"lr", 0.5}});
}

std::string second_event() {
  return scalars_event(
      200, 18, {{"train/loss", 1.5}, {"val/loss", 1.75}, {"val/top1", 1}, {"lr", 0.25}});
}

TEST(MetricsCopies, AddLineByLineWhatARewriteGivesAtOnce) {
  const std::string csv =
      "epoch,step,lr,train_loss,val_loss,val_top1,time\n"
      "1,9,0.5,2.5,,0.25,100.5\n"
      "2,18,0.25,1.5,1.75,1,200\n";
  const TemporaryFolder grown;
  MetricsCopies copies(grown.path());
  copies.rewrite({});
  EXPECT_EQ(text_of(grown / "metrics.csv"), "");
  copies.append(kFirst);
  copies.append(kSecond);
  EXPECT_EQ(text_of(grown / "metrics.csv"), csv);
  ASSERT_EQ(events_in(grown.path()).size(), 1U);
  const auto begin = version_event(0).size();
  EXPECT_EQ(text_of(events_in(grown.path())[0]).substr(begin), first_event() + second_event());

  const TemporaryFolder made;
  MetricsCopies(made.path()).rewrite({kFirst, kSecond});
  EXPECT_EQ(text_of(made / "metrics.csv"), csv);
  ASSERT_EQ(events_in(made.path()).size(), 1U);
  EXPECT_EQ(
      text_of(events_in(made.path())[0]), version_event(100.5) + first_event() + second_event());
}

TEST(MetricsCopies, HoldNothingTwiceWhenARunGoesOn) {
  const TemporaryFolder folder;
  const auto earlier = folder / "events.out.tfevents.1234567890.vitrine";
  std::ofstream(earlier) << "cut short";
  std::ofstream(folder / "metrics.csv") << "epoch\n1\n2\n3";
  MetricsCopies copies(folder.path());
  copies.rewrite({kFirst});
  copies.append(kSecond);
  EXPECT_FALSE(std::filesystem::exists(earlier));
  ASSERT_EQ(events_in(folder.path()).size(), 1U);
  EXPECT_EQ(
      text_of(events_in(folder.path())[0]), version_event(100.5) + first_event() + second_event());
}

TEST(MetricsCopies, LeaveTheEventsOfOthersAlone) {
  const TemporaryFolder folder;
  const auto theirs = folder / "events.out.tfevents.1234567890.host.1.0";
  std::ofstream(theirs) << "theirs";
  MetricsCopies copies(folder.path());
  copies.rewrite({kFirst});
  copies.clear();
  EXPECT_EQ(events_in(folder.path()), std::vector<std::string>{theirs});
  EXPECT_FALSE(std::filesystem::exists(folder / "metrics.csv"));
}

TEST(MetricsCopies, QuoteTextsAsRfc4180Does) {
  const TemporaryFolder folder;
  MetricsCopies copies(folder.path());
  copies.append(R"({"a,b":"x \"y\"","c":"plain"})");
  EXPECT_EQ(text_of(folder / "metrics.csv"), "\"a,b\",c\n\"x \"\"y\"\"\",plain\n");
}

TEST(MetricsCopies, AreKnownByTheirNames) {
  EXPECT_TRUE(is_metrics_copy("metrics.csv"));
  EXPECT_TRUE(is_metrics_copy("events.out.tfevents.1700000000.vitrine"));
  EXPECT_FALSE(is_metrics_copy("events.out.tfevents.1700000000.host"));
  EXPECT_FALSE(is_metrics_copy("events.out.tfevents..vitrine"));
  EXPECT_FALSE(is_metrics_copy("events.out.tfevents.x.vitrine"));
}

}  // namespace
}  // namespace vitrine::detail

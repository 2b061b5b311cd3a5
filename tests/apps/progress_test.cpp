#include "progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>

namespace vitrine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Options whose clock the test moves.
struct Clock {
  std::chrono::steady_clock::time_point time{};

  ProgressOptions options(bool bar, int columns = 80) {
    ProgressOptions result;
    result.bar = bar;
    result.columns = [columns] { return columns; };
    result.now = [this] { return time; };
    return result;
  }
};

TEST(Progress, DrawsABarWithRateAndTimeLeft) {
  Clock clock;
  std::ostringstream stream;
  Progress progress(stream, clock.options(true), "read", 100, "images");
  clock.time += seconds(2);
  progress.update(50, "loss 0.3");
  EXPECT_EQ(
      stream.str(),
      "\r[###############...............] read: 50/100 images, 25/s, 2 s left, loss 0.3\x1b[K");
}

TEST(Progress, StaysWithinTheColumnsOfTheTerminal) {
  for (const int columns : {1, 10, 20, 40, 60, 200}) {
    Clock clock;
    std::ostringstream stream;
    Progress progress(stream, clock.options(true, columns), "read", 100, "images");
    clock.time += seconds(2);
    progress.update(50);
    const auto drawn = stream.str().size() - std::string("\r\x1b[K").size();
    EXPECT_LE(drawn, std::max<std::size_t>(columns - 1, 1)) << columns;
  }
}

TEST(Progress, LeavesTheEndOfItsNoteOutBeforeItsBar) {
  Clock clock;
  std::ostringstream stream;
  Progress progress(stream, clock.options(true, 60), "read", 100, "images");
  clock.time += seconds(2);
  progress.update(50, "loss 0.3, waiting 5 %, lr 0.001");
  EXPECT_EQ(stream.str(), "\r[#####......] read: 50/100 images, 25/s, 2 s left, loss 0.3\x1b[K");
}

TEST(Progress, TakesNoRateFromWhatWasDoneBefore) {
  Clock clock;
  std::ostringstream stream;
  Progress progress(stream, clock.options(true, 50), "read", 100, "images", /*before=*/60);
  progress.update(60);
  EXPECT_EQ(stream.str(), "\r[################...........] read: 60/100 images\x1b[K");
  stream.str("");
  clock.time += seconds(2);
  progress.update(80);
  EXPECT_EQ(stream.str(), "\r[########...] read: 80/100 images, 10/s, 2 s left\x1b[K");
}

TEST(Progress, RedrawsOnlyNowAndThen) {
  Clock clock;
  std::ostringstream stream;
  Progress progress(stream, clock.options(true), "read", 100, "images");
  progress.update(1);
  const auto first = stream.str();
  clock.time += milliseconds(50);
  progress.update(2);
  EXPECT_EQ(stream.str(), first);
  clock.time += milliseconds(50);
  progress.update(3);
  EXPECT_NE(stream.str(), first);
}

TEST(Progress, ErasesItsBarForOthersAndAtTheEnd) {
  Clock clock;
  std::ostringstream stream;
  {
    Progress progress(stream, clock.options(true), "read", 2, "images");
    progress.update(1);
    stream.str("");
    progress.line("a word");
    EXPECT_EQ(stream.str(), "\r\x1b[Ka word\n");
    progress.update(2);
    stream.str("");
  }
  EXPECT_EQ(stream.str(), "\r\x1b[K");
}

TEST(Progress, WritesWholeLinesWhereThereIsNoTerminal) {
  Clock clock;
  auto options = clock.options(false);
  options.line_interval = seconds(10);
  std::ostringstream stream;
  Progress progress(stream, options, "read", 100, "images");
  for (int i = 1; i <= 25; ++i) {
    clock.time += seconds(1);
    progress.update(i);
  }
  EXPECT_EQ(
      stream.str(),
      "read: 10/100 images, 1.00/s, 1:30 left\nread: 20/100 images, 1.00/s, 1:20 left\n");
}

TEST(Progress, IsSilentWithoutTerminalAndInterval) {
  Clock clock;
  std::ostringstream stream;
  {
    Progress progress(stream, clock.options(false), "read", 100, "images");
    clock.time += seconds(1000);
    progress.update(50);
  }
  EXPECT_EQ(stream.str(), "");
}

TEST(Progress, LivesWithAnUnknownTotalAndNoTimePassed) {
  Clock clock;
  std::ostringstream stream;
  Progress progress(stream, clock.options(true), "", 0, "images");
  progress.update(7);
  EXPECT_EQ(stream.str(), "\r7 images\x1b[K");
}

TEST(DurationText, ChoosesTheUnit) {
  EXPECT_EQ(duration_text(0.2), "0 s");
  EXPECT_EQ(duration_text(59), "59 s");
  EXPECT_EQ(duration_text(185), "3:05");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(-5), "0 s");
}

}  // namespace
}  // namespace vitrine

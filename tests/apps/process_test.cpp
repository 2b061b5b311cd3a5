#include "support/process.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace vitrine {
namespace {

TEST(Process, TellsStatusAndOutputs) {
  ProcessOptions options;
  options.input = "in\n";
  options.environment = {{"WORD", "w"}};
  options.directory = "/";
  const auto result = run_process({"sh", "-c", "cat; echo $WORD >&2; pwd; exit 3"}, options);
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.out, "in\n/\n");
  EXPECT_EQ(result.err, "w\n");
  EXPECT_GT(result.peak_memory_kib, 0);
}

TEST(Process, TellsTheSignalThatEndedIt) {
  Process process({"sleep", "60"});
  EXPECT_TRUE(process.running());
  process.send(SIGTERM);
  const auto result = process.wait();
  EXPECT_EQ(result.signal, SIGTERM);
  EXPECT_EQ(result.status, -1);
  EXPECT_FALSE(process.running());
}

TEST(Process, IsKilledWhenItsTimeIsUp) {
  ProcessOptions options;
  options.timeout = std::chrono::seconds(0);
  EXPECT_TRUE(run_process({"sleep", "60"}, options).timed_out);
}

TEST(Process, FailsToWriteBeyondTheLargestFile) {
  const TemporaryFolder folder;
  ProcessOptions options;
  options.directory = folder.path();
  options.largest_file = 1024;
  const auto result =
      run_process({"sh", "-c", "head -c 2000 /dev/zero > big; echo $?; wc -c < big"}, options);
  EXPECT_NE(result.out.substr(0, 2), "0\n");
  EXPECT_NE(result.out.find("1024"), std::string::npos);
}

}  // namespace
}  // namespace vitrine

#include "train/event_file.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "vitrine/file.h"

namespace vitrine::detail {
namespace {

TEST(Crc32c, GivesThePublishedValues) {
  // RFC 3720, section B.4, and the check value of the catalogue of CRCs.
  EXPECT_EQ(crc32c("123456789", 9), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0').data(), 32), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF').data(), 32), 0x62A8AB43U);
  EXPECT_EQ(crc32c("", 0), 0U);
}

TEST(EventFile, HasTheBytesThatTensorBoardsWriterGives) {
  const auto bytes = read_file(std::string(VITRINE_TEST_DATA) + "/golden/events.tfevents");
  // The same events as in tests/golden/make_events_golden.py.
  const auto infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(
      version_event(1700000000.125) +
          scalars_event(1700000001.5, 0, {{"train/loss", 2.302585}, {"lr", 0}}) +
          scalars_event(
              1700000003.25,
              300,
              {{"train/loss", 0.1}, {"val/top1", 1}, {"images_per_second", 1e9}}) +
          scalars_event(
              1700000004, std::int64_t{1} << 40, {{"val/loss", infinity}, {"val/top1", -1e-45}}),
      std::string(bytes.begin(), bytes.end()));
}

}  // namespace
}  // namespace vitrine::detail

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "vitrine/file.h"

#include "fuzz/fuzz_targets.h"

namespace vitrine {
namespace {

using Target = void (*)(const std::uint8_t* data, std::size_t size);

/// Runs a target on each file of a folder. It ends the process where one is not treated as it
/// should.
void replay(const std::string& folder, Target target) {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(VITRINE_TEST_DATA "/") + folder)) {
    SCOPED_TRACE(entry.path().string());
    const auto bytes = read_file(entry.path().string());
    target(bytes.data(), bytes.size());
    ++count;
  }
  EXPECT_GT(count, 10U);
}

TEST(Fuzz, OfImagesIsReplayed) {
  replay("fuzz/corpus/image", fuzz_image);
  replay("data/images", fuzz_image);  // the seeds
}

TEST(Fuzz, OfPicklesIsReplayed) {
  replay("fuzz/corpus/pickle", fuzz_pickle);
}

TEST(Fuzz, OfPyTorchFilesIsReplayed) {
  replay("fuzz/corpus/zip", fuzz_zip);
}

TEST(Fuzz, OfSafetensorsHeadersIsReplayed) {
  replay("fuzz/corpus/safetensors_header", fuzz_safetensors_header);
}

}  // namespace
}  // namespace vitrine

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli.h"
#include "support/cost.h"

namespace vitrine {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kImages = 1000;
constexpr long kFlatMemoryKib = 48 << 10;

void append_big_endian(Bytes& bytes, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

/// The checksum of a PNG chunk.
std::uint32_t crc32(const Bytes& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const auto byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
    }
  }
  return ~crc;
}

/// A PNG whose header, its checksum right, gives another size.
Bytes png_with_size(std::uint32_t width, std::uint32_t height) {
  auto bytes = encoded(".png", picture(0));
  Bytes header{'I', 'H', 'D', 'R'};
  append_big_endian(header, width);
  append_big_endian(header, height);
  header.insert(header.end(), bytes.begin() + 24, bytes.begin() + 29);
  append_big_endian(header, crc32(header));
  std::copy(header.begin(), header.end(), bytes.begin() + 12);
  return bytes;
}

void append_little_endian(Bytes& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

void append_chunk(Bytes& bytes, const std::string& name, const Bytes& content) {
  bytes.insert(bytes.end(), name.begin(), name.end());
  append_little_endian(bytes, static_cast<std::uint32_t>(content.size()), 4);
  bytes.insert(bytes.end(), content.begin(), content.end());
}

/// A WebP of two frames, well-formed.
Bytes animated_webp() {
  const auto still = encoded(".webp", picture(0));
  const Bytes frame_image(still.begin() + 12, still.end());
  Bytes frame;
  append_little_endian(frame, 0, 3);   // x
  append_little_endian(frame, 0, 3);   // y
  append_little_endian(frame, 63, 3);  // width - 1
  append_little_endian(frame, 47, 3);  // height - 1
  append_little_endian(frame, 100, 3);
  frame.push_back(0);
  frame.insert(frame.end(), frame_image.begin(), frame_image.end());
  Bytes extended{2, 0, 0, 0};
  append_little_endian(extended, 63, 3);
  append_little_endian(extended, 47, 3);
  Bytes content{'W', 'E', 'B', 'P'};
  append_chunk(content, "VP8X", extended);
  append_chunk(content, "ANIM", {0, 0, 0, 0, 0, 0});
  append_chunk(content, "ANMF", frame);
  append_chunk(content, "ANMF", frame);
  Bytes bytes;
  append_chunk(bytes, "RIFF", content);
  return bytes;
}

/// Makes the ten broken ones in `folder`; their names, in order.
std::vector<std::string> make_broken(const TemporaryFolder& folder) {
  auto jpeg = encoded(".jpg", picture(0, 200, 300));
  jpeg.resize(jpeg.size() / 2);
  auto corrupt = encoded(".png", picture(0, 200, 300));
  for (std::size_t i = 0; i < 20; ++i) {
    corrupt[corrupt.size() / 2 + i] ^= 0x5A;
  }
  write_bytes(folder / "0000_empty.jpg", {});
  write_bytes(folder / "0100_truncated.jpg", jpeg);
  write_text(folder / "0200_text.png", "This is a letter, not a picture.\n");
  write_bytes(folder / "0300_zero.png", png_with_size(0, 0));
  write_bytes(folder / "0400_huge.png", png_with_size(100'000, 100'000));
  std::filesystem::create_directory(folder / "0500_folder.jpg");
  std::filesystem::create_symlink("nowhere.jpg", folder / "0600_dangling.jpg");
  write_text(folder / "0700_wrong_extension.jpg", "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n");
  write_bytes(folder / "0800_animated.webp", animated_webp());
  write_bytes(folder / "9999_corrupt.png", corrupt);
  return {
      "0000_empty.jpg",
      "0100_truncated.jpg",
      "0200_text.png",
      "0300_zero.png",
      "0400_huge.png",
      "0500_folder.jpg",
      "0600_dangling.jpg",
      "0700_wrong_extension.jpg",
      "0800_animated.webp",
      "9999_corrupt.png"};
}

std::string numbered(int number, const std::string& extension) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04d", number);
  return text.data() + extension;
}

TEST(ClassifyFolder, AnswersTheSoundAndNamesTheBroken) {
  const TemporaryFolder folder;
  const auto broken = make_broken(folder);
  const std::vector<std::string> extensions{".png", ".jpg", ".webp", ".bmp", ".tif"};
  std::vector<Bytes> files;
  for (const auto& extension : extensions) {
    files.push_back(encoded(extension, picture(1, 160, 200)));
  }
  std::string first_hundred;
  for (int i = 0; i < kImages - static_cast<int>(broken.size()); ++i) {
    // Each tenth has another kind's extension, which must not matter.
    const auto kind = static_cast<std::size_t>(i) % files.size();
    const auto shown = i % 10 == 9 ? (kind + 1) % files.size() : kind;
    const auto path = folder / numbered(i, extensions[shown]);
    write_bytes(path, files[kind]);
    first_hundred += i < 100 ? path + "\n" : "";
  }

  const auto result = classify({folder.path(), "--format", "jsonl", "--top-k", "1"});
  EXPECT_EQ(result.status, 1);

  std::map<std::string, std::string> failures;
  std::string last;
  const auto objects = lines_of(result.out);
  EXPECT_EQ(objects.size(), static_cast<std::size_t>(kImages));
  for (const auto& line : objects) {
    const auto object = nlohmann::json::parse(line);
    const std::string file = object["file"];
    EXPECT_LT(last, file);
    last = file;
    if (object.contains("error")) {
      failures[std::filesystem::path(file).filename()] = object["error"];
    } else {
      EXPECT_EQ(object["predictions"].size(), 1U);
    }
  }

  const auto errors = lines_of(result.err);
  ASSERT_EQ(errors.size(), broken.size()) << result.err;
  for (std::size_t i = 0; i < broken.size(); ++i) {
    const auto prefix = "vitrine: " + (folder / broken[i]) + ": ";
    EXPECT_EQ(errors[i].rfind(prefix, 0), 0U) << errors[i];
    EXPECT_EQ(failures[broken[i]], errors[i].substr(prefix.size()));
  }

  ProcessOptions hundred;
  hundred.input = first_hundred;
  const auto small = classify({"-", "--format", "jsonl", "--top-k", "1"}, hundred);
  EXPECT_EQ(small.status, 0) << small.err;
  if (!kSanitized) {  // memory that was freed stays with the sanitizer for a while
    EXPECT_LT(result.peak_memory_kib - small.peak_memory_kib, kFlatMemoryKib);
  }
}

}  // namespace
}  // namespace vitrine

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/image/image.h"

#include "image/fixtures.h"
#include "support/cost_limit.h"

namespace vitrine {
namespace {

using Data = std::vector<std::uint8_t>;

/// One of each kind of file, of each compression and of each layout.
const std::vector<std::string> kSamples = {
    "baseline_420.jpg",
    "progressive.jpg",
    "restart.jpg",
    "orientation_6.jpg",
    "cmyk.jpg",
    "grey_16.png",
    "interlaced.png",
    "palette_4.png",
    "bad_profile.png",
    "animated.png",
    "lossy_alpha.webp",
    "lossless.webp",
    "orientation_8.webp",
    "animated.webp",
    "rgb.bmp",
    "565.bmp",
    "rle8.bmp",
    "rle4.bmp",
    "palette.bmp",
    "plain.tif",
    "lzw.tif",
    "lzw_predictor.tif",
    "packbits.tif",
    "tiles.tif",
    "planes.tif",
    "palette.tif",
    "rgb_16_predictor.tif"};

/// The message with which the data is refused; empty when it is decoded.
std::string refusal(const Data& data) {
  try {
    const auto image = decode_image(data.data(), data.size());
    EXPECT_EQ(image.size(2), 3);
  } catch (const ImageError& error) {
    EXPECT_STRNE(error.what(), "");
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
    return error.what();
  }
  return "";
}

/// The same, within 100 ms and 64 MB.
std::string cheap_refusal(const Data& data) {
  std::string message;
  expect_cheap([&] { message = refusal(data); });
  return message;
}

void put_little(Data& data, std::size_t offset, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    data.at(offset + i) = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

void put_big(Data& data, std::size_t offset, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    data.at(offset + i) = static_cast<std::uint8_t>(value >> (8 * (bytes - 1 - i)));
  }
}

/// Gives every chunk of a PNG the checksum that fits what it holds now.
void mend_checksums(Data& png) {
  std::size_t at = 8;
  while (at + 12 <= png.size()) {
    const std::size_t length = std::size_t{png[at]} << 24 | std::size_t{png[at + 1]} << 16 |
                               std::size_t{png[at + 2]} << 8 | png[at + 3];
    if (length > png.size() - at - 12) {
      return;
    }
    std::uint32_t checksum = 0xffffffffU;
    for (std::size_t i = at + 4; i < at + 8 + length; ++i) {
      checksum ^= png[i];
      for (int bit = 0; bit < 8; ++bit) {
        checksum = checksum >> 1 ^ ((checksum & 1U) != 0 ? 0xedb88320U : 0U);
      }
    }
    put_big(png, at + 8 + length, ~checksum, 4);
    at += length + 12;
  }
}

std::size_t find(const Data& data, std::string_view text) {
  const auto found =
      std::search(data.begin(), data.end(), text.begin(), text.end(), [](std::uint8_t a, char b) {
        return a == static_cast<std::uint8_t>(b);
      });
  EXPECT_NE(found, data.end()) << text;
  return static_cast<std::size_t>(found - data.begin());
}

TEST(DecodeImage, RefusesNothingAndNoImage) {
  EXPECT_EQ(refusal({}), "empty file");
  EXPECT_NE(refusal({0, 1, 2, 3, 4, 5, 6, 7}).find("unknown content"), std::string::npos);
  const std::string_view page = "<!DOCTYPE html><html></html>";
  EXPECT_NE(
      refusal(Data(page.begin(), page.end())).find("not a supported image: text"),
      std::string::npos);
}

TEST(DecodeImage, RefusesFilesCutShortAnywhere) {
  const CapturedStandardError captured;
  for (const auto& name : kSamples) {
    SCOPED_TRACE(name);
    const auto whole = read_file(image_path(name));
    // The last bytes of a BMP or a TIFF may be padding, or belong to a page that is not shown.
    const bool told_by_end =
        name.find(".bmp") == std::string::npos && name.find(".tif") == std::string::npos;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const bool refused =
          !refusal(Data(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).empty();
      ASSERT_TRUE(refused || (!told_by_end && size > whole.size() / 2))
          << size << " of " << whole.size();
    }
  }
  EXPECT_EQ(captured.text(), "");
}

TEST(DecodeImage, SurvivesFlippedBytesWithoutAWord) {
  const CapturedStandardError captured;
  std::mt19937 random(1);
  int decoded = 0;
  int refused = 0;
  for (const auto& name : kSamples) {
    const auto whole = read_file(image_path(name));
    const bool png = name.find(".png") != std::string::npos;
    for (int i = 0; i < 2000; ++i) {
      Data data = whole;
      const unsigned flips = 1 + random() % 4;
      for (unsigned flip = 0; flip < flips; ++flip) {
        data[random() % data.size()] = static_cast<std::uint8_t>(random());
      }
      if (png && i % 4 != 0) {
        mend_checksums(data);
      }
      ++(refusal(data).empty() ? decoded : refused);
      ASSERT_EQ(captured.text(), "") << name << ", mutation " << i;
    }
  }
  // Both happen often, so that neither the checks nor the codecs go untried.
  EXPECT_GT(decoded, 5000);
  EXPECT_GT(refused, 5000);
}

TEST(DecodeImage, RefusesPicturesWithoutPixelsAndBeyondTheLimit) {
  const std::vector<std::pair<std::string, std::size_t>> sizes = {
      {"rgba.png", 16}, {"bad_profile.png", 16}};
  for (const auto& [name, offset] : sizes) {
    auto data = read_file(image_path(name));
    put_big(data, offset, 0, 4);
    put_big(data, offset + 4, 0, 4);
    mend_checksums(data);
    EXPECT_EQ(cheap_refusal(data), "PNG of 0x0 pixels holds no picture");
    put_big(data, offset, 100000, 4);
    put_big(data, offset + 4, 100000, 4);
    mend_checksums(data);
    EXPECT_EQ(
        cheap_refusal(data),
        "PNG of 100000x100000 pixels is larger than the limit of 178956970 pixels");
  }
  auto jpeg = read_file(image_path("baseline_444.jpg"));
  const std::size_t frame = find(jpeg, "\xff\xc0");
  put_big(jpeg, frame + 5, 65000, 2);
  put_big(jpeg, frame + 7, 65000, 2);
  EXPECT_EQ(
      cheap_refusal(jpeg),
      "JPEG of 65000x65000 pixels is larger than the limit of 178956970 pixels");
  put_big(jpeg, frame + 5, 13000, 2);
  put_big(jpeg, frame + 7, 13000, 2);
  EXPECT_EQ(cheap_refusal(jpeg), "JPEG is damaged: its image data ends too early");

  auto bmp = read_file(image_path("rgb.bmp"));
  put_little(bmp, 18, 100000, 4);
  put_little(bmp, 22, 100000, 4);
  EXPECT_EQ(
      cheap_refusal(bmp),
      "BMP of 100000x100000 pixels is larger than the limit of 178956970 pixels");
  auto webp = read_file(image_path("lossless.webp"));
  // 14 bits each for the sides less 1, after the signature of the first chunk.
  put_little(webp, find(webp, "VP8L") + 9, 0x0FFFFFFF, 4);
  EXPECT_EQ(
      cheap_refusal(webp),
      "WebP of 16384x16384 pixels is larger than the limit of 178956970 pixels");
  auto tiff = read_file(image_path("plain.tif"));
  // Entries of the directory: tag, kind (4: 32 bits), count, value.
  for (const auto* tag : {"\x01\x01", "\x00\x01"}) {
    const auto entry = find(tiff, std::string(tag, 2));
    put_little(tiff, entry + 2, 4, 2);
    put_little(tiff, entry + 8, 100000, 4);
  }
  EXPECT_EQ(
      cheap_refusal(tiff),
      "TIFF of 100000x100000 pixels is larger than the limit of 178956970 pixels");
}

/// Sets the first value, a short number, of a tag of a little-endian TIFF.
void set_tag(Data& tiff, unsigned tag, unsigned value) {
  const std::size_t directory = tiff.at(4) | std::size_t{tiff.at(5)} << 8;
  const std::size_t count = tiff.at(directory) | std::size_t{tiff.at(directory + 1)} << 8;
  for (std::size_t at = directory + 2; at < directory + 2 + 12 * count; at += 12) {
    if ((tiff.at(at) | unsigned{tiff.at(at + 1)} << 8) == tag) {
      tiff.at(at + 8) = static_cast<std::uint8_t>(value);
      tiff.at(at + 9) = static_cast<std::uint8_t>(value >> 8);
      return;
    }
  }
  FAIL() << "no tag " << tag;
}

TEST(DecodeImage, RefusesATiffWithoutPixelsOrWithTooLittleData) {
  const auto sound = read_file(image_path("orientation_1.tif"));
  auto data = sound;
  set_tag(data, 256, 0);
  EXPECT_EQ(refusal(data), "TIFF of 0x13 pixels holds no picture");
  data = sound;
  set_tag(data, 256, 60000);
  set_tag(data, 257, 2000);
  EXPECT_EQ(refusal(data), "TIFF is damaged: it lacks the places of some of its tiles or strips");
  data = sound;
  set_tag(data, 256, 60000);
  EXPECT_EQ(refusal(data), "TIFF is cut short: too little data for its size");
  data = sound;
  set_tag(data, 259, 7);
  EXPECT_EQ(refusal(data), "TIFF with compression 7 is not supported");
}

TEST(DecodeImage, RefusesAPngWithACorruptMiddle) {
  auto data = read_file(image_path("rgba.png"));
  const std::size_t middle = find(data, "IDAT") + 40;
  data[middle] ^= 0x55U;
  EXPECT_EQ(refusal(data), "PNG is damaged: wrong checksum of chunk \"IDAT\"");
  mend_checksums(data);
  EXPECT_EQ(refusal(data), "PNG is damaged: its image data cannot be decompressed");
}

TEST(DecodeImage, RefusesAJpegWithAMissingPiece) {
  // Entropy-coded data has no checksum; but the blocks must come out even.
  auto data = read_file(image_path("baseline_444.jpg"));
  const std::size_t scan = find(data, "\xff\xda");
  data.erase(data.begin() + static_cast<std::ptrdiff_t>(scan) + 40, data.end() - 40);
  EXPECT_EQ(refusal(data), "JPEG is damaged: its image data ends too early");
}

TEST(DecodeImage, RefusesKindsOfJpegThatItCannotDecode) {
  auto data = read_file(image_path("baseline_444.jpg"));
  const std::size_t frame = find(data, "\xff\xc0");
  for (const int marker : {0xc3, 0xc5, 0xc9, 0xcb}) {
    data[frame + 1] = static_cast<std::uint8_t>(marker);
    EXPECT_EQ(
        refusal(data),
        "JPEG of a kind that is not supported: lossless, hierarchical or arithmetic coding");
  }
}

/// A grey JPEG that announces three colours and has `count` scans of the first alone.
Data scans_of_one_colour(std::size_t count) {
  auto data = read_file(image_path("grey.jpg"));
  const std::size_t frame = find(data, "\xff\xc0");
  put_big(data, frame + 2, 8 + 3 * 3, 2);
  data.at(frame + 9) = 3;
  const Data colours = {2, 0x11, 0, 3, 0x11, 0};
  data.insert(
      data.begin() + static_cast<std::ptrdiff_t>(frame) + 13, colours.begin(), colours.end());
  const Data scan(
      data.begin() + static_cast<std::ptrdiff_t>(find(data, "\xff\xda")), data.end() - 2);
  for (; count > 1; --count) {
    data.insert(data.end() - 2, scan.begin(), scan.end());
  }
  return data;
}

TEST(DecodeImage, RefusesAJpegThatLacksAColour) {
  EXPECT_EQ(refusal(scans_of_one_colour(2)), "JPEG is damaged: one of its colours is missing");
}

TEST(DecodeImage, RefusesAJpegOfTooManyScans) {
  EXPECT_EQ(cheap_refusal(scans_of_one_colour(300)), "JPEG has too many scans");
}

TEST(DecodeImage, RefusesAJpegOfTwelveBits) {
  auto data = read_file(image_path("baseline_444.jpg"));
  data.at(find(data, "\xff\xc0") + 4) = 12;
  EXPECT_EQ(refusal(data), "JPEG cannot be decoded: Unsupported JPEG data precision 12");
}

TEST(DecodeImage, TellsPaddingOfAJpegFromLostCodes) {
  const auto sound = read_file(image_path("baseline_444.jpg"));
  Data data = sound;
  data.insert(data.end() - 2, 1000, 0);
  EXPECT_TRUE(
      decode_image(data.data(), data.size()).equal(decode_image(sound.data(), sound.size())));
  data = sound;
  data.insert(data.end() - 2, 1000, 7);
  const auto message = refusal(data);
  EXPECT_NE(message.find("extraneous bytes before marker 0xd9"), std::string::npos) << message;
}

TEST(DecodeImage, ReadsAJpegThatLibjpegWouldWarnAbout) {
  const CapturedStandardError captured;
  const auto sound = read_file(image_path("baseline_444.jpg"));
  const auto expected = decode_image(sound.data(), sound.size());
  Data data = sound;
  const std::size_t scan = find(data, "\xff\xda");
  data[scan + 12] = 0;  // end of the spectral selection, which must be 63 here
  data.insert(data.end() - 2, {7, 7, 7, 7});
  data.at(find(data, "JFIF") + 5) = 9;  // version 9
  EXPECT_TRUE(decode_image(data.data(), data.size()).equal(expected));
  EXPECT_EQ(captured.text(), "");
}

}  // namespace
}  // namespace vitrine

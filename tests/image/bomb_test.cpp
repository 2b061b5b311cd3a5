#include <torch/types.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <malloc.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <zlib.h>

#include "vitrine/error.h"
#include "vitrine/image/image.h"

#include "support/cost.h"
#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

// The side of pictures of 81 million pixels: within the limit, but more than 64 MB.
constexpr std::uint32_t kSide = 9'000;

void decode(const std::string& bytes) {
  decode_image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

/// Expects that the image is refused with `cause`, within 100 ms and 64 MB.
void expect_refused(const std::string& bytes, const std::string& cause) {
  expect_refusal<ImageError>([&] { decode(bytes); }, cause, {cause});
}

/// The same of data that only decompressing it shows to be unsound, which may take longer.
void expect_refused_in_little_memory(const std::string& bytes, const std::string& cause) {
  std::string message;
  ::malloc_trim(0);
  const auto cost = measure([&] {
    try {
      decode(bytes);
    } catch (const ImageError& error) {
      message = error.what();
    }
  });
  expect_message(message, cause, {cause});
  if (!kSanitized) {
    EXPECT_LT(cost.peak_bytes, 64 << 20);
  }
}

std::string number(std::uint32_t value, int size, bool big) {
  std::string bytes;
  for (int i = 0; i < size; ++i) {
    bytes += static_cast<char>(value >> (8 * (big ? size - 1 - i : i)) & 0xFF);
  }
  return bytes;
}

std::string little(std::uint32_t value, int size) {
  return number(value, size, /*big=*/false);
}

/// A zlib stream that becomes so many zeros.
std::string zlib_zeros(std::uint64_t count) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit(&stream, Z_BEST_SPEED), Z_OK);
  std::string in(1 << 16, '\0');
  std::string out(1 << 16, '\0');
  std::string bytes;
  while (true) {
    const auto piece = std::min<std::uint64_t>(count, in.size());
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(piece);
    count -= piece;
    int status = Z_OK;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      status = ::deflate(&stream, count == 0 ? Z_FINISH : Z_NO_FLUSH);
      bytes.append(out, 0, out.size() - stream.avail_out);
    } while (stream.avail_out == 0);
    if (status == Z_STREAM_END) {
      ::deflateEnd(&stream);
      return bytes;
    }
  }
}

/// PackBits of so many zeros, a multiple of 128.
std::string packed_zeros(std::uint64_t count) {
  std::string bytes;
  for (; count > 0; count -= 128) {
    bytes += {'\x81', '\0'};
  }
  return bytes;
}

/// LZW, as TIFF has it, of at least so many zeros: each code stands for one zero more than the code
/// before it.
std::string lzw_zeros(std::uint64_t count) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned waiting = 0;
  unsigned width = 9;
  const auto put = [&](std::uint32_t code) {
    bits = bits << width | code;
    for (waiting += width; waiting >= 8; waiting -= 8) {
      bytes += static_cast<char>(bits >> (waiting - 8) & 0xFF);
    }
  };
  for (std::uint64_t made = 0; made < count;) {
    put(256);
    width = 9;
    put(0);
    ++made;
    for (std::uint32_t code = 258; code < 4094 && made < count; ++code) {
      put(code);
      made += code - 256;
      width = code + 2 >= 1U << width ? width + 1 : width;
    }
  }
  return bytes + std::string(4, '\0');
}

std::string png_chunk(const std::string& type, const std::string& content) {
  const auto checked = type + content;
  const auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size());
  return number(static_cast<std::uint32_t>(content.size()), 4, true) + checked +
         number(static_cast<std::uint32_t>(crc), 4, true);
}

/// A grey PNG of 8 bits a pixel.
std::string png(std::uint32_t width, std::uint32_t height, const std::string& data) {
  const auto size = number(width, 4, true) + number(height, 4, true);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", size + std::string("\x08\0\0\0\0", 5)) +
         png_chunk("IDAT", data) + png_chunk("IEND", "");
}

/// A BMP of runs, 8 bits a pixel, with a palette of one colour.
std::string bmp(std::uint32_t width, std::uint32_t height, const std::string& data) {
  return "BM" + std::string(8, '\0') + little(58, 4) + little(40, 4) + little(width, 4) +
         little(height, 4) + little(1, 2) + little(8, 2) + little(1, 4) + std::string(12, '\0') +
         little(1, 4) + little(0, 4) + little(0x00102030, 4) + data;
}

/// The runs of so many rows without the mark of their end.
std::string bmp_rows(std::uint32_t width, std::uint32_t height) {
  std::string row;
  for (auto left = width; left > 0; left -= std::min(left, 255U)) {
    row += {static_cast<char>(std::min(left, 255U)), '\0'};
  }
  row += {'\0', '\0'};
  std::string rows;
  for (std::uint32_t y = 0; y < height; ++y) {
    rows += row;
  }
  return rows;
}

/// A grey TIFF of 8 bits a pixel, of strips that all have the same data.
std::string tiff(
    std::uint32_t width,
    std::uint32_t height,
    std::uint32_t compression,
    const std::string& data,
    std::uint32_t strips = 1) {
  constexpr std::uint32_t kEntries = 8;
  const auto arrays = 8 + 2 + 12 * kEntries + 4;
  const auto data_at = arrays + (strips == 1 ? 0 : 8 * strips);
  const auto entry = [](std::uint32_t tag, std::uint32_t count, std::uint32_t value) {
    return little(tag, 2) + little(4, 2) + little(count, 4) + little(value, 4);
  };
  const auto size = static_cast<std::uint32_t>(data.size());
  std::string file = std::string("II*\0", 4) + little(8, 4) + little(kEntries, 2);
  file += entry(256, 1, width) + entry(257, 1, height) + entry(258, 1, 8) +
          entry(259, 1, compression) + entry(262, 1, 1);
  file += entry(273, strips, strips == 1 ? data_at : arrays) + entry(278, 1, height / strips) +
          entry(279, strips, strips == 1 ? size : arrays + 4 * strips) + little(0, 4);
  if (strips > 1) {
    for (const auto value : {data_at, size}) {
      for (std::uint32_t i = 0; i < strips; ++i) {
        file += little(value, 4);
      }
    }
  }
  return file + data;
}

constexpr std::uint32_t kLzw = 5;
constexpr std::uint32_t kDeflate = 8;
constexpr std::uint32_t kPackBits = 32773;

/// The sum of the bytes of a picture.
std::int64_t sum_of(const std::string& bytes) {
  const auto image =
      decode_image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return image.sum().item<std::int64_t>() + image.numel();
}

TEST(ImageBomb, IsMadeOfFilesThatAreSoundWithTheirLastRow) {
  constexpr std::int64_t kZeros = std::int64_t{1280} * 900 * 3;
  EXPECT_EQ(sum_of(png(1280, 900, zlib_zeros(1281 * 900))), kZeros);
  for (const auto& [compression, data] : std::vector<std::pair<std::uint32_t, std::string>>{
           {kDeflate, zlib_zeros(1280 * 900)},
           {kPackBits, packed_zeros(1280 * 900)},
           {kLzw, lzw_zeros(1280 * 900)}}) {
    EXPECT_EQ(sum_of(tiff(1280, 900, compression, data)), kZeros) << compression;
  }
  EXPECT_EQ(
      sum_of(bmp(1280, 900, bmp_rows(1280, 900) + std::string("\0\1", 2))),
      kZeros / 3 * (3 + 0x10 + 0x20 + 0x30));
}

TEST(ImageBomb, IsRefusedAtOnceWhereItsLengthTellsIt) {
  const auto data = zlib_zeros(1000);
  expect_refused(png(kSide, kSide, data), "PNG is cut short: too little data for its size");
  expect_refused(bmp(kSide, kSide, "\xFF"), "BMP is cut short");
  expect_refused(
      bmp(kSide, kSide, bmp_rows(kSide, 10) + std::string("\0\1", 2)),
      "BMP is cut short: too little data for its size");
  for (const auto compression : {1U, kLzw, kDeflate, kPackBits}) {
    expect_refused(
        tiff(kSide, kSide, compression, data), "TIFF is cut short: too little data for its size");
  }
}

TEST(ImageBomb, IsRefusedAtOnceWhereItsCodesTellIt) {
  expect_refused(bmp(kSide, kSide, bmp_rows(kSide, kSide - 1)), "BMP is cut short");
  expect_refused(
      tiff(kSide, kSide, kPackBits, packed_zeros(std::uint64_t{kSide} * (kSide - 1) / 128 * 128)),
      "TIFF is cut short");
  expect_refused(
      tiff(kSide, kSide, kLzw, lzw_zeros(std::uint64_t{kSide} * (kSide - 1))), "TIFF is ");
}

TEST(ImageBomb, IsRefusedInLittleMemoryWhereOnlyItsContentTellsIt) {
  const auto rows = zlib_zeros(std::uint64_t{kSide + 1} * (kSide - 1));
  expect_refused_in_little_memory(
      png(kSide, kSide, rows), "PNG is damaged: its image data ends too early");
  auto damaged = zlib_zeros(std::uint64_t{kSide + 1} * kSide);
  damaged.back() = static_cast<char>(damaged.back() ^ 1);  // the checksum of what it becomes
  expect_refused_in_little_memory(
      png(kSide, kSide, damaged), "PNG is damaged: its image data cannot be decompressed");
  expect_refused_in_little_memory(
      tiff(kSide, kSide, kDeflate, zlib_zeros(std::uint64_t{kSide} * (kSide - 1))),
      "TIFF is damaged: its compressed data cannot be decompressed");
}

TEST(ImageBomb, DoesNotGrowByStripsThatShareTheirData) {
  expect_refused(
      tiff(kSide, kSide, kDeflate, zlib_zeros(kSide * 100), /*strips=*/kSide / 100),
      "TIFF is damaged: its tiles or strips overlap");
}

TEST(ReadImage, NamesTheFormatsThatItDoesNotReadWhateverTheirNames) {
  using std::string_literals::operator""s;
  const std::vector<std::pair<std::string, std::string>> starts = {
      {"GIF87a"s, "a GIF"},
      {"GIF89a\x01\0\x01\0"s, "a GIF"},
      {"\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x14"s, "a JPEG 2000"},
      {"\xFF\x4F\xFF\x51\0\x29"s, "a JPEG 2000"},
      {"\0\0\0\x0CJXL \r\n\x87\n"s, "a JPEG XL"},
      {"\xFF\x0A\xFA\x1F"s, "a JPEG XL"},
      {"\x76\x2F\x31\x01\x02\0\0\0channels"s, "an OpenEXR"},
      {"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n"s, "a Radiance HDR"},
      {"#?RGBE\n"s, "a Radiance HDR"},
      {"P1\n1 1\n0"s, "a PNM (PBM, PGM or PPM)"},
      {"P2 1 1 255 0"s, "a PNM (PBM, PGM or PPM)"},
      {"P3\n1 1\n255\n0 0 0\n"s, "a PNM (PBM, PGM or PPM)"},
      {"P4\n8 1\n\xFF"s, "a PNM (PBM, PGM or PPM)"},
      {"P5\n1 1\n255\n\x80"s, "a PNM (PBM, PGM or PPM)"},
      {"P6\n1 1\n255\n\x01\x02\x03"s, "a PNM (PBM, PGM or PPM)"},
      {"P7\nWIDTH 1\n"s, "a PAM"},
      {"PF\n1 1\n-1.0\n\0\0\0\0"s, "a PFM"},
      {"Pf\n1 1\n-1.0\n\0\0\0\0"s, "a PFM"},
      {"\0\0\0\x1C"s + "ftypavif\0\0\0\0"s, "an AVIF"},
      {"\0\0\0\x1C"s + "ftypheic\0\0\0\0"s, "a HEIC"},
      {"\0\0\0\x1C"s + "ftypmif1\0\0\0\0"s, "a HEIF"},
      {"\0\0\0\x1C"s + "ftypisom\0\0\0\0"s, "a video file"},
      {"\x59\xA6\x6A\x95\0\0\0\x01"s, "a Sun raster"},
      {"\0\0\x01\0\x01\0\x10\x10"s, "an icon (ICO)"},
      {"8BPS\0\x01"s, "a Photoshop document (PSD)"},
      {"<svg xmlns='http://www.w3.org/2000/svg'/>"s, "an SVG"},
      {"<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>"s, "an SVG"},
      {"II\x2B\0\x08\0\0\0"s, "a BigTIFF"},
      {"%PDF-1.7\n"s, "a PDF"},
      {"RIFF\x24\0\0\0WAVEfmt "s, "a RIFF file that is no WebP"},
      {"PK\x03\x04\x14\0"s, "a zip archive"},
      {"<!DOCTYPE html>"s, "text"},
      {"\x01\x02\x03\x04"s, "unknown content"}};
  const TemporaryFolder folder;
  for (const auto& [start, found] : starts) {
    SCOPED_TRACE(found);
    for (const auto* name : {"a.jpg", "a.jp2", "a.exr", "a.hdr", "a.ppm", "a.gif", "a"}) {
      const auto path = folder / name;
      std::ofstream(path, std::ios::binary) << start + std::string(100, start[0]);
      expect_refusal<ImageError>(
          [&] { read_image(path); }, path + ": not a supported image: " + found, {found});
    }
    const std::string bytes = start;
    expect_refused(bytes, "not a supported image: " + found);
  }
}

TEST(ReadImage, SaysWhichFormatsItReads) {
  expect_refusal<ImageError>(
      [] { decode("GIF89a"); },
      "not a supported image: a GIF",
      {"; expected JPEG, PNG, WebP, BMP or TIFF"});
}

}  // namespace
}  // namespace vitrine

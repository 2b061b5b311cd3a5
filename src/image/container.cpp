#include "image/container.h"

#include <string>

#include "vitrine/text.h"

namespace vitrine::detail {
namespace {

bool begins_like_text(const Bytes& bytes) {
  const std::size_t count = bytes.size() < 64 ? bytes.size() : 64;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t byte = bytes.data()[i];
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') {
      return false;
    }
  }
  return true;
}

[[noreturn]] void throw_unknown_kind(const Bytes& bytes) {
  constexpr const char* kExpected = "; expected JPEG, PNG, WebP, BMP or TIFF";
  std::string found = "unknown content";
  if (bytes.size() == 0) {
    throw_image_error("empty file");
  }
  if (bytes.is(0, "GIF8")) {
    found = "a GIF";
  } else if (bytes.is(4, "ftyp")) {
    found = "an AVIF, HEIF or video file";
  } else if (bytes.is(0, "\x49\x49\x2b") || bytes.is(0, {"MM\0\x2b", 4})) {
    found = "a BigTIFF";
  } else if (begins_like_text(bytes)) {
    found = "text";
  }
  throw_image_error("no image: " + found + kExpected);
}

}  // namespace

Container open_container(const std::uint8_t* data, std::size_t size, std::uint64_t max_pixels) {
  const Bytes bytes(data, size, "image");
  const auto named = [&](const char* format) { return Bytes(data, size, format); };
  if (bytes.is(0, "\xff\xd8\xff")) {
    return read_jpeg_header(named("JPEG"), max_pixels);
  }
  if (bytes.is(0, "\x89PNG\r\n\x1a\n")) {
    return check_png(named("PNG"), max_pixels);
  }
  if (bytes.is(0, "RIFF") && bytes.is(8, "WEBP")) {
    return check_webp(named("WebP"), max_pixels);
  }
  if (bytes.is(0, {"II*\0", 4}) || bytes.is(0, {"MM\0*", 4})) {
    return read_tiff(named("TIFF"), max_pixels);
  }
  if (bytes.is(0, "BM")) {
    return read_bmp(named("BMP"), max_pixels);
  }
  throw_unknown_kind(bytes);
}

void set_size(
    Container& container,
    const char* format,
    std::uint64_t width,
    std::uint64_t height,
    std::uint64_t max_pixels) {
  const std::string found = std::string(format) + " of " + std::to_string(width) + "x" +
                            std::to_string(height) + " pixels";
  if (width == 0 || height == 0) {
    throw_image_error(found + " holds no picture");
  }
  if (width > max_pixels / height) {
    throw_image_error(
        found + " is larger than the limit of " + std::to_string(max_pixels) + " pixels");
  }
  if (width > kMaxSide || height > kMaxSide) {
    throw_image_error(found + " has a side longer than " + std::to_string(kMaxSide));
  }
  container.width = static_cast<std::int64_t>(width);
  container.height = static_cast<std::int64_t>(height);
}

}  // namespace vitrine::detail

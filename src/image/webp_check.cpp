// WebP: RFC 9649, https://www.rfc-editor.org/rfc/rfc9649; VP8 frames: RFC 6386, section 9.
#include <algorithm>
#include <optional>
#include <string>

#include "image/container.h"
#include "image/exif.h"

namespace vitrine::detail {
namespace {

std::uint32_t u24(const Bytes& bytes, std::uint64_t offset) {
  return bytes.u16(offset, kLittle) | static_cast<std::uint32_t>(bytes.u8(offset + 2)) << 16;
}

struct Size {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
};

Size lossy_size(const Bytes& frame) {
  const std::uint32_t tag = u24(frame, 0);
  const bool key_frame = (tag & 1U) == 0;
  const std::uint32_t first_partition = tag >> 5;
  if (!key_frame || !frame.is(3, "\x9d\x01\x2a") || !frame.has(10, first_partition)) {
    throw_image_error("WebP is damaged: its lossy picture does not begin as one");
  }
  return {frame.u16(6, kLittle) & 0x3fffU, frame.u16(8, kLittle) & 0x3fffU};
}

Size lossless_size(const Bytes& stream) {
  const std::uint32_t bits = stream.u8(0) == 0x2f ? stream.u32(1, kLittle) : ~0U;
  if (bits >> 29 != 0) {
    throw_image_error("WebP is damaged: its lossless picture does not begin as one");
  }
  return {(bits & 0x3fffU) + 1, (bits >> 14 & 0x3fffU) + 1};
}

void put_u32(std::vector<std::uint8_t>& out, std::uint64_t value) {
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void put_text(std::vector<std::uint8_t>& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

void put_riff_chunk(std::vector<std::uint8_t>& out, std::string_view type, const Bytes& content) {
  put_text(out, type);
  put_u32(out, content.size());
  out.insert(out.end(), content.data(), content.data() + content.size());
  if (content.size() % 2 != 0) {
    out.push_back(0);
  }
}

/// The chunks of a file that matter.
struct Chunks {
  std::optional<Size> canvas;
  std::optional<Bytes> picture;
  bool lossless = false;
  int orientation = 1;
};

/// Takes one chunk, whose place among the chunks is `index`.
void take(
    Chunks& chunks, const Bytes& riff, std::uint64_t offset, const Bytes& content, int index) {
  if (riff.is(offset, "VP8X")) {
    if (index != 0) {
      throw_image_error("WebP is damaged: its header stands in the wrong place");
    }
    constexpr unsigned kAnimated = 0x02;
    if ((content.u8(0) & kAnimated) != 0) {
      throw_image_error("WebP is animated, which is not supported");
    }
    chunks.canvas = Size{u24(content, 4) + std::uint64_t{1}, u24(content, 7) + std::uint64_t{1}};
  } else if (riff.is(offset, "ANIM") || riff.is(offset, "ANMF")) {
    throw_image_error("WebP is animated, which is not supported");
  } else if (riff.is(offset, "VP8 ") || riff.is(offset, "VP8L")) {
    if (chunks.picture || (!chunks.canvas && index != 0)) {
      throw_image_error("WebP is damaged: it has more than one picture, or one in the wrong place");
    }
    chunks.picture = content;
    chunks.lossless = riff.is(offset, "VP8L");
  } else if (riff.is(offset, "EXIF")) {
    chunks.orientation = exif_orientation(content);
  }
  // Transparency, colour profiles and other metadata are left out.
}

}  // namespace

Container check_webp(Bytes bytes, std::uint64_t max_pixels) {
  const std::uint64_t riff_size = bytes.u32(4, kLittle);
  if (!bytes.has(8, riff_size)) {
    throw_image_error(
        "WebP is cut short: " + std::to_string(bytes.size()) + " bytes of " +
        std::to_string(riff_size + 8));
  }
  const Bytes riff = bytes.part(0, riff_size + 8);
  Chunks chunks;
  std::uint64_t offset = 12;
  for (int index = 0; offset < riff.size(); ++index) {
    const std::uint64_t size = riff.u32(offset + 4, kLittle);
    if (!riff.has(offset + 8, size)) {
      throw_image_error("WebP is damaged: a chunk reaches beyond the end of the file");
    }
    take(chunks, riff, offset, riff.part(offset + 8, size), index);
    offset += 8 + size + size % 2;
  }
  if (!chunks.picture) {
    throw_image_error("WebP is damaged: it holds no picture");
  }

  const Size size = chunks.lossless ? lossless_size(*chunks.picture) : lossy_size(*chunks.picture);
  if (chunks.canvas &&
      (chunks.canvas->width != size.width || chunks.canvas->height != size.height)) {
    throw_image_error("WebP is damaged: the sizes of its canvas and its picture differ");
  }
  Container container;
  container.kind = ImageKind::WebP;
  container.orientation = chunks.orientation;
  set_size(container, "WebP", size.width, size.height, max_pixels);

  auto& out = container.stream;
  const std::size_t length = chunks.picture->size();
  out.reserve(length + 24);
  put_text(out, "RIFF");
  put_u32(out, 12 + length + length % 2);
  put_text(out, "WEBP");
  put_riff_chunk(out, chunks.lossless ? "VP8L" : "VP8 ", *chunks.picture);
  // OpenCV wants 32 bytes to look at before it knows a WebP.
  out.resize(std::max<std::size_t>(out.size(), 32));
  return container;
}

}  // namespace vitrine::detail

#include "image/container.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

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

/// What a file of another format begins with.
struct ForeignStart {
  std::uint64_t offset;
  std::string_view start;
  const char* name;
};

constexpr std::array<ForeignStart, 32> kForeign = {{
    {0, "GIF8", "a GIF"},
    {4, "ftypavif", "an AVIF"},
    {4, "ftypavis", "an AVIF"},
    {4, "ftyphei", "a HEIC"},
    {4, "ftyphev", "a HEIC"},
    {4, "ftypmif1", "a HEIF"},
    {4, "ftypmsf1", "a HEIF"},
    {4, "ftyp", "a video file, or an image of its family (AVIF, HEIF)"},
    {4, "jP  \r\n\x87\n", "a JPEG 2000"},
    {0, "\xff\x4f\xff\x51", "a JPEG 2000"},
    {4, "JXL \r\n\x87\n", "a JPEG XL"},
    {0, "\xff\x0a", "a JPEG XL"},
    {0, "\x76\x2f\x31\x01", "an OpenEXR"},
    {0, "#?RADIANCE", "a Radiance HDR"},
    {0, "#?RGBE", "a Radiance HDR"},
    {0, "\x59\xa6\x6a\x95", "a Sun raster"},
    {0, {"\0\0\1\0", 4}, "an icon (ICO)"},
    {0, {"\0\0\2\0", 4}, "a cursor (CUR)"},
    {0, "8BPS", "a Photoshop document (PSD)"},
    {0, "<svg", "an SVG"},
    {0, "PF\n", "a PFM"},
    {0, "Pf\n", "a PFM"},
    {0, "P7\n", "a PAM"},
    {0, {"II\x2b\0", 4}, "a BigTIFF"},
    {0, {"MM\0\x2b", 4}, "a BigTIFF"},
    {0, "DDS ", "a DDS"},
    {0, "qoif", "a QOI"},
    {0, "%PDF", "a PDF"},
    {0, "%!PS", "a PostScript"},
    {0, "RIFF", "a RIFF file that is no WebP"},
    {0, "\x89HDF", "an HDF5 file"},
    {0, "PK\x03\x04", "a zip archive"},
}};

/// Whether a portable bitmap, greymap or pixmap begins so: P1 to P6 and a space.
bool begins_like_pnm(const Bytes& bytes) {
  return bytes.size() > 2 && bytes.is(0, "P") && bytes.u8(1) >= '1' && bytes.u8(1) <= '6' &&
         (bytes.u8(2) == ' ' || (bytes.u8(2) >= '\t' && bytes.u8(2) <= '\r'));
}

/// What the file is instead of an image that is read.
std::string other_format(const Bytes& bytes) {
  for (const auto& known : kForeign) {
    if (bytes.is(known.offset, known.start)) {
      return known.name;
    }
  }
  if (begins_like_pnm(bytes)) {
    return "a PNM (PBM, PGM or PPM)";
  }
  if (begins_like_text(bytes)) {
    const auto size = std::min<std::size_t>(bytes.size(), 4096);
    const std::string_view start(reinterpret_cast<const char*>(bytes.data()), size);
    return start.find("<svg") == std::string_view::npos ? "text" : "an SVG";
  }
  return "unknown content";
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
  if (bytes.size() == 0) {
    throw_image_error("empty file");
  }
  throw_image_error(
      "not a supported image: " + other_format(bytes) + "; expected JPEG, PNG, WebP, BMP or TIFF");
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

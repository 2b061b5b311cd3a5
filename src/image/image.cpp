#include "vitrine/image/image.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <cstring>
#include <limits>
#include <new>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "image/container.h"
#include "image/decode.h"

namespace vitrine {
namespace {

const char* format_name(detail::ImageKind kind) {
  switch (kind) {
    case detail::ImageKind::Jpeg:
      return "JPEG";
    case detail::ImageKind::Png:
      return "PNG";
    case detail::ImageKind::WebP:
      return "WebP";
    case detail::ImageKind::Bmp:
      return "BMP";
    case detail::ImageKind::Tiff:
      break;
  }
  return "TIFF";
}

/// Runs the codec over the checked stream.
cv::Mat decode_stream(detail::Container& container) {
  const std::string name = format_name(container.kind);
  auto& stream = container.stream;
  if (stream.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw ImageError(name + " has more than 2 GiB");
  }
  cv::Mat image;
  try {
    const cv::Mat encoded(1, static_cast<int>(stream.size()), CV_8UC1, stream.data());
    image = cv::imdecode(encoded, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& exception) {
    throw ImageError(name + " cannot be decoded: " + printable(exception.err));
  }
  if (image.empty() || image.type() != CV_8UC3 || image.cols != container.width ||
      image.rows != container.height) {
    throw ImageError(name + " is damaged: its codec cannot decode it");
  }
  std::vector<std::uint8_t>().swap(stream);
  return image;
}

/// Where the pixels of an image go to turn it upright: `origin` is where the first pixel goes;
/// `right` and `down` are the steps, in pixels, for the next one in its row and in its column.
struct Turn {
  std::int64_t height;
  std::int64_t width;
  std::int64_t origin;
  std::int64_t right;
  std::int64_t down;
};

Turn turn_upright(int orientation, std::int64_t height, std::int64_t width) {
  // Orientation: where the first row and the first column of what is stored are to be seen.
  switch (orientation) {
    case 2:  // top, right
      return {height, width, width - 1, -1, width};
    case 3:  // bottom, right
      return {height, width, height * width - 1, -1, -width};
    case 4:  // bottom, left
      return {height, width, (height - 1) * width, 1, -width};
    case 5:  // left, top
      return {width, height, 0, height, 1};
    case 6:  // right, top
      return {width, height, height - 1, height, -1};
    case 7:  // right, bottom
      return {width, height, height * width - 1, -height, -1};
    case 8:  // left, bottom
      return {width, height, (width - 1) * height, -height, 1};
    default:  // top, left
      return {height, width, 0, 1, width};
  }
}

/// Copies a row of pixels with red and blue swapped.
void swap_row(const std::uint8_t* in, std::int64_t width, std::uint8_t* out) {
  std::int64_t x = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  // Four bytes at once, but for the last pixel, behind which there may be nothing; the fourth is
  // overwritten by the next.
  for (; x + 1 < width; ++x, in += 3, out += 3) {
    std::uint32_t pixel = 0;
    std::memcpy(&pixel, in, sizeof(pixel));
    pixel = __builtin_bswap32(pixel) >> 8;
    std::memcpy(out, &pixel, sizeof(pixel));
  }
#endif
  for (; x < width; ++x, in += 3, out += 3) {
    out[0] = in[2];
    out[1] = in[1];
    out[2] = in[0];
  }
}

/// Copies the rows of a picture, `stride` bytes apart, turned upright; from BGR where `swap`.
torch::Tensor copy_upright(
    const std::uint8_t* pixels,
    std::int64_t stride,
    bool swap,
    const detail::Container& container) {
  const Turn turn = turn_upright(container.orientation, container.height, container.width);
  torch::Tensor image = torch::empty({turn.height, turn.width, 3}, torch::kUInt8);
  auto* const out = image.data_ptr<std::uint8_t>();
  const int red = swap ? 2 : 0;
  const int blue = 2 - red;
  for (std::int64_t y = 0; y < container.height; ++y) {
    const std::uint8_t* in = pixels + y * stride;
    if (swap && container.orientation == 1) {
      swap_row(in, container.width, out + y * container.width * 3);
      continue;
    }
    std::int64_t place = (turn.origin + y * turn.down) * 3;
    for (std::int64_t x = 0; x < container.width; ++x, in += 3, place += turn.right * 3) {
      out[place] = in[red];
      out[place + 1] = in[1];
      out[place + 2] = in[blue];
    }
  }
  return image;
}

torch::Tensor decode_jpeg(const detail::Bytes& bytes, const detail::Container& container) {
  const torch::Tensor image = torch::empty({container.height, container.width, 3}, torch::kUInt8);
  const auto* const pixels = image.data_ptr<std::uint8_t>();
  detail::read_jpeg(bytes, image.data_ptr<std::uint8_t>());
  return container.orientation == 1
             ? image
             : copy_upright(pixels, container.width * 3, /*swap=*/false, container);
}

}  // namespace

detail::DecodedImage detail::decode(
    const std::uint8_t* data, std::size_t size, std::uint64_t max_pixels) {
  try {
    Container container = open_container(data, size, max_pixels);
    const auto* format = format_name(container.kind);
    if (container.kind == ImageKind::Jpeg) {
      return {decode_jpeg(Bytes(data, size, format), container), format, container.channels};
    }
    if (!container.pixels.empty()) {
      return {
          copy_upright(container.pixels.data(), container.width * 3, /*swap=*/false, container),
          format,
          container.channels};
    }
    const cv::Mat image = decode_stream(container);
    return {
        copy_upright(
            image.data, static_cast<std::int64_t>(image.step[0]), /*swap=*/true, container),
        format,
        container.channels};
  } catch (const std::bad_alloc&) {
    throw ImageError("image needs more memory than there is");
  }
}

torch::Tensor decode_image(const std::uint8_t* data, std::size_t size, std::uint64_t max_pixels) {
  return detail::decode(data, size, max_pixels).pixels;
}

torch::Tensor read_image(const std::string& path, std::uint64_t max_pixels) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  try {
    return decode_image(bytes.data(), bytes.size(), max_pixels);
  } catch (const ImageError& error) {
    throw ImageError(printable(path) + ": " + error.what());
  }
}

}  // namespace vitrine

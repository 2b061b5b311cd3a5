// TIFF: Adobe, TIFF revision 6.0 (1992),
// https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "image/container.h"
#include "image/tiff_codec.h"

namespace vitrine::detail {
namespace {

enum Tag : std::uint16_t {
  kWidth = 256,
  kHeight = 257,
  kBits = 258,
  kCompression = 259,
  kPhotometric = 262,
  kFillOrder = 266,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamples = 277,
  kRowsPerStrip = 278,
  kStripSizes = 279,
  kPlanes = 284,
  kPredictor = 317,
  kColours = 320,
  kTileWidth = 322,
  kTileHeight = 323,
  kTileOffsets = 324,
  kTileSizes = 325,
  kExtraSamples = 338,
  kSampleFormat = 339,
};

enum Photometric : std::uint64_t {
  kWhiteIsZero = 0,
  kBlackIsZero = 1,
  kRgb = 2,
  kPalette = 3,
  kInks = 5
};

/// The first directory of a file.
class Directory {
 public:
  explicit Directory(const Bytes& bytes)
      : bytes_(bytes), order_(bytes.is(0, "II") ? Bytes::Order::Little : Bytes::Order::Big) {
    const std::uint64_t at = bytes.u32(4, order_);
    const std::uint64_t count = bytes.u16(at, order_);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t entry = at + 2 + 12 * i;
      bytes.require(entry, 12);
      entries_.emplace(bytes.u16(entry, order_), entry);
    }
  }

  Bytes::Order order() const { return order_; }
  bool has(Tag tag) const { return entries_.count(tag) != 0; }

  std::uint64_t value(Tag tag, std::uint64_t otherwise) const {
    const auto all = values(tag, 1);
    return all.empty() ? otherwise : all.front();
  }

  /// The first `most` whole numbers of a tag; none where there is no such tag.
  std::vector<std::uint64_t> values(Tag tag, std::uint64_t most) const {
    const auto found = entries_.find(tag);
    if (found == entries_.end()) {
      return {};
    }
    const unsigned type = bytes_.u16(found->second + 2, order_);
    const std::uint64_t count = bytes_.u32(found->second + 4, order_);
    const unsigned size = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
    if (size == 0) {
      throw_image_error("TIFF is damaged: tag " + std::to_string(tag) + " is no whole number");
    }
    const std::uint64_t at =
        count * size <= 4 ? found->second + 8 : bytes_.u32(found->second + 8, order_);
    bytes_.require(at, count * size);
    std::vector<std::uint64_t> values(static_cast<std::size_t>(std::min(count, most)));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t place = at + size * i;
      values[i] = size == 1   ? bytes_.u8(place)
                  : size == 2 ? bytes_.u16(place, order_)
                              : bytes_.u32(place, order_);
    }
    return values;
  }

 private:
  Bytes bytes_;
  Bytes::Order order_;
  std::map<std::uint16_t, std::uint64_t> entries_;  // tag -> offset of its entry
};

std::uint8_t multiply(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return static_cast<std::uint8_t>((product + (product >> 8)) >> 8);
}

class TiffReader {
 public:
  TiffReader(Bytes bytes, std::uint64_t max_pixels) : bytes_(bytes), directory_(bytes) {
    container_.kind = ImageKind::Tiff;
    if (!directory_.has(kWidth) || !directory_.has(kHeight) || !directory_.has(kPhotometric)) {
      throw_image_error("TIFF is damaged: its size or its kind of colours is missing");
    }
    set_size(
        container_, "TIFF", directory_.value(kWidth, 0), directory_.value(kHeight, 0), max_pixels);
    const auto orientation = directory_.value(kOrientation, 1);
    container_.orientation =
        orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
    read_format();
    read_layout();
  }

  Container run() {
    const auto width = static_cast<std::uint64_t>(container_.width);
    const auto height = static_cast<std::uint64_t>(container_.height);
    check_data();
    container_.pixels.reserve(width * height * 3);
    for (std::uint64_t y = 0; y < down_; ++y) {
      for (std::uint64_t x = 0; x < across_; ++x) {
        read_chunk(x, y);
      }
    }
    return std::move(container_);
  }

 private:
  void read_format() {
    samples_ = directory_.value(kSamples, 1);
    photometric_ = directory_.value(kPhotometric, 0);
    const auto bits = directory_.values(kBits, 16);
    bits_ = bits.empty() ? 1 : static_cast<unsigned>(bits.front());
    const bool even =
        std::all_of(bits.begin(), bits.end(), [&](std::uint64_t b) { return b == bits_; });
    const bool whole = bits_ == 8 || bits_ == 16;
    const bool small = bits_ == 1 || bits_ == 2 || bits_ == 4;
    const bool grey = photometric_ == kWhiteIsZero || photometric_ == kBlackIsZero;
    const bool sound = ((grey || (photometric_ == kRgb && samples_ >= 3) ||
                         (photometric_ == kInks && samples_ >= 4)) &&
                        whole) ||
                       (grey && small) || (photometric_ == kPalette && (small || bits_ == 8));
    const auto format = directory_.value(kSampleFormat, 1);
    if (!sound || !even || samples_ < 1 || samples_ > 16 || (format != 1 && format != 4)) {
      throw_image_error(
          "TIFF with " + std::to_string(samples_) + " samples of " + std::to_string(bits_) +
          " bits, colours of kind " + std::to_string(photometric_) + " and sample format " +
          std::to_string(format) + " is not supported");
    }
    container_.channels = photometric_ == kPalette ? 3 : static_cast<std::int64_t>(samples_);
    const auto compression = directory_.value(kCompression, 1);
    compression_ = static_cast<TiffCompression>(compression);
    if (compression != 1 && compression != 5 && compression != 8 && compression != 32773 &&
        compression != 32946) {
      throw_image_error(
          "TIFF with compression " + std::to_string(compression) + " is not supported");
    }
    predicted_ = compression_ != TiffCompression::None &&
                 compression_ != TiffCompression::PackBits && directory_.value(kPredictor, 1) != 1;
    if (predicted_ && (directory_.value(kPredictor, 1) != 2 || !whole)) {
      throw_image_error("TIFF with this predictor is not supported");
    }
    reversed_ = directory_.value(kFillOrder, 1) == 2;
    planes_ = directory_.value(kPlanes, 1) == 2 ? samples_ : 1;
    const std::uint64_t colours = photometric_ == kRgb ? 3 : photometric_ == kInks ? 4 : 1;
    premultiplied_ =
        samples_ > colours && photometric_ != kInks && directory_.value(kExtraSamples, 0) == 1;
    if (photometric_ == kPalette) {
      palette_ = directory_.values(kColours, std::uint64_t{3} << bits_);
      if (palette_.size() != std::size_t{3} << bits_) {
        throw_image_error("TIFF is damaged: its palette is missing or too short");
      }
    }
  }

  void read_layout() {
    const auto width = static_cast<std::uint64_t>(container_.width);
    const auto height = static_cast<std::uint64_t>(container_.height);
    const bool tiled = directory_.has(kTileOffsets);
    chunk_width_ = tiled ? directory_.value(kTileWidth, 0) : width;
    chunk_height_ = tiled ? directory_.value(kTileHeight, 0)
                          : std::min(directory_.value(kRowsPerStrip, height), height);
    // A tile may be larger than the picture, but not without end.
    constexpr std::uint64_t kLargeTile = 1U << 20;
    if (chunk_width_ == 0 || chunk_height_ == 0 ||
        chunk_width_ > std::max(kLargeTile, 4 * width * height) / chunk_height_) {
      throw_image_error("TIFF is damaged: its tiles or strips have an impossible size");
    }
    across_ = (width + chunk_width_ - 1) / chunk_width_;
    down_ = (height + chunk_height_ - 1) / chunk_height_;
    const std::uint64_t count = across_ * down_ * planes_;
    offsets_ = directory_.values(tiled ? kTileOffsets : kStripOffsets, count);
    sizes_ = directory_.values(tiled ? kTileSizes : kStripSizes, count);
    if (offsets_.size() != count || sizes_.size() != count) {
      throw_image_error("TIFF is damaged: it lacks the places of some of its tiles or strips");
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!bytes_.has(offsets_[i], sizes_[i])) {
        throw_image_error("TIFF is cut short: a tile or strip lies beyond the end of the file");
      }
    }
    tiled_ = tiled;
  }

  /// Refuses data that does not become the picture. Where that would take far more memory than the
  /// file, the data is decompressed without being kept before it is decompressed for the picture.
  void check_data() const {
    std::uint64_t stored = 0;
    std::uint64_t needed = static_cast<std::uint64_t>(container_.width * container_.height) * 3;
    for (std::size_t chunk = 0; chunk < sizes_.size(); ++chunk) {
      check_expansion(sizes_[chunk], compression_, content_size(chunk));
      stored += sizes_[chunk];
      needed += content_size(chunk);
    }
    if (stored > bytes_.size()) {
      throw_image_error("TIFF is damaged: its tiles or strips overlap");
    }
    constexpr std::uint64_t kAlways = std::uint64_t{32} << 20;
    constexpr std::uint64_t kUncheckedExpansion = 16;
    if (needed > kAlways + kUncheckedExpansion * bytes_.size()) {
      std::vector<std::uint8_t> turned;
      for (std::size_t chunk = 0; chunk < sizes_.size(); ++chunk) {
        check_tiff(stored_data(chunk, turned), compression_, content_size(chunk));
      }
    }
  }

  std::uint64_t samples_in_plane() const { return planes_ == 1 ? samples_ : 1; }
  std::uint64_t row_bytes() const { return (chunk_width_ * samples_in_plane() * bits_ + 7) / 8; }

  /// Bytes that a tile or strip becomes; the last strip has the rows that are left.
  std::uint64_t content_size(std::size_t chunk) const {
    const std::uint64_t top = chunk / across_ % down_ * chunk_height_;
    const std::uint64_t left = static_cast<std::uint64_t>(container_.height) - top;
    return row_bytes() * (tiled_ ? chunk_height_ : std::min(chunk_height_, left));
  }

  void read_chunk(std::uint64_t x, std::uint64_t y) {
    const auto width = static_cast<std::uint64_t>(container_.width);
    const auto height = static_cast<std::uint64_t>(container_.height);
    const std::uint64_t rows = std::min(chunk_height_, height - y * chunk_height_);
    const std::uint64_t columns = std::min(chunk_width_, width - x * chunk_width_);
    std::vector<std::vector<std::uint8_t>> planes;
    for (std::uint64_t plane = 0; plane < planes_; ++plane) {
      planes.push_back(decompress((plane * down_ + y) * across_ + x));
    }
    // Only now is there data behind the size that the header claims.
    container_.pixels.resize(width * (y * chunk_height_ + rows) * 3);
    for (std::uint64_t row = 0; row < rows; ++row) {
      std::uint8_t* out =
          container_.pixels.data() + ((y * chunk_height_ + row) * width + x * chunk_width_) * 3;
      std::array<const std::uint8_t*, 16> in{};
      for (std::size_t plane = 0; plane < planes.size(); ++plane) {
        in[plane] = planes[plane].data() + row * row_bytes();
      }
      for (std::uint64_t column = 0; column < columns; ++column, out += 3) {
        convert(in, column, out);
      }
    }
  }

  /// The bytes of a tile or strip in the file; `turned` keeps them where their bits are reversed.
  Bytes stored_data(std::size_t chunk, std::vector<std::uint8_t>& turned) const {
    const Bytes data = bytes_.part(offsets_[chunk], sizes_[chunk]);
    if (!reversed_) {
      return data;
    }
    turned.assign(data.data(), data.data() + data.size());
    for (auto& byte : turned) {
      unsigned value = 0;
      for (unsigned bit = 0; bit < 8; ++bit) {
        value |= (byte >> bit & 1U) << (7 - bit);
      }
      byte = static_cast<std::uint8_t>(value);
    }
    return {turned.data(), turned.size(), data.format()};
  }

  std::vector<std::uint8_t> decompress(std::size_t chunk) const {
    std::vector<std::uint8_t> turned;
    auto content = decompress_tiff(stored_data(chunk, turned), compression_, content_size(chunk));
    if (predicted_) {
      for (std::uint64_t at = 0; at < content.size(); at += row_bytes()) {
        add_differences(content.data() + at);
      }
    }
    return content;
  }

  /// Section 14: each sample is stored as the difference to the same one of the pixel on its left.
  void add_differences(std::uint8_t* row) const {
    const std::uint64_t step = samples_in_plane();
    const std::uint64_t count = chunk_width_ * step;
    for (std::uint64_t i = step; i < count; ++i) {
      if (bits_ == 8) {
        row[i] = static_cast<std::uint8_t>(row[i] + row[i - step]);
        continue;
      }
      const std::size_t high = directory_.order() == Bytes::Order::Big ? 0 : 1;
      std::uint8_t* here = row + 2 * i;
      const std::uint8_t* left = here - 2 * step;
      const unsigned sum = (unsigned{here[high]} << 8 | here[1 - high]) +
                           (unsigned{left[high]} << 8 | left[1 - high]);
      here[high] = static_cast<std::uint8_t>(sum >> 8);
      here[1 - high] = static_cast<std::uint8_t>(sum);
    }
  }

  /// Sample `index` of a pixel: on 8 bits, those of 16 by their high byte; fewer bits as they are.
  unsigned sample(
      const std::array<const std::uint8_t*, 16>& rows,
      std::uint64_t column,
      std::uint64_t index) const {
    const std::uint8_t* row = rows[planes_ == 1 ? 0 : index];
    const std::uint64_t place = planes_ == 1 ? column * samples_ + index : column;
    switch (bits_) {
      case 8:
        return row[place];
      case 16:
        return row[2 * place + (directory_.order() == Bytes::Order::Big ? 0 : 1)];
      default:
        return row[place * bits_ / 8] >> (8 - bits_ - place * bits_ % 8) & ((1U << bits_) - 1);
    }
  }

  void convert(
      const std::array<const std::uint8_t*, 16>& rows,
      std::uint64_t column,
      std::uint8_t* out) const {
    std::array<unsigned, 3> colour{};
    unsigned first = sample(rows, column, 0);
    switch (photometric_) {
      case kPalette:
        for (std::size_t i = 0; i < 3; ++i) {
          colour[i] = static_cast<unsigned>(palette_[(i << bits_) + first] >> 8);
        }
        break;
      case kRgb:
        colour = {first, sample(rows, column, 1), sample(rows, column, 2)};
        break;
      case kInks: {
        const unsigned light = 255 - sample(rows, column, 3);
        for (std::size_t i = 0; i < 3; ++i) {
          colour[i] = light - multiply(sample(rows, column, i), light);
        }
        break;
      }
      default: {
        const unsigned most = bits_ >= 8 ? 255 : (1U << bits_) - 1;
        first = first * 255 / most;
        colour.fill(photometric_ == kWhiteIsZero ? 255 - first : first);
      }
    }
    if (premultiplied_) {
      const unsigned alpha = sample(rows, column, photometric_ == kRgb ? 3 : 1);
      for (auto& value : colour) {
        value = alpha == 0 ? 0 : std::min(255U, value * 255 / alpha);
      }
    }
    for (std::size_t i = 0; i < 3; ++i) {
      out[i] = static_cast<std::uint8_t>(colour[i]);
    }
  }

  Bytes bytes_;
  Directory directory_;
  Container container_;
  std::uint64_t samples_ = 1;  // of a pixel
  unsigned bits_ = 1;          // of a sample
  std::uint64_t photometric_ = 0;
  TiffCompression compression_ = TiffCompression::None;
  bool predicted_ = false;
  bool reversed_ = false;       // the lowest bit of each byte comes first
  bool premultiplied_ = false;  // colours are stored multiplied by alpha
  bool tiled_ = false;
  std::uint64_t planes_ = 1;
  std::uint64_t chunk_width_ = 0;  // of a tile or strip, in pixels
  std::uint64_t chunk_height_ = 0;
  std::uint64_t across_ = 0;
  std::uint64_t down_ = 0;
  std::vector<std::uint64_t> offsets_;
  std::vector<std::uint64_t> sizes_;
  std::vector<std::uint64_t> palette_;  // red, then green, then blue, on 16 bits
};

}  // namespace

Container read_tiff(Bytes bytes, std::uint64_t max_pixels) {
  return TiffReader(bytes, max_pixels).run();
}

}  // namespace vitrine::detail

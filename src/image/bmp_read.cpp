// BMP: Microsoft, "Bitmap Storage",
// https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-storage.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "image/container.h"

namespace vitrine::detail {
namespace {

enum Compression : std::uint32_t { kPlain = 0, kRle8 = 1, kRle4 = 2, kMasks = 3, kMasksAlpha = 6 };

/// The bits of a pixel that hold one colour.
struct Channel {
  std::uint32_t mask = 0;
  unsigned shift = 0;

  explicit Channel(std::uint32_t bits) : mask(bits) {
    while (mask != 0 && (mask & 1U) == 0) {
      mask >>= 1;
      ++shift;
    }
  }
  std::uint8_t of(std::uint32_t pixel) const {
    if (mask == 0) {
      return 0;
    }
    return static_cast<std::uint8_t>(std::uint64_t{pixel >> shift & mask} * 255 / mask);
  }
};

class BmpReader {
 public:
  BmpReader(Bytes bytes, std::uint64_t max_pixels) : bytes_(bytes) {
    container_.kind = ImageKind::Bmp;
    read_header(max_pixels);
    if (bits_ <= 8) {
      read_palette();
    }
  }

  Container run() {
    if (compression_ == kRle8 || compression_ == kRle4) {
      read_runs();
    } else {
      read_rows();
    }
    return std::move(container_);
  }

 private:
  void read_header(std::uint64_t max_pixels) {
    const std::uint32_t header = bytes_.u32(14, kLittle);
    const bool old = header == 12;
    if (!old && (header < 40 || header > 124)) {
      throw_image_error("BMP is damaged: its header claims " + std::to_string(header) + " bytes");
    }
    bytes_.require(14, header);
    const auto height =
        static_cast<std::int32_t>(old ? bytes_.u16(20, kLittle) : bytes_.u32(22, kLittle));
    top_down_ = height < 0;
    const std::int64_t rows = top_down_ ? -std::int64_t{height} : std::int64_t{height};
    set_size(
        container_,
        "BMP",
        old ? bytes_.u16(18, kLittle) : bytes_.u32(18, kLittle),
        static_cast<std::uint64_t>(rows),
        max_pixels);
    bits_ = bytes_.u16(old ? 24 : 28, kLittle);
    compression_ = old ? kPlain : bytes_.u32(30, kLittle);
    palette_at_ = 14 + std::uint64_t{header};
    entry_size_ = old ? 3 : 4;
    colours_ = old ? 0 : bytes_.u32(46, kLittle);
    data_at_ = bytes_.u32(10, kLittle);
    if (compression_ == kMasks || compression_ == kMasksAlpha) {
      // Right behind the oldest such header, and so at the same place as in the later ones.
      for (std::size_t i = 0; i < 3; ++i) {
        masks_[i] = Channel(bytes_.u32(54 + 4 * i, kLittle));
      }
    } else if (bits_ == 16) {
      masks_ = {Channel(0x7c00), Channel(0x03e0), Channel(0x001f)};
    }
    check_variety();
  }

  void check_variety() const {
    const bool small = bits_ == 1 || bits_ == 4 || bits_ == 8;
    const bool direct = bits_ == 16 || bits_ == 24 || bits_ == 32;
    const bool masks = compression_ == kMasks || compression_ == kMasksAlpha;
    const bool sound =
        (compression_ == kPlain && (small || direct)) || (compression_ == kRle8 && bits_ == 8) ||
        (compression_ == kRle4 && bits_ == 4) || (masks && (bits_ == 16 || bits_ == 32));
    if (!sound) {
      throw_image_error(
          "BMP with " + std::to_string(bits_) + " bits a pixel and compression " +
          std::to_string(compression_) + " is not supported");
    }
  }

  void read_palette() {
    const std::uint32_t most = 1U << bits_;
    const std::uint32_t count = colours_ == 0 ? most : std::min(colours_, most);
    // Some writers announce more colours than fit before the pixels; the missing ones stay black.
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t entry = palette_at_ + std::uint64_t{entry_size_} * i;
      if (!bytes_.has(entry, entry_size_) || entry + entry_size_ > data_at_) {
        break;
      }
      palette_[i] = {bytes_.u8(entry + 2), bytes_.u8(entry + 1), bytes_.u8(entry)};
    }
  }

  std::uint8_t* row(std::uint64_t stored) {
    const auto height = static_cast<std::uint64_t>(container_.height);
    const std::uint64_t upright = top_down_ ? stored : height - 1 - stored;
    return container_.pixels.data() + upright * static_cast<std::uint64_t>(container_.width) * 3;
  }

  void read_rows() {
    const auto width = static_cast<std::uint64_t>(container_.width);
    const auto height = static_cast<std::uint64_t>(container_.height);
    const std::uint64_t stride = (width * bits_ + 31) / 32 * 4;
    // The padding of the last row may be missing.
    bytes_.require(data_at_, stride * (height - 1) + (width * bits_ + 7) / 8);
    container_.pixels.resize(width * height * 3);
    for (std::uint64_t y = 0; y < height; ++y) {
      read_row(bytes_.data() + data_at_ + stride * y, row(y));
    }
  }

  void read_row(const std::uint8_t* in, std::uint8_t* out) const {
    for (std::int64_t x = 0; x < container_.width; ++x, out += 3) {
      if (bits_ <= 8) {
        const std::int64_t bit = x * bits_;
        const unsigned index = in[bit / 8] >> (8 - bits_ - bit % 8) & ((1U << bits_) - 1);
        std::copy(palette_[index].begin(), palette_[index].end(), out);
        continue;
      }
      const std::uint8_t* pixel = in + x * (bits_ / 8);
      if (bits_ == 16 || compression_ != kPlain) {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < bits_ / 8; ++i) {
          value |= std::uint32_t{pixel[i]} << (8 * i);
        }
        for (std::size_t i = 0; i < 3; ++i) {
          out[i] = masks_[i].of(value);
        }
      } else {
        out[0] = pixel[2];
        out[1] = pixel[1];
        out[2] = pixel[0];
      }
    }
  }

  void read_runs() {
    const auto width = static_cast<std::uint64_t>(container_.width);
    const auto height = static_cast<std::uint64_t>(container_.height);
    bytes_.require(data_at_, 2);
    // Two bytes make at most 255 pixels: a picture that its data cannot fill would only cost
    // memory.
    if ((bytes_.size() - data_at_) * 128 < width * height) {
      throw_image_error("BMP is cut short: too little data for its size");
    }
    // Nor is there memory for one whose data does not come to its end.
    follow_runs([](const Run&) {});
    container_.pixels.resize(width * height * 3);
    for (std::size_t i = 0; i < container_.pixels.size(); ++i) {
      container_.pixels[i] = palette_[0][i % 3];  // where no run goes
    }
    follow_runs([&](const Run& run) { draw(run); });
  }

  /// Pixels beside each other.
  struct Run {
    std::uint64_t x = 0;
    std::uint64_t y = 0;  // as stored
    unsigned count = 0;
    std::uint64_t at = 0;   // where their bytes begin
    bool repeated = false;  // whether one byte stands for all of them
  };

  /// Calls `take` with each run of the data, up to the mark of its end.
  template <typename Take>
  void follow_runs(const Take& take) const {
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::uint64_t at = data_at_;
    while (true) {
      const unsigned count = bytes_.u8(at);
      const unsigned value = bytes_.u8(at + 1);
      at += 2;
      if (count > 0) {
        take(Run{x, y, count, at - 1, /*repeated=*/true});
        x += count;
      } else if (value == 0) {
        x = 0;
        ++y;
      } else if (value == 1) {
        return;
      } else if (value == 2) {
        x += bytes_.u8(at);
        y += bytes_.u8(at + 1);
        at += 2;
      } else {
        const unsigned size = bits_ == 8 ? value : (value + 1) / 2;
        bytes_.require(at, size);
        take(Run{x, y, value, at, /*repeated=*/false});
        x += value;
        at += size + size % 2;
      }
    }
  }

  /// Puts a run into the picture. Pixels beyond the end of a row are dropped, as other readers do.
  void draw(const Run& run) {
    const auto width = static_cast<std::uint64_t>(container_.width);
    if (run.x >= width || run.y >= static_cast<std::uint64_t>(container_.height)) {
      return;
    }
    const auto count = std::min<std::uint64_t>(run.count, width - run.x);
    std::uint8_t* out = row(run.y) + run.x * 3;
    for (std::uint64_t i = 0; i < count; ++i, out += 3) {
      const unsigned byte = bytes_.u8(run.at + (run.repeated ? 0 : bits_ == 8 ? i : i / 2));
      const unsigned index = bits_ == 8 ? byte : i % 2 == 0 ? byte >> 4 : byte & 15U;
      std::copy(palette_[index].begin(), palette_[index].end(), out);
    }
  }

  Bytes bytes_;
  Container container_;
  bool top_down_ = false;
  unsigned bits_ = 0;  // of a pixel
  std::uint32_t compression_ = kPlain;
  std::uint32_t colours_ = 0;
  std::uint64_t palette_at_ = 0;
  std::uint64_t data_at_ = 0;
  unsigned entry_size_ = 4;
  std::array<Channel, 3> masks_ = {Channel(0xff0000), Channel(0x00ff00), Channel(0x0000ff)};
  std::array<std::array<std::uint8_t, 3>, 256> palette_{};
};

}  // namespace

Container read_bmp(Bytes bytes, std::uint64_t max_pixels) {
  return BmpReader(bytes, max_pixels).run();
}

}  // namespace vitrine::detail

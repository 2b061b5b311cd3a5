// PNG: W3C Portable Network Graphics (third edition), https://www.w3.org/TR/png-3/.
#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <string>
#include <zlib.h>

#include "vitrine/text.h"

#include "image/container.h"
#include "image/exif.h"

namespace vitrine::detail {
namespace {

constexpr std::size_t kSignature = 8;
constexpr std::size_t kMaxChunk = 0x7fff'ffff;

/// Bytes that one byte of a zlib stream can become: 1032, and some at its ends.
constexpr std::uint64_t kMostExpansion = 1040;

struct PngHeader {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  unsigned depth = 0;   // bits of a sample
  unsigned colour = 0;  // 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
  bool interlaced = false;

  std::uint64_t row_bytes(std::uint64_t pixels) const {
    constexpr std::array<unsigned, 7> kSamples = {1, 0, 3, 1, 2, 0, 4};
    return (pixels * kSamples[colour] * depth + 7) / 8;
  }
};

PngHeader read_header(const Bytes& chunk) {
  if (chunk.size() != 13) {
    throw_image_error(
        "PNG is damaged: its header has " + std::to_string(chunk.size()) + " bytes, not 13");
  }
  PngHeader header;
  header.width = chunk.u32(0, kBig);
  header.height = chunk.u32(4, kBig);
  header.depth = chunk.u8(8);
  header.colour = chunk.u8(9);
  header.interlaced = chunk.u8(12) == 1;
  const unsigned depth = header.depth;
  const bool whole = depth == 8 || depth == 16;
  const bool small = depth == 1 || depth == 2 || depth == 4;
  const bool sound = (header.colour == 0 && (whole || small)) ||
                     (header.colour == 3 && (small || depth == 8)) ||
                     ((header.colour == 2 || header.colour == 4 || header.colour == 6) && whole);
  if (!sound || chunk.u8(10) != 0 || chunk.u8(11) != 0 || chunk.u8(12) > 1) {
    throw_image_error("PNG is damaged: its header asks for a kind of PNG that does not exist");
  }
  return header;
}

/// Inflates the image data into a small buffer and follows the filtered rows that come out, so that
/// the codec meets neither a broken stream nor a wrong number of rows.
class ImageData {
 public:
  explicit ImageData(const PngHeader& header) {
    if (header.interlaced) {
      // Adam7: first column and row of each pass, and their steps.
      constexpr std::array<std::array<unsigned, 4>, 7> kPasses = {
          {{0, 0, 8, 8},
           {4, 0, 8, 8},
           {0, 4, 4, 8},
           {2, 0, 4, 4},
           {0, 2, 2, 4},
           {1, 0, 2, 2},
           {0, 1, 1, 2}}};
      for (const auto& pass : kPasses) {
        add_pass(
            header,
            (header.width + pass[2] - 1 - pass[0]) / pass[2],
            (header.height + pass[3] - 1 - pass[1]) / pass[3]);
      }
    } else {
      add_pass(header, header.width, header.height);
    }
    // 0: the window that the stream's header declares, as libpng takes it.
    if (::inflateInit2(&stream_, 0) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ImageData(const ImageData&) = delete;
  ImageData& operator=(const ImageData&) = delete;
  ~ImageData() { ::inflateEnd(&stream_); }

  /// Takes the next chunk; gives how many of its bytes belong to the stream.
  std::size_t feed(const Bytes& chunk) {
    stream_.next_in = const_cast<Bytef*>(chunk.data());  // zlib does not write to it
    stream_.avail_in = static_cast<uInt>(chunk.size());
    while (!ended_) {
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      follow_rows(buffer_.size() - stream_.avail_out);
      ended_ = status == Z_STREAM_END;
      if (status == Z_BUF_ERROR ||
          (status == Z_OK && stream_.avail_in == 0 && stream_.avail_out != 0)) {
        break;
      }
      if (status != Z_OK && status != Z_STREAM_END) {
        throw_image_error("PNG is damaged: its image data cannot be decompressed");
      }
    }
    return chunk.size() - stream_.avail_in;
  }

  /// Bytes that the stream has to become.
  std::uint64_t size() const {
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < pass_count_; ++i) {
      size += passes_[i].row_bytes * passes_[i].rows;
    }
    return size;
  }

  void finish() const {
    if (!ended_ || pass_ != pass_count_) {
      throw_image_error("PNG is damaged: its image data ends too early");
    }
  }

 private:
  struct Pass {
    std::uint64_t row_bytes;
    std::uint64_t rows;
  };

  void add_pass(const PngHeader& header, std::uint64_t columns, std::uint64_t rows) {
    if (columns != 0 && rows != 0) {
      passes_[pass_count_++] = {1 + header.row_bytes(columns), rows};
    }
  }

  void follow_rows(std::size_t count) {
    std::size_t position = 0;
    while (position < count) {
      if (pass_ == pass_count_) {
        throw_image_error("PNG is damaged: it has more image data than pixels");
      }
      if (column_ == 0 && buffer_[position] > 4) {
        throw_image_error(
            "PNG is damaged: row filter " + std::to_string(buffer_[position]) + " does not exist");
      }
      const std::uint64_t step =
          std::min<std::uint64_t>(passes_[pass_].row_bytes - column_, count - position);
      column_ += step;
      position += static_cast<std::size_t>(step);
      if (column_ == passes_[pass_].row_bytes) {
        column_ = 0;
        if (++row_ == passes_[pass_].rows) {
          row_ = 0;
          ++pass_;
        }
      }
    }
  }

  z_stream stream_{};
  std::array<std::uint8_t, 32768> buffer_{};
  std::array<Pass, 7> passes_{};
  std::size_t pass_count_ = 0;
  std::size_t pass_ = 0;
  std::uint64_t row_ = 0;
  std::uint64_t column_ = 0;
  bool ended_ = false;
};

void put_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

std::uint32_t checksum(const std::uint8_t* data, std::size_t size) {
  return static_cast<std::uint32_t>(::crc32_z(0, data, size));
}

/// Closes the chunk whose length field stands at `start`.
void close_chunk(std::vector<std::uint8_t>& out, std::size_t start) {
  const std::size_t length = out.size() - start - 8;
  if (length > kMaxChunk) {
    throw_image_error("PNG has more than 2 GiB of image data");
  }
  for (int i = 0; i < 4; ++i) {
    out[start + i] = static_cast<std::uint8_t>(length >> (24 - 8 * i));
  }
  put_u32(out, checksum(out.data() + start + 4, length + 4));
}

void put_png_chunk(std::vector<std::uint8_t>& out, std::string_view type, const Bytes& content) {
  const std::size_t start = out.size();
  put_u32(out, 0);
  out.insert(out.end(), type.begin(), type.end());
  out.insert(out.end(), content.data(), content.data() + content.size());
  close_chunk(out, start);
}

class PngCheck {
 public:
  PngCheck(Bytes bytes, std::uint64_t max_pixels) : bytes_(bytes), max_pixels_(max_pixels) {}

  Container run() {
    container_.kind = ImageKind::Png;
    auto& out = container_.stream;
    out.reserve(bytes_.size() + 1024);
    out.insert(out.end(), bytes_.data(), bytes_.data() + kSignature);
    std::uint64_t offset = kSignature;
    while (!ended_) {
      if (!bytes_.has(offset, 12)) {
        throw_image_error("PNG is cut short: no end chunk");
      }
      const std::uint64_t length = bytes_.u32(offset, kBig);
      if (length > kMaxChunk || !bytes_.has(offset, length + 12)) {
        throw_image_error(
            "PNG is cut short or damaged: a chunk reaches beyond the end of the file");
      }
      const Bytes type_and_content = bytes_.part(offset + 4, length + 4);
      if (checksum(type_and_content.data(), type_and_content.size()) !=
          bytes_.u32(offset + 8 + length, kBig)) {
        throw_image_error("PNG is damaged: wrong checksum of chunk " + name_of(type_and_content));
      }
      take(type_and_content);
      offset += length + 12;
    }
    return std::move(container_);
  }

 private:
  static std::string name_of(const Bytes& chunk) {
    return "\"" + printable({reinterpret_cast<const char*>(chunk.data()), 4}) + "\"";
  }

  void take(const Bytes& chunk) {
    const Bytes content = chunk.from(4);
    if (!seen_header_ && !chunk.is(0, "IHDR")) {
      throw_image_error(
          "PNG is damaged: it begins with chunk " + name_of(chunk) + ", not \"IHDR\"");
    }
    const bool is_data = chunk.is(0, "IDAT");
    if (data_ && !is_data && !data_closed_) {
      close_data();
    }
    if (chunk.is(0, "IHDR")) {
      take_header(content);
    } else if (chunk.is(0, "PLTE")) {
      take_palette(content);
    } else if (is_data) {
      take_data(content);
    } else if (chunk.is(0, "IEND")) {
      if (!data_) {
        throw_image_error("PNG is damaged: it has no image data");
      }
      put_png_chunk(container_.stream, "IEND", chunk.part(4, 0));
      ended_ = true;
    } else if (chunk.is(0, "eXIf")) {
      container_.orientation = exif_orientation(content);
    } else if ((chunk.u8(0) & 0x20U) == 0) {
      throw_image_error("PNG needs chunk " + name_of(chunk) + ", which is not supported");
    }
    // Everything else is left out: text, times, colour profiles, transparency, frames of an
    // animation.
  }

  void take_header(const Bytes& content) {
    if (seen_header_) {
      throw_image_error("PNG is damaged: it has two headers");
    }
    seen_header_ = true;
    header_ = read_header(content);
    set_size(container_, "PNG", header_.width, header_.height, max_pixels_);
    constexpr std::array<std::int64_t, 7> kChannels = {1, 0, 3, 3, 2, 0, 4};
    container_.channels = kChannels[header_.colour];
    put_png_chunk(container_.stream, "IHDR", content);
  }

  void take_palette(const Bytes& content) {
    if (seen_palette_ || data_ || content.size() == 0 || content.size() % 3 != 0 ||
        content.size() > 768) {
      throw_image_error("PNG is damaged: its palette is out of place or has the wrong length");
    }
    seen_palette_ = true;
    if (header_.colour == 3) {
      // As many entries as the pixels can name: an index beyond the palette is black.
      std::array<std::uint8_t, 768> entries{};
      const std::size_t size = std::size_t{3} << header_.depth;
      std::copy_n(content.data(), std::min(size, content.size()), entries.begin());
      put_png_chunk(container_.stream, "PLTE", Bytes(entries.data(), size, "PNG"));
    }
  }

  void take_data(const Bytes& content) {
    if (data_closed_ || (header_.colour == 3 && !seen_palette_)) {
      throw_image_error("PNG is damaged: its image data is out of place");
    }
    auto& out = container_.stream;
    if (!data_) {
      data_ = std::make_unique<ImageData>(header_);
      if (bytes_.size() < data_->size() / kMostExpansion) {
        throw_image_error("PNG is cut short: too little data for its size");
      }
      data_start_ = out.size();
      put_u32(out, 0);
      for (const char letter : {'I', 'D', 'A', 'T'}) {
        out.push_back(static_cast<std::uint8_t>(letter));
      }
    }
    const std::size_t used = data_->feed(content);
    out.insert(out.end(), content.data(), content.data() + used);
  }

  void close_data() {
    data_->finish();
    close_chunk(container_.stream, data_start_);
    data_closed_ = true;
  }

  Bytes bytes_;
  std::uint64_t max_pixels_;
  Container container_;
  PngHeader header_;
  std::unique_ptr<ImageData> data_;
  std::size_t data_start_ = 0;
  bool seen_header_ = false;
  bool seen_palette_ = false;
  bool data_closed_ = false;
  bool ended_ = false;
};

}  // namespace

Container check_png(Bytes bytes, std::uint64_t max_pixels) {
  return PngCheck(bytes, max_pixels).run();
}

}  // namespace vitrine::detail

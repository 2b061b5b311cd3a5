// Compressions of TIFF: Adobe, TIFF revision 6.0 (1992), sections 9 (PackBits) and 13 (LZW); Adobe
// Photoshop TIFF technical notes (2002), Deflate.
#include "image/tiff_codec.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <zlib.h>

namespace vitrine::detail {
namespace {

using Buffer = std::vector<std::uint8_t>;

[[noreturn]] void throw_damaged() {
  throw_image_error("TIFF is damaged: its compressed data cannot be decompressed");
}

void unpack_bits(const Bytes& data, std::uint64_t size, Buffer& out) {
  std::uint64_t at = 0;
  while (out.size() < size) {
    const int byte = data.u8(at++);
    const int control = byte < 128 ? byte : byte - 256;
    if (control >= 0) {
      const Bytes literal = data.part(at, static_cast<std::uint64_t>(control) + 1);
      out.insert(out.end(), literal.data(), literal.data() + literal.size());
      at += literal.size();
    } else if (control != -128) {
      out.insert(out.end(), static_cast<std::size_t>(1 - control), data.u8(at++));
    }
  }
}

void inflate(const Bytes& data, std::uint64_t size, Buffer& out) {
  struct Stream : z_stream {
    Stream() : z_stream() {
      if (::inflateInit(this) != Z_OK) {
        throw std::bad_alloc();
      }
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { ::inflateEnd(this); }
  };
  Stream stream;
  std::array<std::uint8_t, 32768> buffer{};
  std::uint64_t at = 0;
  while (out.size() < size) {
    if (stream.avail_in == 0) {
      constexpr std::uint64_t kPiece = 1U << 30;
      const Bytes piece = data.part(at, std::min<std::uint64_t>(kPiece, data.size() - at));
      stream.next_in = const_cast<Bytef*>(piece.data());  // zlib does not write to it
      stream.avail_in = static_cast<uInt>(piece.size());
      at += piece.size();
    }
    stream.next_out = buffer.data();
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    const std::size_t count = buffer.size() - stream.avail_out;
    out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
    if ((status != Z_OK && status != Z_STREAM_END) ||
        (status == Z_STREAM_END && out.size() < size)) {
      throw_damaged();
    }
  }
}

/// The dictionary coder of section 13: codes of 9 to 12 bits, highest bit first, which grow one
/// code early.
class Lzw {
 public:
  Lzw(const Bytes& data, std::uint64_t size, Buffer& out) : data_(data), size_(size), out_(out) {}

  void run() {
    std::uint64_t previous_at = 0;
    std::uint64_t previous_length = 0;
    while (out_.size() < size_) {
      const std::uint32_t code = next_code();
      if (code == kEnd) {
        throw_image_error("TIFF is damaged: its compressed data ends too early");
      }
      if (code == kClear) {
        next_ = kFirst;
        width_ = 9;
        previous_length = 0;
        continue;
      }
      // A code stands for bytes already written: those of the entry before it and one more.
      const std::uint64_t start = out_.size();
      if (code < 256) {
        out_.push_back(static_cast<std::uint8_t>(code));
      } else if (code < next_) {
        copy(entries_[code].at, entries_[code].length);
      } else if (code == next_ && previous_length != 0 && next_ < kMost) {
        copy(previous_at, previous_length + 1);
      } else {
        throw_damaged();
      }
      if (previous_length != 0 && next_ < kMost) {
        entries_[next_++] = {previous_at, previous_length + 1};
        if (next_ + 1 >= 1U << width_ && width_ < 12) {
          ++width_;
        }
      }
      previous_at = start;
      previous_length = out_.size() - start;
    }
  }

 private:
  static constexpr std::uint32_t kClear = 256;
  static constexpr std::uint32_t kEnd = 257;
  static constexpr std::uint32_t kFirst = 258;
  static constexpr std::uint32_t kMost = 4096;

  struct Entry {
    std::uint64_t at;
    std::uint64_t length;
  };

  std::uint32_t next_code() {
    while (count_ < width_) {
      bits_ = bits_ << 8 | data_.u8(at_++);
      count_ += 8;
    }
    count_ -= width_;
    return bits_ >> count_ & ((1U << width_) - 1);
  }

  void copy(std::uint64_t at, std::uint64_t length) {
    // Byte by byte: the source may run into what is being written.
    for (std::uint64_t i = 0; i < length; ++i) {
      const std::uint8_t byte = out_[at + i];
      out_.push_back(byte);
    }
  }

  const Bytes& data_;
  std::uint64_t size_;
  Buffer& out_;
  std::array<Entry, kMost> entries_{};
  std::uint64_t at_ = 0;
  std::uint32_t bits_ = 0;
  unsigned count_ = 0;
  unsigned width_ = 9;
  std::uint32_t next_ = kFirst;
};

/// Bytes that one byte of compressed data can become at most.
std::uint64_t expansion(TiffCompression compression) {
  switch (compression) {
    case TiffCompression::None:
      return 1;
    case TiffCompression::PackBits:
      return 64;
    case TiffCompression::Deflate:
    case TiffCompression::OldDeflate:
      return 1040;
    case TiffCompression::Lzw:
      break;
  }
  return 4096;
}

}  // namespace

std::vector<std::uint8_t> decompress_tiff(
    const Bytes& data, TiffCompression compression, std::uint64_t size) {
  if (data.size() < size / expansion(compression)) {
    throw_image_error("TIFF is cut short: too little data for its size");
  }
  Buffer out;
  out.reserve(size);
  switch (compression) {
    case TiffCompression::None: {
      const Bytes part = data.part(0, size);
      out.assign(part.data(), part.data() + part.size());
      break;
    }
    case TiffCompression::PackBits:
      unpack_bits(data, size, out);
      break;
    case TiffCompression::Deflate:
    case TiffCompression::OldDeflate:
      inflate(data, size, out);
      break;
    case TiffCompression::Lzw:
      Lzw(data, size, out).run();
      break;
  }
  out.resize(size);
  return out;
}

}  // namespace vitrine::detail

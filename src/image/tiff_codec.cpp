// Compressions of TIFF: Adobe, TIFF revision 6.0 (1992), sections 9 (PackBits) and 13 (LZW); Adobe
// Photoshop TIFF technical notes (2002), Deflate.
#include "image/tiff_codec.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>
#include <zlib.h>

namespace vitrine::detail {
namespace {

/// Takes what is decompressed and keeps it.
class Buffer {
 public:
  explicit Buffer(std::uint64_t size) { bytes_.reserve(size); }

  std::uint64_t size() const { return bytes_.size(); }
  void append(const std::uint8_t* data, std::size_t count) {
    bytes_.insert(bytes_.end(), data, data + count);
  }
  void push(std::uint8_t byte) { bytes_.push_back(byte); }
  void repeat(std::uint8_t byte, std::size_t count) { bytes_.insert(bytes_.end(), count, byte); }
  /// Appends `count` bytes from byte `at` on.
  void copy(std::uint64_t at, std::uint64_t count) {
    // Byte by byte: the source may run into what is being written.
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint8_t byte = bytes_[at + i];
      bytes_.push_back(byte);
    }
  }
  /// The first `size` bytes.
  std::vector<std::uint8_t> take(std::uint64_t size) {
    bytes_.resize(size);
    return std::move(bytes_);
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// Counts what is decompressed, for one who asks no more than whether it is all there.
class Count {
 public:
  std::uint64_t size() const { return size_; }
  void append(const std::uint8_t* /*data*/, std::size_t count) { size_ += count; }
  void push(std::uint8_t /*byte*/) { ++size_; }
  void repeat(std::uint8_t /*byte*/, std::size_t count) { size_ += count; }
  void copy(std::uint64_t /*at*/, std::uint64_t count) { size_ += count; }

 private:
  std::uint64_t size_ = 0;
};

[[noreturn]] void throw_damaged() {
  throw_image_error("TIFF is damaged: its compressed data cannot be decompressed");
}

template <typename Out>
void unpack_bits(const Bytes& data, std::uint64_t size, Out& out) {
  std::uint64_t at = 0;
  while (out.size() < size) {
    const int byte = data.u8(at++);
    const int control = byte < 128 ? byte : byte - 256;
    if (control >= 0) {
      const Bytes literal = data.part(at, static_cast<std::uint64_t>(control) + 1);
      out.append(literal.data(), literal.size());
      at += literal.size();
    } else if (control != -128) {
      out.repeat(data.u8(at++), static_cast<std::size_t>(1 - control));
    }
  }
}

template <typename Out>
void inflate(const Bytes& data, std::uint64_t size, Out& out) {
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
    out.append(buffer.data(), buffer.size() - stream.avail_out);
    if ((status != Z_OK && status != Z_STREAM_END) ||
        (status == Z_STREAM_END && out.size() < size)) {
      throw_damaged();
    }
  }
}

/// The dictionary coder of section 13: codes of 9 to 12 bits, highest bit first, which grow one
/// code early.
template <typename Out>
class Lzw {
 public:
  Lzw(const Bytes& data, std::uint64_t size, Out& out) : data_(data), size_(size), out_(out) {}

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
        out_.push(static_cast<std::uint8_t>(code));
      } else if (code < next_) {
        out_.copy(entries_[code].at, entries_[code].length);
      } else if (code == next_ && previous_length != 0 && next_ < kMost) {
        out_.copy(previous_at, previous_length + 1);
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

  const Bytes& data_;
  std::uint64_t size_;
  Out& out_;
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

template <typename Out>
void decompress(const Bytes& data, TiffCompression compression, std::uint64_t size, Out& out) {
  switch (compression) {
    case TiffCompression::None: {
      const Bytes part = data.part(0, size);
      out.append(part.data(), part.size());
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
      Lzw<Out>(data, size, out).run();
      break;
  }
}

}  // namespace

std::vector<std::uint8_t> decompress_tiff(
    const Bytes& data, TiffCompression compression, std::uint64_t size) {
  check_expansion(data.size(), compression, size);
  Buffer out(size);
  decompress(data, compression, size, out);
  return out.take(size);
}

void check_tiff(const Bytes& data, TiffCompression compression, std::uint64_t size) {
  check_expansion(data.size(), compression, size);
  Count out;
  decompress(data, compression, size, out);
}

void check_expansion(std::uint64_t size, TiffCompression compression, std::uint64_t content) {
  if (size < content / expansion(compression)) {
    throw_image_error("TIFF is cut short: too little data for its size");
  }
}

}  // namespace vitrine::detail

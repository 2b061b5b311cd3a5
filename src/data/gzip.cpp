#include "data/gzip.h"

#include <algorithm>
#include <limits>
#include <zlib.h>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

namespace vitrine::detail {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 30;
// Images of digits become a fifth. What becomes less than a fiftieth is no data set, but a bomb.
constexpr std::size_t kMostGrowth = 50;
constexpr std::size_t kFreeBytes = std::size_t{8} << 20;
constexpr std::size_t kPiece = std::size_t{1} << 20;

class Inflater {
 public:
  Inflater(const std::string& path, std::vector<std::uint8_t>& compressed) : path_(path) {
    if (compressed.size() > std::numeric_limits<uInt>::max() ||
        ::inflateInit2(&stream_, /*windowBits=*/15 + 16) != Z_OK) {
      throw FileError(printable(path_) + ": cannot be inflated");
    }
    stream_.next_in = compressed.data();
    stream_.avail_in = static_cast<uInt>(compressed.size());
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream_); }

  std::vector<std::uint8_t> run(std::size_t limit) {
    std::vector<std::uint8_t> bytes;
    std::size_t filled = 0;
    while (true) {
      if (filled == bytes.size()) {
        if (filled > limit) {
          throw FileError(
              printable(path_) + ": holds more than " + std::to_string(limit) +
              " bytes, which is more than a compressed file of its size is taken for");
        }
        bytes.resize(filled + kPiece);
      }
      stream_.next_out = bytes.data() + filled;
      stream_.avail_out = static_cast<uInt>(bytes.size() - filled);
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      filled = bytes.size() - stream_.avail_out;
      if (status == Z_STREAM_END) {
        if (!begins_another()) {
          break;
        }
        ::inflateReset(&stream_);
      } else if (status != Z_OK) {
        const bool cut = status == Z_BUF_ERROR && stream_.avail_in == 0;
        throw FileError(
            printable(path_) +
            (cut ? ": the gzip file is cut short after " : ": the gzip file is damaged after ") +
            std::to_string(filled) + " bytes of what it holds");
      }
    }
    bytes.resize(filled);
    if (stream_.avail_in != 0) {
      throw FileError(
          printable(path_) + ": has " + std::to_string(stream_.avail_in) +
          " bytes behind the end of the gzip file");
    }
    return bytes;
  }

 private:
  /// Whether a further member of the file begins here: what they hold belongs together (RFC 1952).
  bool begins_another() const {
    return stream_.avail_in >= 2 && stream_.next_in[0] == 0x1f && stream_.next_in[1] == 0x8b;
  }

  const std::string& path_;
  z_stream stream_{};
};

}  // namespace

std::vector<std::uint8_t> read_maybe_gzip(const std::string& path) {
  auto bytes = read_file(path, kLargestFile);
  if (bytes.size() < 2 || bytes[0] != 0x1f || bytes[1] != 0x8b) {
    return bytes;
  }
  const auto limit = std::min(bytes.size() * kMostGrowth + kFreeBytes, kLargestFile);
  return Inflater(path, bytes).run(limit);
}

}  // namespace vitrine::detail

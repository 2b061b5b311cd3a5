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
    int status = Z_OK;
    while (status != Z_STREAM_END) {
      const auto begin = bytes.size();
      if (begin > limit) {
        throw FileError(
            printable(path_) + ": holds more than " + std::to_string(limit) +
            " bytes, which is more than a compressed file of its size is taken for");
      }
      bytes.resize(begin + kPiece);
      stream_.next_out = bytes.data() + begin;
      stream_.avail_out = static_cast<uInt>(kPiece);
      status = ::inflate(&stream_, Z_NO_FLUSH);
      bytes.resize(begin + kPiece - stream_.avail_out);
      if (status != Z_OK && status != Z_STREAM_END) {
        const bool cut = status == Z_BUF_ERROR && stream_.avail_in == 0;
        throw FileError(
            printable(path_) +
            (cut ? ": the gzip file is cut short after " : ": the gzip file is damaged after ") +
            std::to_string(bytes.size()) + " bytes of what it holds");
      }
    }
    if (stream_.avail_in != 0) {
      throw FileError(
          printable(path_) + ": has " + std::to_string(stream_.avail_in) +
          " bytes behind the end of the gzip file");
    }
    return bytes;
  }

 private:
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

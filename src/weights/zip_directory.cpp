#include "zip_directory.h"

#include <optional>
#include <string_view>

#include "vitrine/error.h"

#include "little_endian.h"

namespace vitrine::detail {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::uint64_t kEnd = 22;
constexpr std::uint64_t kZip64Locator = 20;
constexpr std::uint64_t kZip64End = 56;
constexpr std::uint64_t kMaxDirectory = std::uint64_t{64} << 20;

/// Reads the records at the end of an archive (APPNOTE, sections 4.3.14 to 4.3.16).
class EndReader {
 public:
  EndReader(const ByteSource& source, const std::string& subject)
      : source_(source), subject_(subject) {}

  ZipDirectory read();

 private:
  ZipDirectory read_end();
  std::optional<ZipDirectory> read_zip64_end();
  void check(const ZipDirectory& directory) const;

  std::string bytes(std::uint64_t offset, std::uint64_t size) const {
    std::string result(size, '\0');
    source_.read_at(offset, result.data(), result.size());
    return result;
  }
  [[noreturn]] void fail(const std::string& message) const {
    throw CheckpointError(subject_ + ": " + message);
  }

  const ByteSource& source_;
  const std::string& subject_;
  std::uint64_t records_begin_ = 0;  // place of the first of the records at the end
};

ZipDirectory EndReader::read() {
  auto directory = read_end();
  const auto zip64 = read_zip64_end();
  if (zip64) {
    const auto differs = [](std::uint64_t plain, std::uint64_t wide, std::uint64_t limit) {
      return plain != wide && plain != limit;
    };
    if (differs(directory.begin, zip64->begin, kZip32Limit) ||
        differs(directory.size, zip64->size, kZip32Limit) ||
        differs(directory.count, zip64->count, kZip16Limit)) {
      fail("its zip end record and the Zip64 one contradict each other");
    }
    directory = *zip64;
  }
  check(directory);
  return directory;
}

ZipDirectory EndReader::read_end() {
  const bool fits = source_.size() >= kEnd;
  const auto end = fits ? bytes(source_.size() - kEnd, kEnd) : "";
  if (!fits || end.substr(0, 4) != "PK\x05\x06"sv || little_endian(end, 20, 2) != 0) {
    fail(
        "is a zip archive that does not end with its end record: it is cut short, or a comment or "
        "something else was added; is the download incomplete?");
  }
  records_begin_ = source_.size() - kEnd;
  const auto count = little_endian(end, 10, 2);
  if (little_endian(end, 4, 4) != 0 || little_endian(end, 8, 2) != count) {
    fail("its zip end record names several disks");
  }
  return {little_endian(end, 16, 4), little_endian(end, 12, 4), count};
}

std::optional<ZipDirectory> EndReader::read_zip64_end() {
  if (records_begin_ < kZip64Locator) {
    return std::nullopt;
  }
  const auto locator_begin = records_begin_ - kZip64Locator;
  const auto locator = bytes(locator_begin, kZip64Locator);
  if (locator.substr(0, 4) != "PK\x06\x07"sv) {
    return std::nullopt;
  }
  const auto begin = little_endian(locator, 8, 8);
  if (locator_begin < kZip64End || begin > locator_begin - kZip64End) {
    fail("its Zip64 end record is said to be at byte " + std::to_string(begin) + ", out of place");
  }
  const auto end = bytes(begin, kZip64End);
  const auto rest = little_endian(end, 4, 8);  // bytes after this field
  if (end.substr(0, 4) != "PK\x06\x06"sv || rest != locator_begin - begin - 12) {
    fail("its Zip64 end record is damaged");
  }
  const auto count = little_endian(end, 32, 8);
  if (little_endian(end, 16, 8) != 0 || little_endian(end, 24, 8) != count) {
    fail("its Zip64 end record names several disks");
  }
  records_begin_ = begin;
  return ZipDirectory{little_endian(end, 48, 8), little_endian(end, 40, 8), count};
}

void EndReader::check(const ZipDirectory& directory) const {
  if (directory.begin > records_begin_ || directory.size != records_begin_ - directory.begin) {
    fail(
        "its zip directory is said to be " + std::to_string(directory.size) + " bytes from byte " +
        std::to_string(directory.begin) + " on, expected to end at byte " +
        std::to_string(records_begin_));
  }
  if (directory.size > kMaxDirectory) {
    fail(
        "its zip directory has " + std::to_string(directory.size) + " bytes, expected at most " +
        std::to_string(kMaxDirectory));
  }
  if (directory.count > directory.size / kZipEntry) {
    fail(
        "its zip directory is said to have " + std::to_string(directory.count) +
        " members, too many for its " + std::to_string(directory.size) + " bytes");
  }
}

}  // namespace

ZipDirectory find_zip_directory(const ByteSource& source, const std::string& subject) {
  return EndReader(source, subject).read();
}

}  // namespace vitrine::detail

#include "zip_archive.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "little_endian.h"
#include "zip_directory.h"

namespace vitrine::detail {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::uint64_t kHeader = 30;           // in front of a member's bytes, without its name
constexpr std::uint64_t kEncrypted = 0x2041;    // flags 0, 6 and 13
constexpr std::uint64_t kSizesFollow = 0x0008;  // after the bytes; 0 in the header
constexpr std::uint64_t kZip64Field = 0x0001;

/// Whether a name could lead out of a folder.
bool is_unsafe(std::string_view name) {
  return name.empty() || name.front() == '/' || name.find("..") != std::string_view::npos ||
         name.find_first_of("\\\0"sv) != std::string_view::npos;
}

/// Replaces those of `values` that say so by the numbers of the Zip64 field among the extra fields,
/// where they come in this order; false when they are not all there.
template <std::size_t kCount>
bool widen(std::string_view extra, const std::array<std::uint64_t*, kCount>& values) {
  std::string_view numbers;
  while (extra.size() >= 4) {
    const auto size = little_endian(extra, 2, 2);
    if (size > extra.size() - 4) {
      break;
    }
    if (little_endian(extra, 0, 2) == kZip64Field) {
      numbers = extra.substr(4, size);
      break;
    }
    extra.remove_prefix(4 + size);
  }
  for (auto* value : values) {
    if (*value == kZip32Limit) {
      if (numbers.size() < 8) {
        return false;
      }
      *value = little_endian(numbers, 0, 8);
      numbers.remove_prefix(8);
    }
  }
  return true;
}

}  // namespace

ZipArchive::ZipArchive(const ByteSource& source, std::string subject)
    : source_(source), subject_(std::move(subject)) {
  const auto directory = find_zip_directory(source_, subject_);
  directory_begin_ = directory.begin;
  directory_ = bytes(directory.begin, directory.size);
  entries_.reserve(directory.count);
  std::size_t offset = 0;
  while (entries_.size() < directory.count) {
    offset = read_entry(offset);
  }
  if (offset != directory_.size()) {
    throw CheckpointError(
        subject_ + ": its zip directory has " + std::to_string(directory_.size() - offset) +
        " bytes more than its " + std::to_string(directory.count) + " members need");
  }
  const auto by_place = [](const auto& a, const auto& b) { return a.header < b.header; };
  std::sort(entries_.begin(), entries_.end(), by_place);
  check_places();
  sort_names();
}

std::optional<std::size_t> ZipArchive::find(std::string_view name) const {
  const auto less = [&](std::size_t i, std::string_view wanted) {
    return entries_[i].name < wanted;
  };
  const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name, less);
  if (found == by_name_.end() || entries_[*found].name != name) {
    return std::nullopt;
  }
  return *found;
}

void ZipArchive::check_stored() const {
  for (const auto& entry : entries_) {
    if (entry.method != 0) {
      fail(
          entry.name,
          "is compressed, by method " + std::to_string(entry.method) +
              ", as torch.save never does; expected stored bytes");
    }
  }
}

ZipMember ZipArchive::locate(std::size_t i) const {
  const auto& entry = entries_[i];
  const auto header = bytes(entry.header, kHeader + entry.name.size());
  const bool sound = header.compare(0, 4, "PK\x03\x04") == 0 &&
                     little_endian(header, 26, 2) == entry.name.size() &&
                     header.compare(kHeader, std::string::npos, entry.name) == 0;
  if (!sound) {
    fail(entry.name, "has no header of its name where the zip directory places it");
  }
  const auto begin = entry.header + header.size() + little_endian(header, 28, 2);
  if (begin > next(i) || entry.size > next(i) - begin) {
    fail(entry.name, "overlaps with what follows it");
  }
  check_header(entry, header);
  return {begin, entry.size, entry.crc};
}

/// Reads the directory's entry at `offset`; gives where the next one begins.
std::size_t ZipArchive::read_entry(std::size_t offset) {
  const auto record = std::string_view(directory_).substr(offset);
  const auto field = [&](std::size_t at, std::size_t size) {
    return little_endian(record, at, size);
  };
  const auto end = record.size() < kZipEntry || record.substr(0, 4) != "PK\x01\x02"sv
                       ? std::uint64_t{0}
                       : kZipEntry + field(28, 2) + field(30, 2) + field(32, 2);
  if (end == 0 || end > record.size()) {
    throw CheckpointError(
        subject_ + ": entry " + std::to_string(entries_.size()) +
        " of its zip directory, at byte " + std::to_string(directory_begin_ + offset) +
        ", is damaged");
  }
  Entry entry;
  entry.name = record.substr(kZipEntry, field(28, 2));
  entry.crc = static_cast<std::uint32_t>(field(16, 4));
  auto stored = field(20, 4);
  entry.size = field(24, 4);
  entry.header = field(42, 4);
  const auto extra = record.substr(kZipEntry + entry.name.size(), field(30, 2));
  if (!widen<3>(extra, {&entry.size, &stored, &entry.header})) {
    fail(entry.name, "lacks the Zip64 field that its size or place is in");
  }
  if ((field(8, 2) & kEncrypted) != 0) {
    fail(entry.name, "is encrypted");
  }
  entry.method = field(10, 2);
  if ((stored != entry.size && entry.method == 0) || field(34, 2) != 0) {
    fail(
        entry.name,
        "has " + std::to_string(stored) + " stored bytes for a size of " +
            std::to_string(entry.size) + ", or lies on another disk");
  }
  if (is_unsafe(entry.name)) {
    fail(entry.name, "has an unsafe name");
  }
  entry.size = stored;
  entries_.push_back(entry);
  return offset + end;
}

/// Checks that the first member begins the file and that none reaches into the next. How long a
/// header is to a byte shows when it is read.
void ZipArchive::check_places() const {
  if (!entries_.empty() && entries_[0].header != 0) {
    fail(
        entries_[0].name,
        "is the first, but begins at byte " + std::to_string(entries_[0].header) +
            ": something was put before the archive");
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& entry = entries_[i];
    if (entry.header > directory_begin_ || directory_begin_ - entry.header < kHeader ||
        entry.size > directory_begin_ - entry.header - kHeader) {
      fail(
          entry.name,
          "is said to be " + std::to_string(entry.size) + " bytes from byte " +
              std::to_string(entry.header) + " on, outside the file's members, which end at byte " +
              std::to_string(directory_begin_));
    }
    if (kHeader + entry.name.size() + entry.size > next(i) - entry.header) {
      fail(entry.name, "overlaps with what follows it");
    }
  }
}

void ZipArchive::sort_names() {
  by_name_.resize(entries_.size());
  for (std::size_t i = 0; i < by_name_.size(); ++i) {
    by_name_[i] = i;
  }
  const auto name_at = [&](std::size_t i) { return entries_[i].name; };
  std::sort(by_name_.begin(), by_name_.end(), [&](std::size_t a, std::size_t b) {
    return name_at(a) < name_at(b);
  });
  const auto twice =
      std::adjacent_find(by_name_.begin(), by_name_.end(), [&](std::size_t a, std::size_t b) {
        return name_at(a) == name_at(b);
      });
  if (twice != by_name_.end()) {
    fail(name_at(*twice), "is there twice");
  }
}

/// Checks the header in front of a member's bytes against the directory. It may leave to a record
/// after the bytes what a writer that cannot go back does not know yet.
void ZipArchive::check_header(const Entry& entry, std::string_view header) const {
  const auto flags = little_endian(header, 6, 2);
  const auto crc = little_endian(header, 14, 4);
  auto stored = little_endian(header, 18, 4);
  auto size = little_endian(header, 22, 4);
  if (stored == kZip32Limit || size == kZip32Limit) {
    const auto extra = bytes(entry.header + header.size(), little_endian(header, 28, 2));
    if (!widen<2>(extra, {&size, &stored})) {
      fail(entry.name, "lacks the Zip64 field that its size is in");
    }
  }
  const bool later = (flags & kSizesFollow) != 0 && crc == 0 && stored == 0 && size == 0;
  const bool same = crc == entry.crc && stored == entry.size && size == entry.size;
  if ((flags & kEncrypted) != 0 || little_endian(header, 8, 2) != 0 || (!later && !same)) {
    fail(entry.name, "has a header that contradicts the zip directory");
  }
}

std::uint64_t ZipArchive::next(std::size_t i) const {
  return i + 1 < entries_.size() ? entries_[i + 1].header : directory_begin_;
}

std::string ZipArchive::bytes(std::uint64_t offset, std::uint64_t size) const {
  std::string result(size, '\0');
  source_.read_at(offset, result.data(), result.size());
  return result;
}

void ZipArchive::fail(std::string_view member, const std::string& message) const {
  throw CheckpointError(
      subject_ + ": member '" + printable(member, 100) + "' of the zip archive " + message);
}

}  // namespace vitrine::detail

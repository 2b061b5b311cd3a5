#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "byte_source.h"

namespace vitrine::detail {

/// Where the bytes of an archive's member lie.
struct ZipMember {
  std::uint64_t begin = 0;  // in the file
  std::uint64_t size = 0;
  std::uint32_t crc = 0;  // CRC-32; 0 where the writer did not work it out
};

/// A zip archive as torch.save writes it: members that are stored, not compressed (`check_stored`),
/// nothing before the first of them and nothing after the end record. What zip tools would guess
/// about, or what makes two of them see two different files, is refused. Layout: PKWARE,
/// "APPNOTE.TXT", version 6.3.10, sections 4.3 to 4.5, https://support.pkware.com/pkzip/appnote.
///
/// Time and memory are in proportion to the directory, which is within the file. Written by hand
/// because libzip tells neither where a member's bytes lie, which it takes to read them in place
/// and by several threads, nor whether members overlap.
class ZipArchive {
 public:
  /// Reads and checks the directory. `source` must outlive the archive. Throws CheckpointError,
  /// beginning with `subject`.
  ZipArchive(const ByteSource& source, std::string subject);

  std::size_t size() const { return entries_.size(); }
  /// Name of member `i`, unique; members are numbered in the order of their places in the file.
  std::string_view name(std::size_t i) const { return entries_[i].name; }
  /// The number of the member called `name`, or nothing.
  std::optional<std::size_t> find(std::string_view name) const;
  /// Throws CheckpointError when a member is compressed. Not done on opening: the names tell better
  /// what an archive with such members is.
  void check_stored() const;
  /// The place of member `i`, which is stored. Throws CheckpointError when the header in front of
  /// its bytes does not say the same as the directory, or when its bytes overlap with what follows.
  ZipMember locate(std::size_t i) const;

 private:
  struct Entry {
    std::string_view name;     // in directory_
    std::uint64_t header = 0;  // place of the header in front of the bytes
    std::uint64_t size = 0;    // of the bytes in the file
    std::uint64_t method = 0;  // of compression; 0: none
    std::uint32_t crc = 0;
  };

  std::size_t read_entry(std::size_t offset);
  void check_places() const;
  void sort_names();
  void check_header(const Entry& entry, std::string_view header) const;
  /// Where what comes after member `i` begins.
  std::uint64_t next(std::size_t i) const;
  std::string bytes(std::uint64_t offset, std::uint64_t size) const;
  [[noreturn]] void fail(std::string_view member, const std::string& message) const;

  const ByteSource& source_;
  std::string subject_;
  std::uint64_t directory_begin_ = 0;
  std::string directory_;
  std::vector<Entry> entries_;        // by place
  std::vector<std::size_t> by_name_;  // numbers of entries
};

}  // namespace vitrine::detail

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <zlib.h>

#include "pickle_assembler.h"

namespace vitrine {

/// A member of a zip archive to be made; what is given besides replaces what would be true.
struct ZipPart {
  ZipPart(std::string name_, std::string bytes_)
      : name(std::move(name_)), bytes(std::move(bytes_)) {}

  std::string name;
  std::string bytes;
  std::uint64_t flags = 0x0808;  // sizes follow; the name is UTF-8
  std::uint64_t method = 0;
  std::optional<std::uint64_t> crc;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> stored_size;
  std::optional<std::uint64_t> header;  // where the directory places it
  std::string directory_extra;
  std::optional<std::string> local_name;
  std::string local_extra;
  std::uint64_t local_method = 0;
  std::uint64_t local_crc = 0;
  std::uint64_t local_size = 0;
};

/// The end of a zip archive to be made; what is given replaces what would be true.
struct ZipEnds {
  bool zip64 = false;
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> begin;
  std::optional<std::uint64_t> zip64_begin;  // place of the Zip64 end record, for its locator
  std::uint64_t disk = 0;
  std::string gap;  // between the directory and the end records
};

inline std::uint64_t crc32_of(const std::string& bytes) {
  return ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

/// The end records of a directory.
inline std::string zip_end(
    std::uint64_t begin, std::uint64_t size, std::uint64_t count, const ZipEnds& ends) {
  using pickle::little;
  const auto end_begin = begin + size + ends.gap.size();
  begin = ends.begin.value_or(begin);
  size = ends.size.value_or(size);
  count = ends.count.value_or(count);
  std::string bytes = ends.gap;
  if (ends.zip64) {
    bytes += "PK\x06\x06" + little(44, 8) + little(0x002D'031E, 4) + little(ends.disk, 4) +
             little(0, 4) + little(count, 8) + little(count, 8) + little(size, 8) +
             little(begin, 8);
    bytes += "PK\x06\x07" + little(0, 4) + little(ends.zip64_begin.value_or(end_begin), 8) +
             little(1, 4);
  }
  const auto short_count = ends.zip64 ? 0xFFFF : count;
  const auto short_size = ends.zip64 ? 0xFFFFFFFF : size;
  const auto short_begin = ends.zip64 ? 0xFFFFFFFF : begin;
  return bytes + "PK\x05\x06" + little(ends.disk, 2) + little(0, 2) + little(short_count, 2) +
         little(short_count, 2) + little(short_size, 4) + little(short_begin, 4) + little(0, 2);
}

/// An archive of `parts`, laid out as torch.save does it.
inline std::string zip_bytes(const std::vector<ZipPart>& parts, const ZipEnds& ends = {}) {
  using pickle::little;
  std::string file;
  std::string directory;
  for (const auto& part : parts) {
    const auto header = part.header.value_or(file.size());
    const auto size = part.size.value_or(part.bytes.size());
    const auto crc = part.crc.value_or(crc32_of(part.bytes));
    const auto local_name = part.local_name.value_or(part.name);
    file += "PK\x03\x04" + little(0, 2) + little(part.flags, 2) + little(part.local_method, 2) +
            little(0, 4) + little(part.local_crc, 4) + little(part.local_size, 4) +
            little(part.local_size, 4) + little(local_name.size(), 2) +
            little(part.local_extra.size(), 2) + local_name + part.local_extra + part.bytes;
    directory += "PK\x01\x02" + little(0, 4) + little(part.flags, 2) + little(part.method, 2) +
                 little(0, 4) + little(crc, 4) + little(part.stored_size.value_or(size), 4) +
                 little(size, 4) + little(part.name.size(), 2) +
                 little(part.directory_extra.size(), 2) + little(0, 2) + little(0, 2) +
                 little(0, 6) + little(header, 4) + part.name + part.directory_extra;
  }
  const auto begin = file.size();
  return file + directory + zip_end(begin, directory.size(), parts.size(), ends);
}

/// The members of a PyTorch archive: the pickle, and storages by their keys.
inline std::vector<ZipPart> torch_parts(
    const std::string& pickle,
    const std::vector<std::pair<std::string, std::string>>& storages = {}) {
  std::vector<ZipPart> parts;
  parts.emplace_back("m/data.pkl", pickle);
  for (const auto& [key, bytes] : storages) {
    parts.emplace_back("m/data/" + key, bytes);
  }
  parts.emplace_back("m/version", "3\n");
  return parts;
}

/// A PyTorch archive that holds `object`, written as opcodes without PROTO and STOP.
inline std::string torch_zip(
    const std::string& object,
    const std::vector<std::pair<std::string, std::string>>& storages = {}) {
  return zip_bytes(torch_parts(pickle::whole(object), storages));
}

/// A legacy stream: the object's opcodes, the keys in order, and what follows.
inline std::string legacy_stream(
    const std::string& object, const std::vector<std::string>& keys, const std::string& data) {
  using pickle::integer;
  using pickle::whole;
  std::vector<std::string> texts;
  texts.reserve(keys.size());
  for (const auto& key : keys) {
    texts.push_back(pickle::text(key));
  }
  const std::string magic = "\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19";
  return whole(magic) + whole(integer(1001)) +
         whole(pickle::dict({pickle::text("little_endian"), "\x88"})) + whole(object) +
         whole(pickle::list(texts)) + data;
}

}  // namespace vitrine

#include "torch_zip.h"

#include <optional>
#include <string>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "checksum.h"
#include "pickle_reader.h"
#include "zip_archive.h"

namespace vitrine::detail {
namespace {

/// Reads the members of an archive that torch.save wrote.
class TorchZip {
 public:
  TorchZip(const ByteSource& source, const std::string& subject)
      : source_(source), subject_(subject), archive_(source, subject), folder_(find_folder()) {}

  PthContent read() const;

 private:
  std::string find_folder() const;
  PickleGraph read_data() const;
  bool read_byte_order() const;
  void place(Storage& storage) const;
  void check_crc(const std::string& name, const ZipMember& member) const;
  std::optional<ZipMember> find(const std::string& name) const;
  [[noreturn]] void fail(const std::string& message) const {
    throw CheckpointError(subject_ + ": " + message);
  }

  const ByteSource& source_;
  const std::string& subject_;
  ZipArchive archive_;
  std::string folder_;  // with a slash at its end
};

PthContent TorchZip::read() const {
  if (archive_.find(folder_ + "constants.pkl")) {
    fail(
        "is a TorchScript archive, which is a program; expected a checkpoint of weights, as "
        "torch.save(torch.jit.load(FILE).state_dict(), ...) writes it");
  }
  archive_.check_stored();
  auto graph = read_data();
  StorageTable storages(graph, StorageForm::Zip, subject_);
  for (auto& storage : storages.storages()) {
    place(storage);
  }
  return {std::move(graph), std::move(storages), read_byte_order()};
}

/// The folder of the one data.pkl.
std::string TorchZip::find_folder() const {
  std::optional<std::string> folder;
  for (std::size_t i = 0; i < archive_.size(); ++i) {
    const auto name = archive_.name(i);
    const auto slash = name.find('/');
    if (slash == std::string_view::npos || name.substr(slash + 1) != "data.pkl") {
      continue;
    }
    if (folder) {
      fail(
          "has more than one data.pkl, in the folders '" + printable(*folder, 60) + "' and '" +
          printable(name.substr(0, slash + 1), 60) + "'");
    }
    folder = std::string(name.substr(0, slash + 1));
  }
  if (!folder) {
    const auto first = archive_.size() == 0 ? std::string_view() : archive_.name(0);
    const bool numpy = first.find(".npy") != std::string_view::npos;
    fail(
        std::string(numpy ? "is a numpy archive (.npz)" : "is a zip archive without a data.pkl") +
        "; expected a PyTorch checkpoint");
  }
  return *folder;
}

PickleGraph TorchZip::read_data() const {
  const auto member = *find("data.pkl");
  if (member.size > kMaxPickle) {
    fail(
        "its data.pkl has " + std::to_string(member.size) + " bytes, expected at most " +
        std::to_string(kMaxPickle));
  }
  check_crc("data.pkl", member);
  auto graph =
      read_pickle(source_, member.begin, member.begin + member.size, subject_ + ": data.pkl");
  if (graph.byte_count() != member.size) {
    fail(
        "data.pkl: goes on for " + std::to_string(member.size - graph.byte_count()) +
        " bytes after its STOP");
  }
  return graph;
}

/// Whether the numbers have their highest byte first.
bool TorchZip::read_byte_order() const {
  const auto member = find("byteorder");
  if (!member) {
    return false;
  }
  check_crc("byteorder", *member);
  std::string order(member->size > 8 ? 0 : member->size, '\0');
  source_.read_at(member->begin, order.data(), order.size());
  if (order != "little" && order != "big") {
    fail("its byteorder is '" + printable(order) + "', expected 'little' or 'big'");
  }
  return order == "big";
}

void TorchZip::place(Storage& storage) const {
  if (!storage.has_data) {
    return;
  }
  const auto member = find("data/" + storage.key);
  if (!member) {
    fail("storage '" + storage.key + "' is named by data.pkl, but is not in the archive");
  }
  if (member->size != storage.size()) {
    fail(
        "storage '" + storage.key + "' has " + std::to_string(member->size) + " bytes, but its " +
        std::to_string(storage.numel) + " elements of " + storage.type->name + " need " +
        std::to_string(storage.size()));
  }
  storage.begin = member->begin;
  storage.crc = member->crc;
}

/// Checks bytes that are small, so that damage shows as such.
void TorchZip::check_crc(const std::string& name, const ZipMember& member) const {
  if (member.crc != 0 && crc_of(source_, member.begin, member.size) != member.crc) {
    fail("its " + name + " is damaged: the CRC-32 is not the one that the archive says");
  }
}

std::optional<ZipMember> TorchZip::find(const std::string& name) const {
  const auto i = archive_.find(folder_ + name);
  return i ? std::make_optional(archive_.locate(*i)) : std::nullopt;
}

}  // namespace

PthContent read_torch_zip(const ByteSource& source, const std::string& subject) {
  return TorchZip(source, subject).read();
}

}  // namespace vitrine::detail

#include "legacy_stream.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "little_endian.h"
#include "pickle_describe.h"
#include "pickle_reader.h"
#include "python_object.h"

namespace vitrine::detail {
namespace {

using std::string_view_literals::operator""sv;

constexpr auto kMagic = "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"sv;  // 0x1950A86A20F9469CFC6C
constexpr std::int64_t kProtocol = 1001;
constexpr std::uint64_t kCount = 8;  // bytes of a storage's number of elements

/// Reads a stream of torch.save from its start to its end.
class LegacyReader {
 public:
  LegacyReader(const ByteSource& source, const std::string& subject)
      : source_(source), subject_(subject) {}

  PthContent read();

 private:
  PickleGraph next_pickle();
  void check_start();
  std::vector<std::size_t> read_order(const StorageTable& storages);
  void place(Storage& storage);
  [[noreturn]] void fail(const std::string& message) const {
    throw CheckpointError(subject_ + ": " + message);
  }

  const ByteSource& source_;
  const std::string& subject_;
  std::uint64_t next_ = 0;
  int pickles_ = 0;
};

PthContent LegacyReader::read() {
  check_start();
  auto graph = next_pickle();
  StorageTable storages(graph, StorageForm::Legacy, subject_);
  for (const auto number : read_order(storages)) {
    place(storages.storages()[number]);
  }
  if (next_ != source_.size()) {
    fail(
        "goes on for " + std::to_string(source_.size() - next_) +
        " bytes after the last of its storages");
  }
  return {std::move(graph), std::move(storages), /*big_endian=*/false};
}

PickleGraph LegacyReader::next_pickle() {
  ++pickles_;
  auto graph = read_pickle(
      source_, next_, source_.size(), subject_ + ": pickle " + std::to_string(pickles_) + " of 5");
  next_ += graph.byte_count();
  return graph;
}

/// The first three pickles, which say what the stream is.
void LegacyReader::check_start() {
  const auto magic = next_pickle();
  if (magic.kind(magic.root()) != PickleKind::Long || magic.text(magic.root()) != kMagic) {
    fail("is a Python pickle, but none that torch.save wrote; expected a PyTorch checkpoint");
  }
  const auto protocol = next_pickle();
  if (protocol.integer(protocol.root()) != kProtocol) {
    fail(
        "its protocol is " + describe(protocol, protocol.root()) + ", expected " +
        std::to_string(kProtocol));
  }
  const auto machine = next_pickle();
  const auto little = find_item(machine, machine.root(), "little_endian");
  if (!little || *little != PickleGraph::kTrue) {
    fail(
        "was written by a big-endian machine, or does not say by which; expected a little-endian "
        "one, or a file that torch.save writes since PyTorch 1.6");
  }
}

/// The fifth pickle: all storages, by their keys, in the order of their bytes.
std::vector<std::size_t> LegacyReader::read_order(const StorageTable& storages) {
  const auto keys = next_pickle();
  if (keys.kind(keys.root()) != PickleKind::List) {
    fail("its storages' keys are " + describe(keys, keys.root()) + ", expected a list");
  }
  std::vector<std::size_t> order;
  std::vector<bool> seen(storages.storages().size());
  for (const auto key : keys.items(keys.root())) {
    const auto number = storages.find(keys.text(key));
    if (!number || seen[*number]) {
      fail(
          "its storages' keys hold " + describe(keys, key) +
          (number ? " twice" : ", which its object does not name"));
    }
    seen[*number] = true;
    order.push_back(*number);
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i]) {
      fail("storage '" + storages.storages()[i].key + "' is not among its storages' keys");
    }
  }
  return order;
}

/// Finds the bytes of the storage that comes next, after their number.
void LegacyReader::place(Storage& storage) {
  const auto left = source_.size() - next_;
  if (left < kCount || left - kCount < storage.size()) {
    fail(
        "ends within storage '" + storage.key + "', which has " + std::to_string(storage.size()) +
        " bytes, " + std::to_string(left) + " before the end; is the download incomplete?");
  }
  std::array<char, kCount> bytes{};
  source_.read_at(next_, bytes.data(), bytes.size());
  const auto numel = little_endian({bytes.data(), bytes.size()}, 0, bytes.size());
  if (numel != storage.numel) {
    fail(
        "storage '" + storage.key + "' is said to have " + std::to_string(storage.numel) +
        " elements, but " + std::to_string(numel) + " where its bytes are");
  }
  storage.begin = next_ + kCount;
  next_ = storage.begin + storage.size();
}

}  // namespace

PthContent read_legacy_stream(const ByteSource& source, const std::string& subject) {
  return LegacyReader(source, subject).read();
}

}  // namespace vitrine::detail

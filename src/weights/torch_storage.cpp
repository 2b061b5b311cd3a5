#include "torch_storage.h"

#include <algorithm>
#include <array>
#include <map>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "pickle_describe.h"

namespace vitrine::detail {
namespace {

constexpr std::int64_t kMaxNumel = std::int64_t{1} << 62;
constexpr std::size_t kMaxKey = 20;  // digits of the largest pointer

constexpr std::array<StorageType, 18> kTypes = {{
    {"FloatStorage", 4, Dtype::F32, false},
    {"DoubleStorage", 8, Dtype::F64, false},
    {"HalfStorage", 2, Dtype::F16, false},
    {"BFloat16Storage", 2, Dtype::BF16, false},
    {"LongStorage", 8, Dtype::I64, false},
    {"IntStorage", 4, Dtype::I32, false},
    {"ShortStorage", 2, Dtype::I16, false},
    {"CharStorage", 1, Dtype::I8, false},
    {"ByteStorage", 1, Dtype::U8, false},
    {"BoolStorage", 1, Dtype::Bool, false},
    {"ComplexFloatStorage", 8, Dtype::C64, false},
    {"ComplexDoubleStorage", 16, std::nullopt, false},
    {"QInt8Storage", 1, std::nullopt, false},
    {"QUInt8Storage", 1, std::nullopt, false},
    {"QInt32Storage", 4, std::nullopt, false},
    {"QUInt4x2Storage", 1, std::nullopt, false},
    {"QUInt2x4Storage", 1, std::nullopt, false},
    {"UntypedStorage", 1, std::nullopt, true},
}};

bool is_decimal(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What one persistent id says.
struct Identity {
  Storage storage;
  StorageView view;
};

/// Reads persistent ids.
class IdentityReader {
 public:
  IdentityReader(const PickleGraph& graph, StorageForm form, const std::string& subject)
      : graph_(graph), form_(form), subject_(subject) {}

  /// What the persistent id `id` says; nothing where it is a class.
  std::optional<Identity> read(PickleId id) const;

  [[noreturn]] void fail(const std::string& message) const {
    throw CheckpointError(subject_ + ": " + message);
  }

 private:
  const StorageType* type_of(PickleId id) const;
  std::string key_of(PickleId id) const;
  std::uint64_t count(PickleId id, const char* what) const;
  StorageView view_of(PickleId id, const Storage& storage) const;

  const PickleGraph& graph_;
  StorageForm form_;
  const std::string& subject_;
};

std::optional<Identity> IdentityReader::read(PickleId id) const {
  if (graph_.kind(id) != PickleKind::Tuple) {
    fail("a persistent id is " + describe(graph_, id) + ", expected a tuple");
  }
  const auto parts = graph_.items(id);
  const auto tag = parts.empty() ? std::string_view() : graph_.text(parts[0]);
  if (form_ == StorageForm::Legacy && tag == "module") {
    return std::nullopt;  // a class of torch.nn.Module, with its source code
  }
  if (tag != "storage") {
    fail("a persistent id begins with '" + printable(tag, 40) + "', expected 'storage'");
  }
  const std::size_t size = form_ == StorageForm::Legacy ? 6 : 5;
  if (parts.size() != size) {
    fail(
        "a persistent id has " + std::to_string(parts.size()) + " elements, expected " +
        std::to_string(size));
  }
  Identity identity;
  identity.storage.key = key_of(parts[2]);
  identity.storage.type = type_of(parts[1]);
  if (graph_.kind(parts[3]) != PickleKind::String) {
    fail("the location of a storage is " + describe(graph_, parts[3]) + ", expected a string");
  }
  identity.storage.has_data = graph_.text(parts[3]) != "meta";
  identity.storage.numel = count(parts[4], "size");
  identity.view.numel = identity.storage.numel;
  if (identity.storage.numel > kMaxNumel / identity.storage.type->item_size) {
    fail("the size in bytes of storage '" + identity.storage.key + "' overflows");
  }
  if (form_ == StorageForm::Legacy && parts[5] != PickleGraph::kNone) {
    identity.view = view_of(parts[5], identity.storage);
  }
  return identity;
}

const StorageType* IdentityReader::type_of(PickleId id) const {
  const auto module = graph_.module(id);
  const auto name = graph_.name(id);
  const auto* type = std::find_if(
      kTypes.begin(), kTypes.end(), [&](const auto& known) { return known.name == name; });
  if (type == kTypes.end() || (module != "torch" && module != "torch.storage")) {
    fail("the type of a storage is " + describe(graph_, id) + ", which is none that is known");
  }
  return type;
}

std::string IdentityReader::key_of(PickleId id) const {
  const auto key = graph_.text(id);
  if (graph_.kind(id) != PickleKind::String || !is_decimal(key) || key.size() > kMaxKey) {
    fail("the key of a storage is " + describe(graph_, id) + ", expected a string of digits");
  }
  return std::string(key);
}

std::uint64_t IdentityReader::count(PickleId id, const char* what) const {
  const auto value = graph_.integer(id);
  if (graph_.kind(id) != PickleKind::Int || value < 0 || value > kMaxNumel) {
    fail(
        std::string("the ") + what + " of a storage is " + describe(graph_, id) +
        ", expected a whole number from 0 to 2^62");
  }
  return static_cast<std::uint64_t>(value);
}

/// Files of before PyTorch 0.4 may have a view of a storage for a storage.
StorageView IdentityReader::view_of(PickleId id, const Storage& storage) const {
  const auto parts = graph_.items(id);
  if (graph_.kind(id) != PickleKind::Tuple || parts.size() != 3) {
    fail("the view of a storage is " + describe(graph_, id) + ", expected None or a tuple of 3");
  }
  StorageView view;
  view.offset = count(parts[1], "offset into a view");
  view.numel = count(parts[2], "size of a view");
  if (view.offset > storage.numel || view.numel > storage.numel - view.offset) {
    fail(
        "a view of storage '" + storage.key + "' goes from " + std::to_string(view.offset) +
        " for " + std::to_string(view.numel) + " elements, beyond its " +
        std::to_string(storage.numel));
  }
  return view;
}

}  // namespace

StorageTable::StorageTable(const PickleGraph& graph, StorageForm form, const std::string& subject) {
  const IdentityReader reader(graph, form, subject);
  std::map<std::string, std::size_t, std::less<>> numbers;
  views_.reserve(graph.persistent_ids().size());
  for (const auto id : graph.persistent_ids()) {
    auto identity = reader.read(id);
    if (!identity) {
      views_.emplace_back();
      continue;
    }
    const auto [place, is_new] = numbers.emplace(identity->storage.key, storages_.size());
    identity->view.storage = place->second;
    views_.emplace_back(identity->view);
    if (is_new) {
      storages_.push_back(std::move(identity->storage));
      continue;
    }
    const auto& known = storages_[place->second];
    if (known.type != identity->storage.type || known.numel != identity->storage.numel) {
      reader.fail(
          "storage '" + known.key + "' is " + std::to_string(known.numel) + " elements of " +
          known.type->name + " in one place and " + std::to_string(identity->storage.numel) +
          " of " + identity->storage.type->name + " in another");
    }
  }
  by_key_.reserve(numbers.size());
  for (const auto& [key, number] : numbers) {
    by_key_.push_back(number);
  }
}

std::optional<std::size_t> StorageTable::find(std::string_view key) const {
  const auto found = std::lower_bound(
      by_key_.begin(), by_key_.end(), key, [&](std::size_t number, std::string_view wanted) {
        return storages_[number].key < wanted;
      });
  if (found == by_key_.end() || storages_[*found].key != key) {
    return std::nullopt;
  }
  return *found;
}

}  // namespace vitrine::detail

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dtype.h"
#include "pickle_graph.h"

namespace vitrine::detail {

/// A kind of storage, such as torch.FloatStorage.
struct StorageType {
  const char* name = "";
  unsigned item_size = 1;      // bytes of an element; 1 of an untyped storage
  std::optional<Dtype> dtype;  // nothing where the tensor says it, or where vitrine reads none
  bool untyped = false;
};

/// A run of numbers that tensors of a checkpoint view.
struct Storage {
  std::string key;  // decimal digits
  const StorageType* type = nullptr;
  std::uint64_t numel = 0;  // elements of the type
  bool has_data = true;     // not so on the device "meta"
  std::uint64_t begin = 0;  // place of its bytes in the file
  std::uint32_t crc = 0;    // CRC-32 of its bytes; 0 where it is not known

  std::uint64_t size() const { return numel * type->item_size; }
};

/// The part of a storage that a persistent value of the pickle means.
struct StorageView {
  std::size_t storage = 0;   // its number
  std::uint64_t offset = 0;  // elements of the storage's type
  std::uint64_t numel = 0;
};

/// The two ways in which a file lays out its storages and identifies them.
enum class StorageForm { Zip, Legacy };

/// The storages that a checkpoint's pickle names, by the persistent ids that torch.save writes
/// (https://pytorch.org/docs/stable/notes/serialization.html).
class StorageTable {
 public:
  /// Checks every persistent id of `graph`. Throws CheckpointError, beginning with `subject`.
  StorageTable(const PickleGraph& graph, StorageForm form, const std::string& subject);

  const std::vector<Storage>& storages() const { return storages_; }
  std::vector<Storage>& storages() { return storages_; }
  /// What the persistent value `id` means; nothing where it is no storage but a class.
  std::optional<StorageView> view(const PickleGraph& graph, PickleId id) const {
    return views_[graph.persistent_index(id)];
  }
  /// The number of the storage called `key`, or nothing.
  std::optional<std::size_t> find(std::string_view key) const;

 private:
  std::vector<Storage> storages_;
  std::vector<std::size_t> by_key_;  // numbers in the order of the keys
  std::vector<std::optional<StorageView>> views_;
};

}  // namespace vitrine::detail

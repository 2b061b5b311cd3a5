#include "checkpoint_tree.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "module_tree.h"
#include "pickle_describe.h"
#include "python_object.h"

namespace vitrine::detail {
namespace {

constexpr std::array<std::string_view, 11> kWrappers = {
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "teacher",
    "state_dict",
    "model",
    "model_state_dict",
    "student",
    "net",
    "module"};
constexpr int kMaxWrappers = 8;  // one in another
constexpr std::size_t kShownKeys = 12;

/// A place in the object that was saved.
struct Place {
  std::string path;
  PickleId id = PickleGraph::kNone;
};

std::string child_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

/// Leaves one entry for each name, where its first one was, with the value of its last one.
void drop_earlier(std::vector<StateEntry>& entries) {
  std::vector<std::size_t> order(entries.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return entries[a].name < entries[b].name;
  });
  std::vector<bool> dropped(entries.size());
  for (std::size_t i = 1, first = 0; i < order.size(); ++i) {
    if (entries[order[i]].name == entries[order[first]].name) {
      entries[order[first]].value = entries[order[i]].value;
      dropped[order[i]] = true;
    } else {
      first = i;
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!dropped[i]) {
      std::swap(entries[kept], entries[i]);
      ++kept;
    }
  }
  entries.resize(kept);
}

/// Looks for the state dict in the object that a file holds.
class TreeFinder {
 public:
  explicit TreeFinder(const PthFile& file)
      : file_(file), graph_(file.graph()), seen_(graph_.size()) {}

  CheckpointTree find(const std::string& key);

 private:
  std::optional<Place> unwrap(const Place& place, int depth);
  Place enter(const std::string& key) const;
  std::vector<MappingItem> items(PickleId id) const;
  std::vector<StateEntry> entries(PickleId id) const;
  bool holds_tensors(PickleId id) const;
  CheckpointTree read(const Place& place) const;
  void check_total(const CheckpointTree& tree) const;
  std::string shown_keys(PickleId id) const;
  std::string way_in(const Place& place) const;
  [[noreturn]] void fail(const std::string& message) const {
    throw CheckpointError(file_.subject() + ": " + message);
  }

  const PthFile& file_;
  const PickleGraph& graph_;
  std::vector<bool> seen_;  // values that `unwrap` has looked at
};

CheckpointTree TreeFinder::find(const std::string& key) {
  const auto start = enter(key);
  if (!key.empty() && holds_tensors(start.id)) {
    return read(start);
  }
  const auto place = unwrap(start, 0);
  if (!place) {
    const auto where = start.path.empty() ? "" : "under '" + printable(start.path) + "' ";
    const auto what = is_tensor(graph_, start.id) ? "a single tensor" : describe(graph_, start.id);
    fail(
        where + "holds " + what + shown_keys(start.id) +
        "; expected a state dict, of names and tensors" + way_in(start));
  }
  return read(*place);
}

/// The first place that holds tensors among the wrappers at `place` and then `place` itself;
/// nothing where there is none. Looks at each value once, however many ways lead to it.
std::optional<Place> TreeFinder::unwrap(const Place& place, int depth) {
  if (depth > kMaxWrappers || seen_[place.id]) {
    return std::nullopt;
  }
  seen_[place.id] = true;
  std::array<std::optional<PickleId>, kWrappers.size()> wrapped;
  for (const auto& [key, value] : items(place.id)) {
    const auto* wrapper = std::find(kWrappers.begin(), kWrappers.end(), graph_.text(key));
    if (wrapper != kWrappers.end()) {
      wrapped[static_cast<std::size_t>(wrapper - kWrappers.begin())] = value;
    }
  }
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    if (wrapped[i] && !is_tensor(graph_, *wrapped[i])) {
      auto found = unwrap({child_path(place.path, kWrappers[i]), *wrapped[i]}, depth + 1);
      if (found) {
        return found;
      }
    }
  }
  return holds_tensors(place.id) ? std::make_optional(place) : std::nullopt;
}

/// The value at a path of keys and dots. A key may have dots itself: the longest that is there is
/// taken.
Place TreeFinder::enter(const std::string& key) const {
  Place place{"", graph_.root()};
  std::string_view rest = key;
  while (!rest.empty()) {
    std::string_view best;
    PickleId value = PickleGraph::kNone;
    for (const auto& item : items(place.id)) {
      const auto name = graph_.text(item.key);
      const bool fits = !name.empty() && rest.substr(0, name.size()) == name &&
                        (name.size() == rest.size() || rest[name.size()] == '.');
      if (fits && name.size() >= best.size()) {
        best = name;
        value = item.value;
      }
    }
    if (best.empty()) {
      const auto where = place.path.empty() ? "" : "under '" + printable(place.path) + "', ";
      fail(
          where + "there is no key '" + printable(rest, 100) + "' but " +
          describe(graph_, place.id) + shown_keys(place.id));
    }
    place = {child_path(place.path, best), value};
    rest.remove_prefix(std::min(best.size() + 1, rest.size()));
  }
  return place;
}

/// Keys and values of a mapping or of a list of pairs, such as list(model.named_parameters()).
std::vector<MappingItem> TreeFinder::items(PickleId id) const {
  if (graph_.kind(id) != PickleKind::List) {
    return mapping_items(graph_, id);
  }
  std::vector<MappingItem> pairs;
  for (const auto pair : graph_.items(id)) {
    const auto parts = graph_.items(pair);
    if (graph_.kind(pair) != PickleKind::Tuple || parts.size() != 2 ||
        graph_.kind(parts[0]) != PickleKind::String) {
      return {};
    }
    pairs.push_back({parts[0], parts[1]});
  }
  return pairs;
}

/// What a state dict at `id` would hold. Of optimizers, keys may be numbers: these are left out.
std::vector<StateEntry> TreeFinder::entries(PickleId id) const {
  if (is_module(graph_, id)) {
    return module_entries(graph_, id, file_.subject());
  }
  std::vector<StateEntry> result;
  for (const auto& [key, value] : items(id)) {
    if (graph_.kind(key) == PickleKind::String) {
      result.push_back({std::string(graph_.text(key)), value});
    }
  }
  return result;
}

bool TreeFinder::holds_tensors(PickleId id) const {
  if (is_module(graph_, id)) {
    return true;
  }
  const auto all = items(id);
  return std::any_of(all.begin(), all.end(), [&](const auto& item) {
    return graph_.kind(item.key) == PickleKind::String && is_tensor(graph_, item.value);
  });
}

CheckpointTree TreeFinder::read(const Place& place) const {
  CheckpointTree tree;
  tree.path = place.path;
  auto all = entries(place.id);
  drop_earlier(all);
  tree.tensors.reserve(all.size());
  for (auto& [name, value] : all) {
    if (!is_tensor(graph_, value)) {
      tree.skipped.push_back({std::move(name), false, "is " + describe(graph_, value)});
      continue;
    }
    auto tensor = file_.tensor(value, name);
    if (auto* problem = std::get_if<std::string>(&tensor)) {
      tree.skipped.push_back({std::move(name), true, std::move(*problem)});
    } else {
      tree.tensors.push_back({std::move(name), std::move(std::get<TensorRef>(tensor))});
    }
  }
  check_total(tree);
  return tree;
}

/// Refuses tensors that share their storages so much that a small file would fill the memory.
void TreeFinder::check_total(const CheckpointTree& tree) const {
  constexpr std::uint64_t kMostCopies = 4;  // of the file, where weights are tied
  constexpr std::uint64_t kAlways = std::uint64_t{64} << 20;
  const auto most = kMostCopies * file_.size() + kAlways;
  std::uint64_t total = 0;
  for (const auto& [name, tensor] : tree.tensors) {
    total += std::min(tensor.size(), most + 1);
    if (total > most) {
      fail(
          "its tensors, up to '" + printable(name, 100) + "', take more than " +
          std::to_string(most) + " bytes, 64 MiB beyond " + std::to_string(kMostCopies) +
          " times the file: they share their storages");
    }
  }
}

/// The keys of a mapping, for a message; empty for another value.
std::string TreeFinder::shown_keys(PickleId id) const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : items(id)) {
    if (keys.size() == kShownKeys) {
      keys.emplace_back("...");
      break;
    }
    keys.push_back(
        graph_.kind(key) == PickleKind::String ? "'" + printable(graph_.text(key), 40) + "'"
                                               : describe(graph_, key));
  }
  return keys.empty() ? "" : " with the keys " + join(keys, ", ");
}

/// Which of the first keys leads to tensors, as the end of a message; empty where none does.
std::string TreeFinder::way_in(const Place& place) const {
  std::size_t looked = 0;
  for (const auto& [key, value] : items(place.id)) {
    if (++looked > kShownKeys) {
      break;
    }
    if (graph_.kind(key) == PickleKind::String && !is_tensor(graph_, value) &&
        holds_tensors(value)) {
      const auto path = printable(child_path(place.path, graph_.text(key)), 100);
      return "; --checkpoint-key " + path + " takes the tensors under '" + path + "'";
    }
  }
  return "";
}

}  // namespace

CheckpointTree find_state_dict(const PthFile& file, const std::string& key) {
  return TreeFinder(file).find(key);
}

}  // namespace vitrine::detail

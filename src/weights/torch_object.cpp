#include "torch_object.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "pickle_describe.h"
#include "python_object.h"

namespace vitrine::detail {
namespace {

constexpr int kMaxWrappings = 8;  // a parameter of a parameter ... of a tensor

// Names that a dtype has in a file. Float32 and the other old ones are mostly named by storages.
constexpr std::array<std::pair<std::string_view, Dtype>, 19> kTorchDtypes = {{
    {"float32", Dtype::F32},
    {"float64", Dtype::F64},
    {"float16", Dtype::F16},
    {"bfloat16", Dtype::BF16},
    {"int64", Dtype::I64},
    {"int32", Dtype::I32},
    {"int16", Dtype::I16},
    {"int8", Dtype::I8},
    {"uint64", Dtype::U64},
    {"uint32", Dtype::U32},
    {"uint16", Dtype::U16},
    {"uint8", Dtype::U8},
    {"bool", Dtype::Bool},
    {"complex64", Dtype::C64},
    {"float8_e5m2", Dtype::F8E5M2},
    {"float8_e4m3fn", Dtype::F8E4M3},
    {"float8_e8m0fnu", Dtype::F8E8M0},
    {"float8_e4m3fnuz", Dtype::F8E4M3Fnuz},
    {"float8_e5m2fnuz", Dtype::F8E5M2Fnuz},
}};

/// What is called, with what.
struct Call {
  PickleId function;
  PickleSpan arguments;
};

/// `base + a * b`, or nothing when that overflows.
std::optional<std::uint64_t> multiply_add(std::uint64_t base, std::uint64_t a, std::uint64_t b) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  if (b != 0 && a > (kMax - base) / b) {
    return std::nullopt;
  }
  return base + a * b;
}

bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_parameter(const PickleGraph& graph, PickleId function) {
  const auto module = graph.module(function);
  const auto name = graph.name(function);
  return (module == "torch._utils" &&
          is_any_of(name, {"_rebuild_parameter", "_rebuild_parameter_with_state"})) ||
         (module == "torch.nn.parameter" && is_any_of(name, {"Parameter", "Buffer"}));
}

/// Takes off what is around the call that makes a tensor: parameters, and subclasses that are made
/// from what a function gives (torch._tensor._rebuild_from_type_v2).
Call unwrap(const PickleGraph& graph, PickleId id) {
  Call call{graph.callable(id), graph.items(graph.arguments(id))};
  for (int i = 0; i < kMaxWrappings; ++i) {
    if (graph.is_symbol(call.function, "torch._tensor", "_rebuild_from_type_v2") &&
        call.arguments.size() == 4 && graph.kind(call.arguments[2]) == PickleKind::Tuple) {
      call = {call.arguments[0], graph.items(call.arguments[2])};
    } else if (
        is_parameter(graph, call.function) && !call.arguments.empty() &&
        graph.kind(call.arguments[0]) == PickleKind::Object) {
      const auto inner = call.arguments[0];
      call = {graph.callable(inner), graph.items(graph.arguments(inner))};
    } else {
      break;
    }
  }
  return call;
}

/// Reads the arguments of one call that makes a tensor.
class TensorReader {
 public:
  TensorReader(
      const PickleGraph& graph,
      const StorageTable& storages,
      const std::string& subject,
      const std::string& name)
      : graph_(graph), storages_(storages), subject_(subject), name_(name) {}

  TensorOrProblem read(const Call& call) const;

 private:
  TensorOrProblem read_view(const Call& call, bool has_dtype) const;
  StorageView storage_of(PickleId id) const;
  std::vector<std::int64_t> numbers(PickleId id, const char* what) const;
  std::uint64_t offset_of(PickleId id) const;
  void check_bounds(const TensorRef& tensor, const StorageView& view) const;
  std::uint64_t offset_in_elements(const StorageView& view, Dtype dtype) const;

  [[noreturn]] void fail(const std::string& message) const {
    throw CheckpointError(subject_ + ": tensor '" + printable(name_) + "': " + message);
  }

  const PickleGraph& graph_;
  const StorageTable& storages_;
  const std::string& subject_;
  const std::string& name_;
};

TensorOrProblem TensorReader::read(const Call& call) const {
  const auto& function = call.function;
  const auto size = call.arguments.size();
  const auto expect = [&](std::size_t least, std::size_t most) {
    if (size < least || size > most) {
      fail(
          symbol_name(graph_, function) + " has " + std::to_string(size) + " arguments, expected " +
          std::to_string(least) + " to " + std::to_string(most));
    }
  };
  if (graph_.module(function) == "torch._utils") {
    const auto name = graph_.name(function);
    if (name == "_rebuild_tensor") {
      expect(4, 4);
      return read_view(call, /*has_dtype=*/false);
    }
    if (name == "_rebuild_tensor_v2") {
      expect(6, 7);
      return read_view(call, /*has_dtype=*/false);
    }
    if (name == "_rebuild_tensor_v3") {
      expect(7, 8);
      return read_view(call, /*has_dtype=*/true);
    }
    if (name == "_rebuild_qtensor") {
      return "is quantised, which vitrine does not read";
    }
    if (name == "_rebuild_sparse_tensor") {
      return "is sparse, which vitrine does not read";
    }
    if (name == "_rebuild_meta_tensor_no_storage") {
      return "is on the device meta, where tensors have no values";
    }
  }
  return "is made by " + symbol_name(graph_, function) + ", which vitrine does not know";
}

/// A view of a storage: storage, offset, size, stride and what does not matter here; last,
/// metadata.
TensorOrProblem TensorReader::read_view(const Call& call, bool has_dtype) const {
  const auto& arguments = call.arguments;
  TensorRef tensor;
  const auto view = storage_of(arguments[0]);
  const auto& storage = storages_.storages()[view.storage];
  tensor.storage = view.storage;
  tensor.offset = offset_of(arguments[1]);
  tensor.shape = numbers(arguments[2], "size");
  tensor.stride = numbers(arguments[3], "stride");

  auto dtype = storage.type->dtype;
  if (has_dtype) {
    const auto name = graph_.name(arguments[6]);
    const auto* known =
        std::find_if(kTorchDtypes.begin(), kTorchDtypes.end(), [&](const auto& row) {
          return row.first == name;
        });
    if (graph_.module(arguments[6]) != "torch" || known == kTorchDtypes.end()) {
      return "has the dtype " + describe(graph_, arguments[6]) + ", which vitrine does not read";
    }
    dtype = known->second;
  } else if (!dtype) {
    return std::string("has elements of torch.") + storage.type->name +
           ", which vitrine does not read";
  }
  tensor.dtype = *dtype;
  check_bounds(tensor, view);
  tensor.offset += offset_in_elements(view, *dtype);
  if (!storage.has_data) {
    return "is on the device meta, where tensors have no values";
  }
  const std::size_t metadata = has_dtype ? 7 : 6;
  if (arguments.size() > metadata) {
    for (const auto* flag : {"conj", "neg"}) {
      const auto value = find_item(graph_, arguments[metadata], flag);
      if (value && graph_.boolean(*value)) {
        return std::string("has the flag ") + flag + ", which vitrine does not apply";
      }
    }
  }
  return tensor;
}

StorageView TensorReader::storage_of(PickleId id) const {
  if (graph_.kind(id) == PickleKind::Persistent) {
    const auto view = storages_.view(graph_, id);
    if (view) {
      return *view;
    }
  }
  fail("its storage is " + describe(graph_, id) + ", expected a persistent id of a storage");
}

/// Sizes or strides: a tuple, or a torch.Size of one.
std::vector<std::int64_t> TensorReader::numbers(PickleId id, const char* what) const {
  if (graph_.is_symbol(graph_.callable(id), "torch", "Size")) {
    const auto arguments = graph_.items(graph_.arguments(id));
    id = arguments.empty() ? PickleGraph::kEmptyTuple : arguments[0];
  }
  const auto kind = graph_.kind(id);
  if (kind != PickleKind::Tuple && kind != PickleKind::List) {
    fail(std::string("its ") + what + " is " + describe(graph_, id) + ", expected a tuple");
  }
  const auto items = graph_.items(id);
  if (items.size() > kMaxDimensions) {
    fail(
        std::string("its ") + what + " has " + std::to_string(items.size()) +
        " dimensions, expected at most " + std::to_string(kMaxDimensions));
  }
  std::vector<std::int64_t> values;
  values.reserve(items.size());
  for (const auto item : items) {
    if (graph_.kind(item) != PickleKind::Int || graph_.integer(item) < 0) {
      fail(
          std::string("its ") + what + " holds " + describe(graph_, item) +
          ", expected a whole number from 0 to 2^63 - 1");
    }
    values.push_back(graph_.integer(item));
  }
  return values;
}

std::uint64_t TensorReader::offset_of(PickleId id) const {
  if (graph_.kind(id) != PickleKind::Int || graph_.integer(id) < 0) {
    fail("its offset is " + describe(graph_, id) + ", expected a whole number from 0 to 2^63 - 1");
  }
  return static_cast<std::uint64_t>(graph_.integer(id));
}

/// Checks that all elements lie within the view of the storage, and that there are not too many.
void TensorReader::check_bounds(const TensorRef& tensor, const StorageView& view) const {
  if (tensor.shape.size() != tensor.stride.size()) {
    fail(
        "it has " + std::to_string(tensor.shape.size()) + " sizes, but " +
        std::to_string(tensor.stride.size()) + " strides");
  }
  const auto bits = bits_of(tensor.shape, tensor.dtype);
  if (!bits) {
    fail("the number of its elements or bytes overflows");
  }
  if (*bits == 0) {
    return;
  }
  std::optional<std::uint64_t> last = tensor.offset;
  for (std::size_t i = 0; i < tensor.shape.size() && last; ++i) {
    last = multiply_add(
        *last,
        static_cast<std::uint64_t>(tensor.shape[i] - 1),
        static_cast<std::uint64_t>(tensor.stride[i]));
  }
  const auto view_bytes = view.numel * storages_.storages()[view.storage].type->item_size;
  const auto view_numel = view_bytes / (dtype_bits(tensor.dtype) / 8);
  if (!last || *last >= view_numel) {
    fail(
        "its last element is number " + (last ? std::to_string(*last) : "2^64 or more") +
        " of its storage, which has " + std::to_string(view_numel) + " elements");
  }
  if (*bits / 8 > std::max(view_bytes, kMaxExpanded)) {
    fail(
        "it repeats the " + std::to_string(view_bytes) + " bytes of its storage up to " +
        std::to_string(*bits / 8) + ", expected at most " + std::to_string(kMaxExpanded));
  }
}

std::uint64_t TensorReader::offset_in_elements(const StorageView& view, Dtype dtype) const {
  const auto bytes = view.offset * storages_.storages()[view.storage].type->item_size;
  const auto item_size = dtype_bits(dtype) / 8;
  if (bytes % item_size != 0) {
    fail("its storage begins at byte " + std::to_string(bytes) + ", within an element");
  }
  return bytes / item_size;
}

}  // namespace

std::uint64_t TensorRef::numel() const {
  std::uint64_t product = 1;
  for (const auto size : shape) {
    product *= static_cast<std::uint64_t>(size);
  }
  return product;
}

std::uint64_t TensorRef::span() const {
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) {
      return 0;
    }
    last += static_cast<std::uint64_t>(shape[i] - 1) * static_cast<std::uint64_t>(stride[i]);
  }
  return last + 1;
}

bool TensorRef::is_contiguous() const {
  std::int64_t expected = 1;
  for (auto i = shape.size(); i > 0; --i) {
    if (shape[i - 1] == 0) {
      return true;
    }
    if (shape[i - 1] != 1 && stride[i - 1] != expected) {
      return false;
    }
    expected *= shape[i - 1];
  }
  return true;
}

bool is_tensor(const PickleGraph& graph, PickleId id) {
  if (graph.kind(id) != PickleKind::Object) {
    return false;
  }
  const auto function = unwrap(graph, id).function;
  const auto module = graph.module(function);
  const auto name = graph.name(function);
  if (is_parameter(graph, function)) {
    return true;
  }
  return (module == "torch._utils" || module == "torch._tensor") && name.substr(0, 8) == "_rebuild";
}

TensorOrProblem read_tensor(
    const PickleGraph& graph,
    const StorageTable& storages,
    PickleId id,
    const std::string& subject,
    const std::string& name) {
  return TensorReader(graph, storages, subject, name).read(unwrap(graph, id));
}

}  // namespace vitrine::detail

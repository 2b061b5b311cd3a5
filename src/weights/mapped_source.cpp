#include "mapped_source.h"

#include <algorithm>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine::detail {
namespace {

KeyMap make_map(const Source& source) {
  std::vector<SourceTensor> tensors;
  tensors.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    tensors.push_back({source.name(i), source.shape(i).vec()});
  }
  auto map = map_keys(tensors, source.subject());
  // They stand among the others so that loading names them.
  for (const auto i : map.unknown) {
    map.tensors.push_back({tensors[i].name, tensors[i].shape, Derivation::Copy, {i}});
  }
  return map;
}

/// Whether the values are sums or products, which are taken in float64.
bool is_computed(const MappedTensor& tensor) {
  return tensor.derivation == Derivation::AddToken || tensor.derivation == Derivation::AddProduct ||
         (tensor.derivation == Derivation::Kernel && tensor.sources.size() > 1);
}

}  // namespace

MappedSource::MappedSource(const Source& source) : source_(source), map_(make_map(source)) {}

torch::ScalarType MappedSource::type(std::size_t i) const {
  const auto& tensor = map_.tensors[i];
  const auto type = source_.type(tensor.sources[0]);
  for (const auto part : tensor.sources) {
    if (source_.type(part) != type) {
      throw CheckpointError(
          subject() + ": tensor '" + printable(source_.name(part)) + "' is of another type than '" +
          printable(source_.name(tensor.sources[0])) + "', beside which it belongs");
    }
  }
  // Half precision would round what the source's own model adds up in a wider type.
  return is_computed(tensor) && at::isReducedFloatingType(type) ? torch::kFloat : type;
}

std::uint64_t MappedSource::bytes(std::size_t i) const {
  std::uint64_t sum = 0;
  for (const auto part : map_.tensors[i].sources) {
    sum += source_.bytes(part);
  }
  return sum;
}

torch::Tensor MappedSource::read(std::size_t i) const {
  const auto& tensor = map_.tensors[i];
  std::vector<torch::Tensor> parts;
  for (const auto part : tensor.sources) {
    const auto value = source_.read(part);
    parts.push_back(is_computed(tensor) ? value.to(torch::kDouble) : value);
  }
  const auto& first = parts[0];
  switch (tensor.derivation) {
    case Derivation::Concat:
      return torch::cat(parts);
    case Derivation::Rows:
      return first.slice(0, tensor.begin, tensor.end);
    case Derivation::Tokens:
      return first.slice(1, tensor.begin, tensor.end);
    case Derivation::AddToken:
      return (first + parts[1].slice(1, 0, 1)).to(type(i));
    case Derivation::FlipChannels:
      return first.flip(1);
    case Derivation::Token:
      return first.reshape(tensor.shape);
    case Derivation::Kernel: {
      const auto rows = (parts.size() > 1 ? first * parts[1] : first).to(type(i));
      const auto side = tensor.shape[3];
      return rows.reshape({tensor.shape[0], side, side, tensor.shape[1]}).permute({0, 3, 1, 2});
    }
    case Derivation::AddProduct:
      return torch::addmv(first, parts[1], parts[2]).to(type(i));
    case Derivation::Zeros:
      return torch::zeros(tensor.shape, first.options());
    case Derivation::Copy:
      break;
  }
  return first;
}

bool MappedSource::is_finite(std::size_t i, torch::ScalarType type) const {
  const auto& tensor = map_.tensors[i];
  if (tensor.derivation != Derivation::Copy && tensor.derivation != Derivation::Concat) {
    return Source::is_finite(i, type);
  }
  return std::all_of(tensor.sources.begin(), tensor.sources.end(), [&](std::size_t part) {
    return source_.is_finite(part, type);
  });
}

bool MappedSource::copy_to(std::size_t i, torch::Tensor& target) const {
  const auto& tensor = map_.tensors[i];
  if (tensor.derivation == Derivation::Copy) {
    return source_.copy_to(tensor.sources[0], target);
  }
  if (tensor.derivation != Derivation::Concat) {
    return Source::copy_to(i, target);
  }
  int64_t row = 0;
  bool finite = true;
  for (const auto part : tensor.sources) {
    const auto rows = source_.shape(part)[0];
    auto place = target.narrow(0, row, rows);
    finite &= source_.copy_to(part, place);
    row += rows;
  }
  return finite;
}

bool MappedSource::copies_directly(std::size_t i, const torch::Tensor& target) const {
  const auto& tensor = map_.tensors[i];
  const bool whole =
      tensor.derivation == Derivation::Copy || tensor.derivation == Derivation::Concat;
  return whole && std::all_of(tensor.sources.begin(), tensor.sources.end(), [&](std::size_t part) {
           return source_.copies_directly(part, target);
         });
}

}  // namespace vitrine::detail

#include "safetensors_file.h"

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "foreign_file.h"
#include "value_read.h"

namespace vitrine::detail {
namespace {

constexpr std::array<std::pair<Dtype, torch::ScalarType>, 10> kTypes = {{
    {Dtype::F32, torch::kFloat},
    {Dtype::F16, torch::kHalf},
    {Dtype::BF16, torch::kBFloat16},
    {Dtype::F64, torch::kDouble},
    {Dtype::I64, torch::kLong},
    {Dtype::I32, torch::kInt},
    {Dtype::I16, torch::kShort},
    {Dtype::I8, torch::kChar},
    {Dtype::U8, torch::kByte},
    {Dtype::Bool, torch::kBool},
}};

/// Whether a file that starts so can have a header: a length below 2^32, then JSON. A zip archive's
/// first eight bytes alone could be a length, too.
bool may_be_safetensors(std::string_view start) {
  return start.size() > kHeaderPrefix && start.substr(4, 4) == std::string_view("\0\0\0\0", 4) &&
         std::string_view(" \t\r\n{").find(start[kHeaderPrefix]) != std::string_view::npos;
}

/// Throws CheckpointError, saying what the file is instead, when its first bytes cannot be
/// safetensors.
void check_kind(const ByteSource& file, const std::string& subject, const std::string& expected) {
  const auto size = file.size();
  if (size == 0) {
    throw CheckpointError(subject + ": is empty; expected " + expected);
  }
  std::string start(std::min<std::uint64_t>(size, kForeignPrefix), '\0');
  file.read_at(0, start.data(), start.size());
  if (!may_be_safetensors(start)) {
    const auto kind = foreign_kind(start);
    if (!kind.empty()) {
      throw CheckpointError(subject + ": " + kind + "; expected " + expected);
    }
  }
  if (size < kHeaderPrefix) {
    throw CheckpointError(
        subject + ": is no safetensors file: header too small, the file has only " +
        std::to_string(size) + " bytes");
  }
}

}  // namespace

std::optional<torch::ScalarType> scalar_type(Dtype dtype) {
  const auto* found = std::find_if(
      kTypes.begin(), kTypes.end(), [&](const auto& row) { return row.first == dtype; });
  return found == kTypes.end() ? std::nullopt : std::make_optional(found->second);
}

std::optional<Dtype> file_dtype(torch::ScalarType type) {
  const auto* found = std::find_if(
      kTypes.begin(), kTypes.end(), [&](const auto& row) { return row.second == type; });
  return found == kTypes.end() ? std::nullopt : std::make_optional(found->first);
}

SafetensorsFile::SafetensorsFile(const std::string& path, const char* expected)
    : subject_(printable(path)), file_(path) {
  check_kind(file_, subject_, expected);
  const auto size = file_.size();
  std::array<std::uint8_t, kHeaderPrefix> prefix{};
  file_.read_at(0, prefix.data(), prefix.size());
  const auto length = parse_header_length(prefix.data(), size, subject_);
  std::string json(length, '\0');
  file_.read_at(kHeaderPrefix, json.data(), json.size());
  data_start_ = kHeaderPrefix + length;
  header_ = parse_header(json, size - data_start_, subject_);
}

torch::ScalarType SafetensorsFile::type_of(const TensorEntry& entry) const {
  const auto type = scalar_type(entry.dtype);
  if (!type) {
    throw CheckpointError(
        subject_ + ": tensor '" + printable(entry.name) + "' has dtype " + dtype_name(entry.dtype) +
        ", expected F32, F16, BF16, F64, I64, I32, I16, I8, U8 or BOOL");
  }
  return *type;
}

torch::Tensor SafetensorsFile::read(const TensorEntry& entry) const {
  auto tensor = torch::empty(entry.shape, type_of(entry));
  read_into(entry, tensor);
  return tensor;
}

bool SafetensorsFile::read_into(const TensorEntry& entry, const torch::Tensor& tensor) const {
  return read_to(entry, tensor.mutable_data_ptr());
}

bool SafetensorsFile::is_finite(const TensorEntry& entry) const {
  return read_to(entry, nullptr);
}

bool SafetensorsFile::read_to(const TensorEntry& entry, void* out) const {
  const ValueRead how{entry.dtype};
  return read_values(file_, data_start_ + entry.begin, entry.size(), how, out).finite;
}

}  // namespace vitrine::detail

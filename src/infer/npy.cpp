#include "vitrine/infer/npy.h"

#include "vitrine/file.h"

namespace vitrine {
namespace {

/// What stands before the values: magic bytes, version, length, and a Python dict.
std::string make_header(at::IntArrayRef shape) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  text += shape.size() == 1 ? ",), }" : "), }";
  // The values begin at a multiple of 64 bytes, behind a line break.
  constexpr std::size_t kPrefix = 10;
  constexpr std::size_t kAlignment = 64;
  const auto end = (kPrefix + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(end - kPrefix - 1, ' ');
  text += '\n';
  TORCH_CHECK_VALUE(
      text.size() <= 0xFFFF,
      "a tensor of ",
      shape.size(),
      " dimensions has no place in the header");
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace

void write_npy(const std::string& path, const torch::Tensor& tensor) {
  TORCH_CHECK_VALUE(
      tensor.defined() && tensor.scalar_type() == torch::kFloat,
      "a float32 tensor is needed for an array file, got ",
      tensor.defined() ? c10::toString(tensor.scalar_type()) : "none");
  const auto header = make_header(tensor.sizes());
  const auto values = tensor.detach().resolve_neg().cpu().contiguous();
  write_file_atomically(path, [&](File& file) {
    file.write(header);
    file.write(values.const_data_ptr(), values.nbytes());
  });
}

}  // namespace vitrine

#include "weights_file.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "checkpoint_tree.h"

namespace vitrine::detail {
namespace {

/// The state dict of a PyTorch file.
class PthSource final : public Source {
 public:
  PthSource(const PthFile& file, const std::string& key)
      : file_(file), tensors_(find_state_dict(file, key).tensors) {}

  std::string subject() const override { return file_.subject(); }
  std::size_t size() const override { return tensors_.size(); }
  const std::string& name(std::size_t i) const override { return tensors_[i].name; }
  torch::IntArrayRef shape(std::size_t i) const override { return tensors_[i].tensor.shape; }
  std::uint64_t bytes(std::size_t i) const override { return tensors_[i].tensor.size(); }

  torch::ScalarType type(std::size_t i) const override {
    const auto& [name, tensor] = tensors_[i];
    const auto type = scalar_type(tensor.dtype);
    if (!type) {
      throw CheckpointError(
          subject() + ": tensor '" + printable(name) + "' is " + dtype_name(tensor.dtype) +
          ", a type that vitrine does not read");
    }
    return *type;
  }

  torch::Tensor read(std::size_t i) const override {
    auto tensor = torch::empty(shape(i), type(i));
    file_.read(tensors_[i].tensor, tensor.mutable_data_ptr());
    return tensor;
  }

  void copy_to(std::size_t i, torch::Tensor& target) const override {
    if (target.is_cpu() && target.is_contiguous() && target.scalar_type() == type(i)) {
      file_.read(tensors_[i].tensor, target.mutable_data_ptr());
    } else {
      target.copy_(read(i));
    }
  }

 private:
  const PthFile& file_;
  std::vector<NamedTensor> tensors_;
};

}  // namespace

bool is_pth(const std::string& path) {
  using std::string_view_literals::operator""sv;
  // A zip archive; a pickle that begins as PyTorch's older form does.
  constexpr std::string_view kStarts[] = {"PK\x03\x04"sv, "\x80\x02\x8A\x0A"sv};
  const File file(path, File::Mode::Read);
  std::string start(std::min<std::uint64_t>(file.size(), 4), '\0');
  file.read_at(0, start.data(), start.size());
  return start == kStarts[0] || start == kStarts[1];
}

WeightsFile::WeightsFile(const std::string& path, const std::string& key)
    : subject_(printable(path)) {
  if (is_pth(path)) {
    pth_ = std::make_unique<PthFile>(path);
    source_ = std::make_unique<PthSource>(*pth_, key);
  } else {
    safetensors_ = std::make_unique<SafetensorsFile>(path);
    source_ = make_source(*safetensors_);
  }
  tensors_ = std::make_unique<MappedSource>(*source_);
}

}  // namespace vitrine::detail

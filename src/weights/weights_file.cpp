#include "weights_file.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"

#include "foreign_file.h"

namespace vitrine::detail {
namespace {

/// The state dict of a PyTorch file.
class PthSource final : public Source {
 public:
  PthSource(const PthFile& file, const std::vector<NamedTensor>& tensors)
      : file_(file), tensors_(tensors) {}

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

  bool is_finite(std::size_t i, torch::ScalarType type) const override {
    return type == this->type(i) && tensors_[i].tensor.is_contiguous()
               ? file_.read(tensors_[i].tensor, nullptr)
               : Source::is_finite(i, type);
  }

  bool copy_to(std::size_t i, torch::Tensor& target) const override {
    return is_run_of(target, type(i)) ? file_.read(tensors_[i].tensor, target.mutable_data_ptr())
                                      : Source::copy_to(i, target);
  }

  bool copies_directly(std::size_t i, const torch::Tensor& target) const override {
    return is_run_of(target, type(i)) && tensors_[i].tensor.is_contiguous();
  }

 private:
  const PthFile& file_;
  const std::vector<NamedTensor>& tensors_;
};

}  // namespace

WeightsKind weights_kind(const std::string& path) {
  using std::string_view_literals::operator""sv;
  const File file(path, File::Mode::Read);
  std::string start(std::min<std::uint64_t>(file.size(), kForeignPrefix), '\0');
  file.read_at(0, start.data(), start.size());
  const auto magic = std::string_view(start).substr(0, 4);
  return magic == "PK\x03\x04"sv         ? WeightsKind::PthZip
         : magic == "\x80\x02\x8A\x0A"sv ? WeightsKind::PthLegacy
         : is_shard_index(start)         ? WeightsKind::Shards
                                         : WeightsKind::Safetensors;
}

std::string checkpoint_path(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    return path;
  }
  for (const auto* name :
       {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"}) {
    const auto file = fs::path(path) / name;
    if (fs::exists(file, ignored)) {
      return file.string();
    }
  }
  throw CheckpointError(
      printable(path) +
      ": is a folder with no model.safetensors, model.safetensors.index.json or pytorch_model.bin; "
      "expected a checkpoint, or the folder of one");
}

void WeightsFile::check_no_key(const std::string& key) const {
  if (!key.empty()) {
    throw CheckpointError(
        subject_ + ": is a safetensors file, which has no dict '" + printable(key) + "' within");
  }
}

WeightsFile::WeightsFile(const std::string& path, const std::string& key)
    : path_(checkpoint_path(path)), subject_(printable(path_)), kind_(weights_kind(path_)) {
  if (kind_ == WeightsKind::PthZip || kind_ == WeightsKind::PthLegacy) {
    pth_ = std::make_unique<PthFile>(path_);
    tree_ = find_state_dict(*pth_, key);
    source_ = std::make_unique<PthSource>(*pth_, tree_.tensors);
  } else if (kind_ == WeightsKind::Shards) {
    check_no_key(key);
    auto shards = std::make_unique<ShardsSource>(path_);
    shards_ = shards.get();
    source_ = std::move(shards);
  } else {
    safetensors_ =
        std::make_unique<SafetensorsFile>(path_, "a checkpoint, safetensors or PyTorch's .pth");
    check_no_key(key);
    source_ = make_source(*safetensors_);
  }
  tensors_ = std::make_unique<MappedSource>(*source_);
}

}  // namespace vitrine::detail

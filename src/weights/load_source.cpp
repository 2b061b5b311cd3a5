#include "load_source.h"

#include "finite_copy.h"

namespace vitrine::detail {
namespace {

class StateDictSource final : public Source {
 public:
  explicit StateDictSource(const StateDict& tensors) : items_(tensors.items()) {}

  std::string subject() const override { return "the state dict"; }
  std::size_t size() const override { return items_.size(); }
  const std::string& name(std::size_t i) const override { return items_[i].key(); }
  torch::IntArrayRef shape(std::size_t i) const override { return items_[i].value().sizes(); }
  torch::ScalarType type(std::size_t i) const override { return items_[i].value().scalar_type(); }
  std::uint64_t bytes(std::size_t i) const override { return items_[i].value().nbytes(); }
  torch::Tensor read(std::size_t i) const override { return items_[i].value(); }

 private:
  const std::vector<StateDict::Item>& items_;
};

class FileSource final : public Source {
 public:
  explicit FileSource(const SafetensorsFile& file) : file_(file), entries_(file.header().tensors) {}

  std::string subject() const override { return file_.subject(); }
  std::size_t size() const override { return entries_.size(); }
  const std::string& name(std::size_t i) const override { return entries_[i].name; }
  torch::IntArrayRef shape(std::size_t i) const override { return entries_[i].shape; }
  torch::ScalarType type(std::size_t i) const override { return file_.type_of(entries_[i]); }
  std::uint64_t bytes(std::size_t i) const override { return entries_[i].size(); }
  torch::Tensor read(std::size_t i) const override { return file_.read(entries_[i]); }

  bool is_finite(std::size_t i, torch::ScalarType type) const override {
    return type == this->type(i) ? file_.is_finite(entries_[i]) : Source::is_finite(i, type);
  }

  bool copy_to(std::size_t i, torch::Tensor& target) const override {
    return copies_directly(i, target) ? file_.read_into(entries_[i], target)
                                      : Source::copy_to(i, target);
  }

  bool copies_directly(std::size_t i, const torch::Tensor& target) const override {
    return is_run_of(target, type(i));
  }

 private:
  const SafetensorsFile& file_;
  const std::vector<TensorEntry>& entries_;
};

}  // namespace

bool Source::is_finite(std::size_t i, torch::ScalarType type) const {
  // Converted first: what is finite in a wide type may be infinite in a narrow one.
  return all_finite(read(i).to(type));
}

bool Source::copy_to(std::size_t i, torch::Tensor& target) const {
  const auto values = read(i).to(target.scalar_type());
  if (!all_finite(values)) {
    return false;
  }
  target.copy_(values);
  return true;
}

bool Source::copies_directly(std::size_t /*i*/, const torch::Tensor& /*target*/) const {
  return false;
}

bool is_run_of(const torch::Tensor& target, torch::ScalarType type) {
  return target.is_cpu() && target.is_contiguous() && target.scalar_type() == type;
}

bool all_finite(const torch::Tensor& tensor) {
  const auto dtype = file_dtype(tensor.scalar_type());
  if (!dtype || !at::isFloatingType(tensor.scalar_type())) {
    return true;
  }
  const auto values = tensor.detach().cpu().contiguous();
  return all_finite(*dtype, values.const_data_ptr(), values.nbytes());
}

std::unique_ptr<Source> make_source(const StateDict& tensors) {
  return std::make_unique<StateDictSource>(tensors);
}

std::unique_ptr<Source> make_source(const SafetensorsFile& file) {
  return std::make_unique<FileSource>(file);
}

}  // namespace vitrine::detail

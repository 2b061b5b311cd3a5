#include "vitrine/train/distillation.h"

#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/kl_div.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "name_table.h"

namespace vitrine {
namespace {

const detail::NameTable<DistillationType>& types() {
  static const detail::NameTable<DistillationType> table = {
      {DistillationType::None, "none"},
      {DistillationType::Soft, "soft"},
      {DistillationType::Hard, "hard"}};
  return table;
}

/// Values of the channels as [1, 3, 1, 1].
torch::Tensor by_channel(const std::array<double, 3>& values, torch::Device device) {
  return torch::tensor(std::vector<double>(values.begin(), values.end()), torch::kFloat64)
      .to(device, torch::kFloat32)
      .view({1, 3, 1, 1});
}

}  // namespace

std::string to_string(DistillationType type) {
  return detail::name_of(types(), type);
}

DistillationType parse_distillation_type(const std::string& name) {
  return detail::value_of(types(), "kind of distillation", name);
}

void check_options(const DistillationOptions& options) {
  TORCH_CHECK_VALUE(
      options.distillation_alpha() >= 0 && options.distillation_alpha() <= 1,
      "distillation_alpha has to be at least 0 and at most 1, but got ",
      options.distillation_alpha());
  TORCH_CHECK_VALUE(
      std::isfinite(options.distillation_tau()) && options.distillation_tau() > 0,
      "distillation_tau has to be above 0, but got ",
      options.distillation_tau());
}

torch::Tensor distillation_loss(
    const torch::Tensor& student,
    const torch::Tensor& teacher,
    const DistillationOptions& options) {
  TORCH_CHECK_VALUE(
      student.sizes() == teacher.sizes(),
      "student and teacher need logits of one shape, but got ",
      student.sizes(),
      " and ",
      teacher.sizes());
  if (options.distillation_type() == DistillationType::Hard) {
    return at::cross_entropy_loss(student, teacher.argmax(1));
  }
  TORCH_CHECK_VALUE(
      options.distillation_type() == DistillationType::Soft,
      "distillation_type none has no loss of its own");
  const auto tau = options.distillation_tau();
  const auto sum = at::kl_div(
      (student / tau).log_softmax(1),
      (teacher / tau).log_softmax(1),
      at::Reduction::Sum,
      /*log_target=*/true);
  return sum * (tau * tau) / student.numel();
}

Teacher make_teacher(
    std::shared_ptr<Classifier> model,
    const PreprocessOptions& own,
    const PreprocessOptions& students,
    torch::Device device,
    Precision precision) {
  TORCH_CHECK_VALUE(model != nullptr, "there has to be a model to be the teacher");
  model->eval();
  model->to(device);
  torch::Tensor factor;
  torch::Tensor shift;
  if (own.mean() != students.mean() || own.std() != students.std()) {
    const auto deviation = by_channel(own.std(), device);
    factor = by_channel(students.std(), device) / deviation;
    shift = (by_channel(students.mean(), device) - by_channel(own.mean(), device)) / deviation;
  }
  const std::array<int64_t, 2> size = {own.height(), own.width()};
  return [=, model = std::move(model)](const torch::Tensor& images) {
    const torch::NoGradGuard no_grad;
    auto x = factor.defined() ? images * factor + shift : images;  // [B, 3, H, W]
    if (x.size(2) != size[0] || x.size(3) != size[1]) {
      x = at::_upsample_bilinear2d_aa(x, size, /*align_corners=*/false);
    }
    const PrecisionScope scope(precision, device.type());
    return model->forward(x).to(torch::kFloat32);
  };
}

}  // namespace vitrine

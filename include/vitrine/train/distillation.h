#pragma once

#include <c10/core/Device.h>
#include <torch/arg.h>
#include <torch/types.h>

#include <functional>
#include <memory>
#include <string>

#include "vitrine/export.h"
#include "vitrine/image/preprocess.h"
#include "vitrine/models/classifier.h"
#include "vitrine/precision.h"

namespace vitrine {

/// What a student learns of its teacher's answers: nothing, all probabilities, or the class that
/// the teacher takes an image for.
enum class DistillationType { None, Soft, Hard };

/// "none", "soft" and "hard", and back; an unknown name is an UnknownNameError.
VITRINE_API std::string to_string(DistillationType type);
VITRINE_API DistillationType parse_distillation_type(const std::string& name);

/// How a student learns from a teacher, by DeiT's names (Touvron et al. 2021, "Training
/// data-efficient image transformers & distillation through attention",
/// https://arxiv.org/abs/2012.12877).
struct DistillationOptions {
  TORCH_ARG(DistillationType, distillation_type) = DistillationType::None;
  /// Share of the teacher's part in the loss, in [0, 1].
  TORCH_ARG(double, distillation_alpha) = 0.5;
  /// Temperature of the probabilities of Soft, above 0.
  TORCH_ARG(double, distillation_tau) = 1.0;
};

/// Throws c10::ValueError, naming the option, when one is out of range.
VITRINE_API void check_options(const DistillationOptions& options);

/// The teacher's part of a batch's loss, a scalar, from the logits [B, K] of both: with Soft the
/// mean over all B K numbers of the divergence of the student's probabilities from the teacher's,
/// at temperature tau, times tau^2; with Hard the cross entropy with the teacher's classes. Equal
/// to DeiT's.
VITRINE_API torch::Tensor distillation_loss(
    const torch::Tensor& student, const torch::Tensor& teacher, const DistillationOptions& options);

/// A teacher: logits, float32 [B, K], of the preprocessed images that its student sees.
using Teacher = std::function<torch::Tensor(const torch::Tensor&)>;

/// Makes a teacher of `model`, which is moved to `device` and put into evaluation mode; nothing
/// asks for its gradients. Its images are preprocessed by `students`: where `own` has another mean
/// or deviation they are normalised anew, and where it has another size they are scaled to it.
VITRINE_API Teacher make_teacher(
    std::shared_ptr<Classifier> model,
    const PreprocessOptions& own,
    const PreprocessOptions& students,
    torch::Device device = torch::kCPU,
    Precision precision = Precision::Fp32);

}  // namespace vitrine

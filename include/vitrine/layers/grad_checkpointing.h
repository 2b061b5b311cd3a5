#pragma once

#include "vitrine/export.h"

namespace vitrine {

/// Gradient checkpointing of this thread for as long as the guard lives: the blocks of ViT, Swin
/// and MobileViT keep their inputs alone for the backward pass, which computes each block again
/// before its gradients. That takes less memory, and time for a second forward pass.
///
/// Gradients, random numbers and what batch norms learn are the same with and without it: the
/// generators and the precision (`PrecisionScope`) are set for the second pass as they were in the
/// first. The backward pass belongs behind the guard's end or not, as one likes; gradients of
/// gradients are not to be had.
///
/// Source: Chen et al. (2016), "Training Deep Nets with Sublinear Memory Cost",
/// https://arxiv.org/abs/1604.06174.
class VITRINE_API GradCheckpointing {
 public:
  /// Guards nest; the last one counts.
  explicit GradCheckpointing(bool enabled = true);
  GradCheckpointing(const GradCheckpointing&) = delete;
  GradCheckpointing& operator=(const GradCheckpointing&) = delete;
  ~GradCheckpointing();

 private:
  bool previous_;
};

}  // namespace vitrine

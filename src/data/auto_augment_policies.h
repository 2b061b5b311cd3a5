#pragma once

#include <string_view>
#include <vector>

namespace vitrine::detail {

/// An operation of a policy, by its name in `find_augment_op`.
struct PolicyStep {
  std::string_view op;
  double probability;
  double level;
};

/// The sub-policies of AutoAugment (Cubuk et al. 2019, https://arxiv.org/abs/1805.09501), of which
/// each image undergoes one, as timm 1.0.31 has them: "original" is the paper's for ImageNet, "v0"
/// that of the TPU code, an "r" behind either takes the research code's posterize; "3a" is
/// 3-Augment (Touvron et al. 2022, DeiT III, https://arxiv.org/abs/2204.07118). Empty for any other
/// name.
std::vector<std::vector<PolicyStep>> auto_augment_policy(std::string_view name);

/// An operation that RandAugment may choose, and how often relative to the others.
struct WeightedOp {
  std::string_view op;
  double weight;
};

/// The operations of RandAugment (Cubuk et al. 2020, https://arxiv.org/abs/1909.13719) as
/// timm 1.0.31 has them: "" its fifteen, "3a" those of 3-Augment; "weights" and "3aw" are those
/// that choose by weight. `increasing` takes the forms whose effect grows with the level, where a
/// set has both. Empty for any other name.
std::vector<WeightedOp> rand_augment_ops(std::string_view name, bool increasing);

/// The operations of TrivialAugment (Mueller, Hutter 2021, https://arxiv.org/abs/2103.10158), the
/// wide set, as torchvision 0.26 has them.
std::vector<std::string_view> trivial_augment_ops();

}  // namespace vitrine::detail

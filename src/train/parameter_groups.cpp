#include "train/parameter_groups.h"

#include <algorithm>
#include <array>

namespace vitrine {

bool has_weight_decay(const std::string& name, const torch::Tensor& parameter) {
  constexpr std::array<const char*, 10> kExcluded = {
      "bias",
      "cls_token",
      "dist_token",
      "reg_token",
      "pos_embed",
      "absolute_pos_embed",
      "relative_position_bias_table",
      "cpb_mlp",
      "logit_scale",
      "mask_token"};
  const auto dotted = "." + name + ".";
  return parameter.dim() > 1 &&
         std::none_of(kExcluded.begin(), kExcluded.end(), [&](const std::string& part) {
           return dotted.find("." + part + ".") != std::string::npos;
         });
}

namespace detail {
namespace {

ParameterGroup& group_of(std::vector<ParameterGroup>& groups, bool decays, double lr_scale) {
  for (auto& group : groups) {
    if (group.decays == decays && group.lr_scale == lr_scale) {
      return group;
    }
  }
  groups.push_back({decays, lr_scale, {}, {}, {}, {}});
  return groups.back();
}

}  // namespace

std::vector<ParameterGroup> make_parameter_groups(
    const torch::nn::Module& module, const std::map<std::string, double>& lr_scales) {
  std::vector<ParameterGroup> groups = {{true, 1.0, {}, {}, {}, {}}, {false, 1.0, {}, {}, {}, {}}};
  for (const auto& item : module.named_parameters()) {
    const auto& parameter = item.value();
    if (!parameter.requires_grad()) {
      continue;
    }
    const auto scale = lr_scales.find(item.key());
    auto& group = group_of(
        groups,
        has_weight_decay(item.key(), parameter),
        scale == lr_scales.end() ? 1.0 : scale->second);
    group.names.push_back(item.key());
    group.parameters.push_back(parameter);
  }
  return groups;
}

UpdateLists lists_with_gradients(const ParameterGroup& group) {
  detail::UpdateLists lists;
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    const auto& gradient = group.parameters[i].grad();
    if (!gradient.defined()) {
      continue;
    }
    lists.parameters.push_back(group.parameters[i]);
    lists.gradients.push_back(gradient);
    lists.first.push_back(group.first[i]);
    if (!group.second.empty()) {
      lists.second.push_back(group.second[i]);
    }
  }
  return lists;
}

}  // namespace detail
}  // namespace vitrine

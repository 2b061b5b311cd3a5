#include "data/auto_augment_policies.h"

namespace vitrine::detail {
namespace {

using Policy = std::vector<std::vector<PolicyStep>>;

Policy v0_policy() {
  return {
      {{"Equalize", 0.8, 1}, {"ShearY", 0.8, 4}},
      {{"Color", 0.4, 9}, {"Equalize", 0.6, 3}},
      {{"Color", 0.4, 1}, {"Rotate", 0.6, 8}},
      {{"Solarize", 0.8, 3}, {"Equalize", 0.4, 7}},
      {{"Solarize", 0.4, 2}, {"Solarize", 0.6, 2}},
      {{"Color", 0.2, 0}, {"Equalize", 0.8, 8}},
      {{"Equalize", 0.4, 8}, {"SolarizeAdd", 0.8, 3}},
      {{"ShearX", 0.2, 9}, {"Rotate", 0.6, 8}},
      {{"Color", 0.6, 1}, {"Equalize", 1.0, 2}},
      {{"Invert", 0.4, 9}, {"Rotate", 0.6, 0}},
      {{"Equalize", 1.0, 9}, {"ShearY", 0.6, 3}},
      {{"Color", 0.4, 7}, {"Equalize", 0.6, 0}},
      {{"Posterize", 0.4, 6}, {"AutoContrast", 0.4, 7}},
      {{"Solarize", 0.6, 8}, {"Color", 0.6, 9}},
      {{"Solarize", 0.2, 4}, {"Rotate", 0.8, 9}},
      {{"Rotate", 1.0, 7}, {"TranslateYRel", 0.8, 9}},
      {{"ShearX", 0.0, 0}, {"Solarize", 0.8, 4}},
      {{"ShearY", 0.8, 0}, {"Color", 0.6, 4}},
      {{"Color", 1.0, 0}, {"Rotate", 0.6, 2}},
      {{"Equalize", 0.8, 4}, {"Equalize", 0.0, 8}},
      {{"Equalize", 1.0, 4}, {"AutoContrast", 0.6, 2}},
      {{"ShearY", 0.4, 7}, {"SolarizeAdd", 0.6, 7}},
      {{"Posterize", 0.8, 2}, {"Solarize", 0.6, 10}},
      {{"Solarize", 0.6, 8}, {"Equalize", 0.6, 1}},
      {{"Color", 0.8, 6}, {"Rotate", 0.4, 5}}};
}

Policy paper_policy() {
  return {
      {{"PosterizeOriginal", 0.4, 8}, {"Rotate", 0.6, 9}},
      {{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}},
      {{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}},
      {{"PosterizeOriginal", 0.6, 7}, {"PosterizeOriginal", 0.6, 6}},
      {{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}},
      {{"Equalize", 0.4, 4}, {"Rotate", 0.8, 8}},
      {{"Solarize", 0.6, 3}, {"Equalize", 0.6, 7}},
      {{"PosterizeOriginal", 0.8, 5}, {"Equalize", 1.0, 2}},
      {{"Rotate", 0.2, 3}, {"Solarize", 0.6, 8}},
      {{"Equalize", 0.6, 8}, {"PosterizeOriginal", 0.4, 6}},
      {{"Rotate", 0.8, 8}, {"Color", 0.4, 0}},
      {{"Rotate", 0.4, 9}, {"Equalize", 0.6, 2}},
      {{"Equalize", 0.0, 7}, {"Equalize", 0.8, 8}},
      {{"Invert", 0.6, 4}, {"Equalize", 1.0, 8}},
      {{"Color", 0.6, 4}, {"Contrast", 1.0, 8}},
      {{"Rotate", 0.8, 8}, {"Color", 1.0, 2}},
      {{"Color", 0.8, 8}, {"Solarize", 0.8, 7}},
      {{"Sharpness", 0.4, 7}, {"Invert", 0.6, 8}},
      {{"ShearX", 0.6, 5}, {"Equalize", 1.0, 9}},
      {{"Color", 0.4, 0}, {"Equalize", 0.6, 3}},
      {{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}},
      {{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}},
      {{"Invert", 0.6, 4}, {"Equalize", 1.0, 8}},
      {{"Color", 0.6, 4}, {"Contrast", 1.0, 8}},
      {{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}}};
}

Policy with_increasing_posterize(Policy policy) {
  for (auto& steps : policy) {
    for (auto& step : steps) {
      if (step.op.substr(0, 9) == "Posterize") {
        step.op = "PosterizeIncreasing";
      }
    }
  }
  return policy;
}

/// The fifteen of RandAugment, each as often as the others.
std::vector<WeightedOp> equal_ops(bool increasing) {
  const auto form = [increasing](std::string_view fixed, std::string_view growing) {
    return WeightedOp{increasing ? growing : fixed, 1};
  };
  return {
      {"AutoContrast", 1},
      {"Equalize", 1},
      {"Invert", 1},
      {"Rotate", 1},
      form("Posterize", "PosterizeIncreasing"),
      form("Solarize", "SolarizeIncreasing"),
      {"SolarizeAdd", 1},
      form("Color", "ColorIncreasing"),
      form("Contrast", "ContrastIncreasing"),
      form("Brightness", "BrightnessIncreasing"),
      form("Sharpness", "SharpnessIncreasing"),
      {"ShearX", 1},
      {"ShearY", 1},
      {"TranslateXRel", 1},
      {"TranslateYRel", 1}};
}

/// The set "weights", in which moving and turning are the most frequent.
std::vector<WeightedOp> weighted_ops() {
  return {
      {"Rotate", 3},
      {"ShearX", 2},
      {"ShearY", 2},
      {"TranslateXRel", 1},
      {"TranslateYRel", 1},
      {"ColorIncreasing", 0.25},
      {"SharpnessIncreasing", 0.25},
      {"AutoContrast", 0.25},
      {"SolarizeIncreasing", 0.05},
      {"SolarizeAdd", 0.05},
      {"ContrastIncreasing", 0.05},
      {"BrightnessIncreasing", 0.05},
      {"Equalize", 0.05},
      {"PosterizeIncreasing", 0.05},
      {"Invert", 0.05}};
}

/// The set "3aw", in which those of 3-Augment are the most frequent.
std::vector<WeightedOp> weighted_three_augment_ops() {
  return {
      {"SolarizeIncreasing", 6},
      {"Desaturate", 6},
      {"GaussianBlur", 6},
      {"Rotate", 3},
      {"ShearX", 2},
      {"ShearY", 2},
      {"PosterizeIncreasing", 1},
      {"AutoContrast", 1},
      {"ColorIncreasing", 1},
      {"SharpnessIncreasing", 1},
      {"ContrastIncreasing", 1},
      {"BrightnessIncreasing", 1},
      {"Equalize", 1},
      {"Invert", 1}};
}

}  // namespace

std::vector<std::vector<PolicyStep>> auto_augment_policy(std::string_view name) {
  if (name == "v0") {
    return v0_policy();
  }
  if (name == "v0r") {
    return with_increasing_posterize(v0_policy());
  }
  if (name == "original") {
    return paper_policy();
  }
  if (name == "originalr") {
    return with_increasing_posterize(paper_policy());
  }
  if (name == "3a") {
    return {{{"Solarize", 1.0, 5}}, {{"Desaturate", 1.0, 10}}, {{"GaussianBlurRand", 1.0, 10}}};
  }
  return {};
}

std::vector<WeightedOp> rand_augment_ops(std::string_view name, bool increasing) {
  if (name.empty()) {
    return equal_ops(increasing);
  }
  if (name == "3a") {
    return {{"SolarizeIncreasing", 1}, {"Desaturate", 1}, {"GaussianBlur", 1}};
  }
  if (name == "3aw") {
    return weighted_three_augment_ops();
  }
  if (name == "weights") {
    return weighted_ops();
  }
  return {};
}

std::vector<std::string_view> trivial_augment_ops() {
  return {
      "TrivialIdentity",
      "TrivialShearX",
      "TrivialShearY",
      "TrivialTranslateX",
      "TrivialTranslateY",
      "TrivialRotate",
      "TrivialBrightness",
      "TrivialColor",
      "TrivialContrast",
      "TrivialSharpness",
      "TrivialPosterize",
      "TrivialSolarize",
      "TrivialAutoContrast",
      "TrivialEqualize"};
}

}  // namespace vitrine::detail

#include "source_defaults.h"

#include "models/zoo.h"

namespace vitrine::detail {
namespace {

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool is_torchvision(const std::string& layout) {
  return starts_with(layout, "torchvision");
}

/// The alias that torchvision has for a model; those of the Hub have a slash, timm's tags a dot.
const Alias* torchvision_alias(const std::string& architecture) {
  for (const auto& alias : aliases()) {
    const std::string name = alias.alias;
    if (name.find_first_of("/.") == std::string::npos && architecture == alias.name) {
      return &alias;
    }
  }
  return nullptr;
}

/// Preprocessing of transformers' image processors with the sizes that its models' files have.
std::optional<PreprocessOptions> hugging_face_preprocess(
    const std::string& layout, const std::string& architecture, const PreprocessOptions& own) {
  const auto side = own.height();
  const auto cropped = [](std::int64_t rows, std::int64_t resized) {
    return static_cast<double>(rows) / (static_cast<double>(resized) + 0.01);
  };
  if (starts_with(layout, "Hugging Face Swin")) {
    return imagenet(side, 1).crop_mode(CropMode::Squash);
  }
  if (starts_with(layout, "Hugging Face MobileViT")) {
    return plain(256, cropped(256, 288)).interpolation(Interpolation::Bilinear);
  }
  if (layout == "Hugging Face ViT" && starts_with(architecture, "deit")) {
    return imagenet(side, side == 224 ? cropped(224, 256) : 1).crop_mode(CropMode::Squash);
  }
  if (layout == "Hugging Face ViT") {
    return half(side, 1).crop_mode(CropMode::Squash).interpolation(Interpolation::Bilinear);
  }
  return std::nullopt;
}

}  // namespace

SourceDefaults source_defaults(
    const std::string& layout,
    const std::string& architecture,
    const PreprocessOptions& preprocess) {
  SourceDefaults defaults;
  if (is_torchvision(layout)) {
    const auto* alias = torchvision_alias(architecture);
    defaults.preprocess = alias == nullptr ? std::nullopt : alias->preprocess;
  } else {
    defaults.preprocess = hugging_face_preprocess(layout, architecture, preprocess);
  }
  if (layout == "Hugging Face ViT") {
    defaults.options.set("norm_eps", 1e-12);
  }
  return defaults;
}

bool source_has(const std::string& layout, const std::string& architecture) {
  return !is_torchvision(layout) || torchvision_alias(architecture) != nullptr;
}

}  // namespace vitrine::detail

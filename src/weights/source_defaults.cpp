#include "source_defaults.h"

#include "key_pattern.h"
#include "models/zoo.h"

namespace vitrine::detail {
namespace {

/// A DeiT with a distillation token that no head sees: to vitrine, a register.
constexpr const char* kOneHead = "Hugging Face DeiT with one head";

/// DINO's own files, by `source_of`.
constexpr const char* kDino = "DINO";

bool is_hugging_face_vit(const std::string& layout) {
  return layout == "Hugging Face ViT" || layout == kOneHead;
}

bool is_vit_pytorch(const std::string& layout) {
  return starts_with(layout, "vit-pytorch");
}

/// DINOv2's own files, whose models see images of 224 pixels with the positions of 518.
bool is_dinov2(const std::string& layout) {
  return layout == "DINOv2" || layout == "DINOv2 with registers";
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

/// The crop's share of the resized side, a little larger: rounded down, it gives back the very
/// side.
double cropped(std::int64_t side, std::int64_t resized) {
  return static_cast<double>(side) / (static_cast<double>(resized) + 0.01);
}

/// Preprocessing of transformers' image processors with the sizes that its models' files have.
std::optional<PreprocessOptions> hugging_face_preprocess(
    const std::string& layout, const std::string& architecture, const PreprocessOptions& own) {
  const auto side = own.height();
  if (starts_with(layout, "Hugging Face DINOv2")) {
    return imagenet(224, cropped(224, 256));
  }
  if (starts_with(layout, "Hugging Face Swin")) {
    return imagenet(side, 1).crop_mode(CropMode::Squash);
  }
  if (starts_with(layout, "Hugging Face MobileViT")) {
    return plain(256, cropped(256, 288)).interpolation(Interpolation::Bilinear);
  }
  if (is_hugging_face_vit(layout) && starts_with(architecture, "deit")) {
    return imagenet(side, side == 224 ? cropped(224, 256) : 1).crop_mode(CropMode::Squash);
  }
  if (is_hugging_face_vit(layout)) {
    return half(side, 1).crop_mode(CropMode::Squash).interpolation(Interpolation::Bilinear);
  }
  return std::nullopt;
}

/// Preprocessing of the repositories that the models come from, as their evaluation has it.
std::optional<PreprocessOptions> original_preprocess(
    const std::string& layout, const PreprocessOptions& own) {
  const auto side = own.height();
  if (layout == "Microsoft Swin") {
    return side == 384 ? imagenet(side, 1).crop_mode(CropMode::Squash)
                       : imagenet(side, cropped(side, side * 256 / 224));
  }
  if (starts_with(layout, "ml-cvnets MobileViT")) {
    return plain(side, side == 256 ? cropped(256, 288) : 1)
        .interpolation(
            layout == "ml-cvnets MobileViT" ? Interpolation::Bilinear : Interpolation::Bicubic);
  }
  if (layout == kDino || is_dinov2(layout)) {
    return imagenet(224, cropped(224, 256));
  }
  return std::nullopt;
}

/// Whether the head is for the class token and the mean of the patches. Such a head of DINO, whose
/// blocks have no factors, has them interleaved.
bool has_dinov2_head(const TensorShapes& shapes) {
  const auto head = shapes.find("head.weight");
  const auto factors = shapes.find("blocks.0.ls1.gamma");
  return head != shapes.end() && factors != shapes.end() && head->second.size() == 2 &&
         factors->second.size() == 1 && head->second[1] / 2 == factors->second[0] &&
         head->second[1] % 2 == 0;
}

}  // namespace

std::string source_of(
    const std::string& layout, const std::string& architecture, bool is_pytorch_file) {
  const std::string tag = ".dino";
  const bool dino = architecture == "vit_small_patch8_224" ||
                    (architecture.size() > tag.size() &&
                     architecture.compare(architecture.size() - tag.size(), tag.size(), tag) == 0);
  return layout == "timm" && dino && is_pytorch_file ? kDino : layout;
}

SourceDefaults source_defaults(
    const std::string& source,
    const std::string& architecture,
    const PreprocessOptions& preprocess) {
  SourceDefaults defaults;
  if (is_torchvision(source)) {
    const auto* alias = torchvision_alias(architecture);
    defaults.preprocess = alias == nullptr ? std::nullopt : alias->preprocess;
  } else if (starts_with(source, "Hugging Face")) {
    defaults.preprocess = hugging_face_preprocess(source, architecture, preprocess);
  } else {
    defaults.preprocess = original_preprocess(source, preprocess);
  }
  if (is_hugging_face_vit(source)) {
    defaults.options.set("norm_eps", 1e-12);
  }
  if (starts_with(source, "Hugging Face DINOv2")) {
    // It resamples the positions of 518 pixels as it runs, without registers in a way of its own.
    defaults.options.img_size(224).set("interpolate_antialias", source != "Hugging Face DINOv2");
  }
  if (is_dinov2(source)) {
    defaults.options.img_size(224);
  }
  if (source == kDino || source == "DINOv2") {
    defaults.options.set("interpolate_antialias", false).set("interpolate_offset", 0.1);
  }
  return defaults;
}

ModelOptions told_options(const std::string& layout, const TensorShapes& shapes) {
  const auto has = [&](const char* name) { return shapes.count(name) > 0; };
  ModelOptions options;
  if (layout == kOneHead) {
    options.set("reg_tokens", int64_t{1}).set("distilled", false);
  } else if (is_vit_pytorch(layout)) {
    options.set("qkv_bias", has("blocks.0.attn.qkv.bias"))
        .set("norm_eps", 1e-5)
        .set("dual_patch_norm", has("patch_embed.norm.weight"))
        .set("fc_norm", has("fc_norm.weight"))
        .set("pos_embed", std::string(has("pos_embed") ? "learn" : "sincos2d"))
        .set("class_token", has("cls_token"));
    if (!has("cls_token")) {
      options.set("global_pool", std::string("avg"));
    }
  }
  if (has_dinov2_head(shapes)) {
    options.set("global_pool", std::string("token_avg"));
  }
  return options;
}

bool tells_model(const std::string& layout) {
  return !is_vit_pytorch(layout);
}

bool source_has(const std::string& layout, const std::string& architecture) {
  return (!is_torchvision(layout) || torchvision_alias(architecture) != nullptr) &&
         (layout != kOneHead || starts_with(architecture, "deit")) &&
         (!starts_with(layout, "Hugging Face DINOv2") ||
          architecture.find("dinov2") != std::string::npos);
}

}  // namespace vitrine::detail

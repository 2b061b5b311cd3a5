#include "vitrine/models/registry.h"

#include <utility>
#include <variant>

#include "vitrine/error.h"
#include "vitrine/models/mobilevit.h"
#include "vitrine/models/swin.h"
#include "vitrine/models/vit.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

using FamilyOptions =
    std::variant<VisionTransformerOptions, SwinTransformerOptions, MobileVitOptions>;

struct Entry {
  const char* name;
  FamilyOptions options;
  PreprocessOptions preprocess;
  int64_t parameters;
  double gmacs;  // of one image, in 1e9, as timm publishes them; 0 where it does not
};

VisionTransformerOptions vit(
    int64_t dim, int64_t depth, int64_t heads, int64_t patch, int64_t side) {
  return VisionTransformerOptions()
      .embed_dim(dim)
      .depth(depth)
      .num_heads(heads)
      .patch_size(patch)
      .img_size({side, side});
}

SwinTransformerOptions swin(
    int64_t dim, int64_t third_depth, int64_t window, int64_t side, double drop_path) {
  const auto heads = dim / 32;
  return SwinTransformerOptions()
      .embed_dim(dim)
      .depths({2, 2, third_depth, 2})
      .num_heads({heads, 2 * heads, 4 * heads, 8 * heads})
      .window_size(window)
      .img_size({side, side})
      .drop_path_rate(drop_path);
}

MobileVitOptions mobilevit(
    std::vector<int64_t> channels,
    std::vector<int64_t> dims,
    double expansion,
    int64_t head_chans) {
  return MobileVitOptions()
      .channels(std::move(channels))
      .transformer_dims(std::move(dims))
      .expansion(expansion)
      .head_chans(head_chans);
}

/// Of ViT and MobileViT at their usual size; crop_pct 1 where the model is meant for a larger one.
PreprocessOptions half(int64_t side, double crop_pct = 0.9) {
  return PreprocessOptions().height(side).width(side).crop_pct(crop_pct);
}

PreprocessOptions imagenet(int64_t side, double crop_pct = 0.9) {
  return half(side, crop_pct).mean({0.485, 0.456, 0.406}).std({0.229, 0.224, 0.225});
}

PreprocessOptions plain(int64_t side, double crop_pct = 0.9) {
  return half(side, crop_pct).mean({0, 0, 0}).std({1, 1, 1});
}

/// The zoo. One row a model: name, options, preprocessing, parameters with the head of the options,
/// GMACs.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> table = {
      {"vit_tiny_patch16_224", vit(192, 12, 3, 16, 224), half(224), 5'717'416, 1.26},
      {"vit_tiny_patch16_384", vit(192, 12, 3, 16, 384), half(384, 1), 5'790'376, 4.70},
      {"vit_small_patch32_224", vit(384, 12, 6, 32, 224), half(224), 22'878'952, 1.15},
      {"vit_small_patch32_384", vit(384, 12, 6, 32, 384), half(384, 1), 22'915'432, 0},
      {"vit_small_patch16_224", vit(384, 12, 6, 16, 224), half(224), 22'050'664, 4.61},
      {"vit_small_patch16_384", vit(384, 12, 6, 16, 384), half(384, 1), 22'196'584, 15.52},
      {"vit_base_patch32_224", vit(768, 12, 12, 32, 224), half(224), 88'224'232, 4.41},
      {"vit_base_patch32_384", vit(768, 12, 12, 32, 384), half(384, 1), 88'297'192, 0},
      {"vit_base_patch16_224", vit(768, 12, 12, 16, 224), half(224), 86'567'656, 17.58},
      {"vit_base_patch16_384", vit(768, 12, 12, 16, 384), half(384, 1), 86'859'496, 55.54},
      {"vit_base_patch8_224", vit(768, 12, 12, 8, 224), half(224), 86'576'872, 78.22},
      {"vit_large_patch32_224", vit(1024, 24, 16, 32, 224), half(224), 306'535'400, 0},
      {"vit_large_patch32_384", vit(1024, 24, 16, 32, 384), half(384, 1), 306'632'680, 0},
      {"vit_large_patch16_224", vit(1024, 24, 16, 16, 224), half(224), 304'326'632, 61.60},
      {"vit_large_patch16_384", vit(1024, 24, 16, 16, 384), half(384, 1), 304'715'752, 191.21},
      {"vit_huge_patch14_224", vit(1280, 32, 16, 14, 224), half(224), 632'045'800, 167.40},
      {"vit_giant_patch14_224",
       vit(1408, 40, 16, 14, 224).mlp_ratio(48.0 / 11),
       half(224),
       1'012'611'432,
       267.18},
      {"vit_gigantic_patch14_224",
       vit(1664, 48, 16, 14, 224).mlp_ratio(64.0 / 13),
       half(224),
       1'844'440'680,
       0},
      {"test_vit",
       vit(64, 6, 2, 16, 160).mlp_ratio(3).dynamic_img_size(true),
       half(160, 0.95),
       371'240,
       0},
      {"vitrine_vit_patch4_32", vit(64, 4, 4, 4, 32).num_classes(10), half(32, 1), 208'074, 0},
      {"swin_tiny_patch4_window7_224", swin(96, 6, 7, 224, 0.2), imagenet(224), 28'288'354, 4.51},
      {"swin_small_patch4_window7_224", swin(96, 18, 7, 224, 0.3), imagenet(224), 49'606'258, 8.77},
      {"swin_base_patch4_window7_224",
       swin(128, 18, 7, 224, 0.5),
       imagenet(224),
       87'768'224,
       15.47},
      {"swin_base_patch4_window12_384",
       swin(128, 18, 12, 384, 0.5),
       imagenet(384, 1),
       87'903'584,
       47.19},
      {"swin_large_patch4_window7_224",
       swin(192, 18, 7, 224, 0.2),
       imagenet(224),
       196'532'476,
       34.53},
      {"swin_large_patch4_window12_384",
       swin(192, 18, 12, 384, 0.2),
       imagenet(384, 1),
       196'735'516,
       104.08},
      {"vitrine_swin_patch2_window4_32",
       swin(64, 2, 4, 32, 0).patch_size(2).depths({2, 4}).num_heads({2, 4}).num_classes(10),
       half(32, 1),
       929'822,
       0},
      {"mobilevit_xxs",
       mobilevit({16, 24, 48, 64, 80}, {64, 80, 96}, 2, 320),
       plain(256),
       1'272'024,
       0.42},
      {"mobilevit_xs",
       mobilevit({32, 48, 64, 80, 96}, {96, 120, 144}, 4, 384),
       plain(256),
       2'317'848,
       1.05},
      {"mobilevit_s",
       mobilevit({32, 64, 96, 128, 160}, {144, 192, 240}, 4, 640),
       plain(256),
       5'578'632,
       2.03},
      {"vitrine_mobilevit_32",
       mobilevit({16, 24, 48, 64}, {64, 80}, 2, 256)
           .blocks({1, 2, 1, 1})
           .strides({1, 2, 2, 2})
           .transformer_depths({2, 2})
           .stem_stride(1)
           .num_classes(10),
       half(32, 1),
       403'674,
       0},
  };
  return table;
}

const Entry& find_entry(const std::string& name) {
  for (const auto& entry : entries()) {
    if (name == entry.name) {
      return entry;
    }
  }
  throw UnknownNameError("model", name, list_models());
}

struct Creator {
  const ModelOptions& overrides;

  std::shared_ptr<Classifier> operator()(const VisionTransformerOptions& options) const {
    return VisionTransformer(apply(options, overrides)).ptr();
  }
  std::shared_ptr<Classifier> operator()(const SwinTransformerOptions& options) const {
    return SwinTransformer(apply(options, overrides)).ptr();
  }
  std::shared_ptr<Classifier> operator()(const MobileVitOptions& options) const {
    return MobileVit(apply(options, overrides)).ptr();
  }
};

struct Family {
  const char* name;
  const char* paper;
};

constexpr Family kFamilies[] = {
    // In the order of FamilyOptions.
    {"vit", "Dosovitskiy et al. (2020), An Image is Worth 16x16 Words, arxiv.org/abs/2010.11929"},
    {"swin", "Liu et al. (2021), Swin Transformer, arxiv.org/abs/2103.14030"},
    {"mobilevit", "Mehta & Rastegari (2021), MobileViT, arxiv.org/abs/2110.02178"},
};

}  // namespace

std::shared_ptr<Classifier> create_model(const std::string& name, const ModelOptions& options) {
  return std::visit(Creator{options}, find_entry(name).options);
}

ModelCard find_card(const std::string& name) {
  const auto& entry = find_entry(name);
  const auto& family = kFamilies[entry.options.index()];
  ModelCard card;
  card.architecture = entry.name;
  card.family = family.name;
  card.paper = family.paper;
  card.parameters = entry.parameters;
  card.gmacs = entry.gmacs;
  card.preprocess = entry.preprocess;
  return card;
}

std::vector<std::string> list_models(const std::string& pattern) {
  std::vector<std::string> names;
  for (const auto& entry : entries()) {
    if (matches_wildcard(entry.name, pattern)) {
      names.emplace_back(entry.name);
    }
  }
  return names;
}

}  // namespace vitrine

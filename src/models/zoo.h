#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "vitrine/image/preprocess.h"
#include "vitrine/models/mobilevit.h"
#include "vitrine/models/swin.h"
#include "vitrine/models/vit.h"

namespace vitrine::detail {

using FamilyOptions =
    std::variant<VisionTransformerOptions, SwinTransformerOptions, MobileVitOptions>;

/// One model of the zoo.
struct Entry {
  const char* name;
  FamilyOptions options;
  PreprocessOptions preprocess;
  int64_t parameters;  // with the head of the options
  double gmacs;        // of one image, in 1e9, as timm counts them; 0 where unknown
};

/// Models of one paper.
struct Group {
  const char* family;
  const char* paper;
  std::vector<Entry> entries;
};

/// The whole zoo, in its order.
const std::vector<Group>& zoo();

// The zoo, by family.
std::vector<Group> vit_groups();
std::vector<Group> swin_groups();
std::vector<Group> mobilevit_groups();

/// Another name of a model of the zoo.
struct Alias {
  const char* alias;
  const char* name;
  std::optional<PreprocessOptions> preprocess = {};  // where it is not the model's own
};

/// Names that other libraries have for models of the zoo.
const std::vector<Alias>& aliases();

/// Tags of timm's weights ("NAME.TAG") for which NAME's card holds as it stands.
const std::vector<const char*>& plain_tags();

/// Preprocessing of a square image with mean and deviation 0.5.
inline PreprocessOptions half(int64_t side, double crop_pct = 0.9) {
  return PreprocessOptions().height(side).width(side).crop_pct(crop_pct);
}

/// With ImageNet's mean and deviation.
inline PreprocessOptions imagenet(int64_t side, double crop_pct = 0.9) {
  return half(side, crop_pct).mean({0.485, 0.456, 0.406}).std({0.229, 0.224, 0.225});
}

/// Values as they are, in [0, 1].
inline PreprocessOptions plain(int64_t side, double crop_pct = 0.9) {
  return half(side, crop_pct).mean({0, 0, 0}).std({1, 1, 1});
}

}  // namespace vitrine::detail

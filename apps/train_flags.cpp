#include "train_flags.h"

#include <string>
#include <vector>

#include "flag.h"
#include "recipe_flags.h"

namespace vitrine {
namespace {

std::vector<Flag> crop_flags() {
  return {
      flag(
          "no-aug", "no variation: scale and cut the centre", [](auto& o) -> auto& {
            return o.augment().no_aug();
          }),
      bounds(
          "scale",
          "LOW,HIGH",
          "share of the image that the random crop takes",
          Range::above_up_to(0, 1),
          [](auto& o) -> auto& { return o.augment().scale(); }),
      bounds(
          "ratio",
          "LOW,HIGH",
          "width over height of the random crop",
          Range::above(0),
          [](auto& o) -> auto& { return o.augment().ratio(); }),
      {choice_option(
           "train-interpolation",
           {"random", "bilinear", "bicubic", "nearest"},
           "filter of the random crop; random: bilinear or bicubic",
           "random"),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.augment().train_interpolation(
             a.text(n) == "random" ? AugmentOptions().train_interpolation()
                                   : std::vector{parse_interpolation(a.text(n))});
       }},
  };
}

std::vector<Flag> flip_and_affine_flags() {
  const auto share = Range::closed(0, 1);
  return {
      real(
          "hflip", "probability of a mirrored image", share, [](auto& o) -> auto& {
            return o.augment().hflip();
          }),
      real(
          "vflip", "probability of an upside-down image", share, [](auto& o) -> auto& {
            return o.augment().vflip();
          }),
      real(
          "degrees",
          "most degrees that an image is turned, either way",
          Range::closed(0, 180),
          [](auto& o) -> auto& { return o.augment().degrees(); }),
      bounds(
          "translate",
          "X,Y",
          "most that an image is moved, as shares of its sides",
          share,
          [](auto& o) -> auto& { return o.augment().translate(); }),
      bounds(
          "affine-scale",
          "LOW,HIGH",
          "zoom about the centre of an image",
          Range::closed(0.01, 100),
          [](auto& o) -> auto& { return o.augment().affine_scale(); })};
}

struct FlagGroup {
  std::string title;
  std::vector<Flag> flags;
};

std::vector<FlagGroup> flag_groups() {
  return {
      {"Optimizer", optimizer_flags()},
      {"Schedule", schedule_flags()},
      {"Loss and regularisation", loss_flags()},
      {"Mixup and CutMix", mixup_flags()},
      {"Moving average of the weights", model_ema_flags()},
      {"Random crop", crop_flags()},
      {"Flips and affine map", flip_and_affine_flags()}};
}

}  // namespace

std::vector<OptionGroup> training_groups() {
  std::vector<OptionGroup> groups;
  for (const auto& group : flag_groups()) {
    auto& added = groups.emplace_back();
    added.title = group.title;
    for (const auto& flag : group.flags) {
      added.options.push_back(flag.spec);
    }
  }
  return groups;
}

void apply_training_arguments(const Arguments& arguments, TrainOptions& options) {
  for (const auto& group : flag_groups()) {
    for (const auto& flag : group.flags) {
      if (arguments.given(flag.spec.name)) {
        flag.apply(options, arguments, flag.spec.name);
      }
    }
  }
}

}  // namespace vitrine

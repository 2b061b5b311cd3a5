#include "train_flags.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "flag.h"
#include "recipe_flags.h"

namespace vitrine {
namespace {

std::vector<Flag> data_flags() {
  return {
      real(
          "val-fraction",
          "share of each class to validate by, where DATA has no part for it",
          Range::from_below(0, 1),
          [](auto& o) -> auto& { return o.val_fraction(); }),
      {choice_option(
           "bad-images",
           {"fail", "skip"},
           "an image that cannot be read ends the run, or another one takes its place",
           "fail"),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.skip_bad_images(a.text(n) == "skip");
       }},
      whole(
          "max-bad-images",
          "most images to skip; one more ends the run",
          0,
          std::numeric_limits<int64_t>::max(),
          [](auto& o) -> auto& { return o.max_bad_images(); })};
}

Flag multi_scale_flag() {
  OptionSpec spec;
  spec.name = "multi-scale";
  spec.value = "N,N,...";
  spec.help = "sides of images, one drawn for each update, whose batches keep their pixels";
  spec.expected = [](const std::string& text) -> std::string {
    const auto parts = split(text, ',');
    const bool right = std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
      int64_t side = 0;
      return parse_whole(part, side) && side >= 1;
    });
    return right ? "" : "sides in pixels with commas between";
  };
  return {spec, [](TrainOptions& o, const Arguments& a, const std::string& n) {
            o.multi_scale().clear();
            for (const auto& part : split(a.text(n), ',')) {
              parse_whole(part, o.multi_scale().emplace_back());
            }
          }};
}

std::vector<Flag> crop_flags() {
  return {
      multi_scale_flag(),
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

/// What a value of --color-jitter should have been, or nothing where it is right.
std::string expected_color_jitter(const std::string& text) {
  const auto parts = split(text, ',');
  const bool numbers = std::all_of(parts.begin(), parts.end(), [](const auto& part) {
    double number = 0;
    return parse_real(part, number) && number >= 0;
  });
  double hue = 0;
  const bool right = numbers && (parts.size() == 1 || parts.size() == 3 ||
                                 (parts.size() == 4 && parse_real(parts[3], hue) && hue <= 0.5));
  return right ? ""
               : "one, three or four numbers of at least 0 with commas between, the hue's at most "
                 "0.5";
}

std::vector<Flag> policy_flags() {
  return {
      {{"aa",
        "POLICY",
        "rand-m9-mstd0.5-inc1 and the like, original, v0, 3a, ta_wide; default: none",
        "",
        expected_auto_augment},
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.augment().aa(a.text(n));
       }},
      real(
          "aug-repeats",
          "variations of an image in a row, and fewer images an epoch; 0: none",
          Range::closed(0, 1000),
          [](auto& o) -> auto& { return o.aug_repeats(); })};
}

std::vector<Flag> colour_flags() {
  const auto share = Range::closed(0, 1);
  return {
      {{"color-jitter",
        "F|B,C,S[,H]",
        "most change of brightness, contrast, saturation and hue; default: none",
        "",
        expected_color_jitter},
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.augment().color_jitter(a.reals(n));
       }},
      real(
          "color-jitter-prob", "probability of the jitter", share, [](auto& o) -> auto& {
            return o.augment().color_jitter_prob();
          }),
      real(
          "grayscale-prob", "probability of an image without colours", share, [](auto& o) -> auto& {
            return o.augment().grayscale_prob();
          }),
      real(
          "gaussian-blur-prob", "probability of a blurred image", share, [](auto& o) -> auto& {
            return o.augment().gaussian_blur_prob();
          })};
}

std::vector<Flag> erasing_flags() {
  return {
      real(
          "reprob", "probability of random erasing", Range::closed(0, 1), [](auto& o) -> auto& {
            return o.augment().erasing().probability();
          }),
      {choice_option(
           "remode",
           {"const", "rand", "pixel"},
           "with the mean colour, a random one, or one a pixel",
           to_string(AugmentOptions().erasing().mode())),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.augment().erasing().mode(parse_erase_mode(a.text(n)));
       }},
      whole(
          "recount", "most boxes in an image", 1, 100, [](auto& o) -> auto& {
            return o.augment().erasing().count();
          })};
}

struct FlagGroup {
  std::string title;
  std::vector<Flag> flags;
};

std::vector<FlagGroup> flag_groups() {
  return {
      {"Data", data_flags()},
      {"Optimizer", optimizer_flags()},
      {"Schedule", schedule_flags()},
      {"Loss and regularisation", loss_flags()},
      {"Distillation", distillation_flags()},
      {"Mixup and CutMix", mixup_flags()},
      {"Moving average of the weights", model_ema_flags()},
      {"Size and random crop", crop_flags()},
      {"Flips and affine map", flip_and_affine_flags()},
      {"Policies", policy_flags()},
      {"Colours", colour_flags()},
      {"Random erasing", erasing_flags()}};
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

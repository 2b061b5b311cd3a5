#include "train_flags.h"

#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {
namespace {

constexpr int64_t kMostSeed = std::numeric_limits<int64_t>::max();

/// An option and what it does to the options of a run.
struct Flag {
  OptionSpec spec;
  std::function<void(TrainOptions&, const Arguments&, const std::string&)> apply;
};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", value);
  return text;
}

std::string numbers(const Bounds& bounds) {
  return number(bounds.first) + "," + number(bounds.second);
}

/// `access` gives a reference to the option; its value in `TrainOptions{}` is the default.
template <typename Access>
Flag real(const char* name, const char* help, Range range, Access access) {
  TrainOptions defaults;
  return {
      real_option(name, help, number(access(defaults)), range),
      [access](TrainOptions& o, const Arguments& a, const std::string& n) {
        access(o) = a.real(n);
      }};
}

template <typename Access>
Flag whole(const char* name, const char* help, int64_t low, int64_t high, Access access) {
  TrainOptions defaults;
  return {
      whole_option(name, help, std::to_string(access(defaults)), low, high),
      [access](TrainOptions& o, const Arguments& a, const std::string& n) {
        access(o) = static_cast<std::decay_t<decltype(access(o))>>(a.whole(n));
      }};
}

template <typename Access>
Flag bounds(const char* name, const char* value, const char* help, Range range, Access access) {
  TrainOptions defaults;
  return {
      reals_option(name, value, help, numbers(access(defaults)), 2, range),
      [access](TrainOptions& o, const Arguments& a, const std::string& n) {
        const auto values = a.reals(n);
        access(o) = {values[0], values[1]};
      }};
}

template <typename Access>
Flag flag(const char* name, const char* help, Access access) {
  return {
      flag_option(name, help), [access](TrainOptions& o, const Arguments& a, const std::string& n) {
        access(o) = a.flag(n);
      }};
}

Flag drop_flag(const char* name, const char* help, const char* option) {
  return {
      real_option(name, help, "", Range::from_below(0, 1)),
      [option](TrainOptions& o, const Arguments& a, const std::string& n) {
        o.model_options().set(option, a.real(n));
      }};
}

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

std::vector<Flag> optimizer_flags() {
  TrainOptions defaults;
  return {
      {choice_option("opt", {"adamw", "sgd"}, "optimizer", to_string(defaults.optimizer().opt())),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.optimizer().opt(parse_optimizer(a.text(n)));
       }},
      real(
          "lr", "learning rate after warm-up", Range::at_least(0), [](auto& o) -> auto& {
            return o.lr();
          }),
      real(
          "layer-decay",
          "factor of the learning rate from one layer to the one below it",
          Range::above_up_to(0, 1),
          [](auto& o) -> auto& { return o.layer_decay(); }),
      {text_option("freeze", "PATTERN", "parameters that are not trained, by key; may be repeated"),
       [](TrainOptions& o, const Arguments& a, const std::string& n) { o.freeze(a.all(n)); }},
      real(
          "weight-decay",
          "weight decay; norms, biases, tokens and position tables have none",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.optimizer().weight_decay(); }),
      real(
          "momentum",
          "momentum of sgd (Nesterov's)",
          Range::from_below(0, 1),
          [](auto& o) -> auto& { return o.optimizer().momentum(); }),
      real(
          "clip-grad", "largest norm of the gradients; 0: any", Range::at_least(0), [
          ](auto& o) -> auto& { return o.clip_grad(); })};
}

std::vector<Flag> schedule_flags() {
  TrainOptions defaults;
  return {
      {choice_option(
           "sched", {"cosine", "constant"}, "learning rate by update", to_string(defaults.sched())),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.sched(parse_schedule(a.text(n)));
       }},
      whole(
          "epochs", "epochs, warm-up included", 1, kMostEpochs, [](auto& o) -> auto& {
            return o.epochs();
          }),
      whole(
          "warmup-epochs", "epochs of linear warm-up", 0, kMostEpochs, [](auto& o) -> auto& {
            return o.warmup_epochs();
          }),
      real(
          "warmup-lr",
          "learning rate of the first update where there is a warm-up",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.warmup_lr(); }),
      real(
          "min-lr",
          "learning rate at the end of the cosine",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.min_lr(); }),
      whole(
          "seed", "from which all randomness follows", 0, kMostSeed, [](auto& o) -> auto& {
            return o.seed();
          })};
}

std::vector<Flag> regularisation_flags() {
  return {
      real(
          "smoothing", "label smoothing", Range::from_below(0, 1), [](auto& o) -> auto& {
            return o.smoothing();
          }),
      drop_flag("drop", "dropout before the head; default: the model's", "drop_rate"),
      drop_flag(
          "drop-path",
          "stochastic depth of the last block; default: the model's",
          "drop_path_rate")};
}

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
      {"Data", data_flags()},
      {"Optimizer", optimizer_flags()},
      {"Schedule", schedule_flags()},
      {"Regularisation", regularisation_flags()},
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

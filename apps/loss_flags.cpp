#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "recipe_flags.h"

namespace vitrine {
namespace {

Flag drop_flag(const char* name, const char* help, const char* option) {
  return {
      real_option(name, help, "", Range::from_below(0, 1)),
      [option](TrainOptions& o, const Arguments& a, const std::string& n) {
        o.model_options().set(option, a.real(n));
      }};
}

Flag class_weights_flag() {
  OptionSpec spec;
  spec.name = "class-weights";
  spec.value = "balanced|F,F,...";
  spec.help = "weights of the classes in the loss; balanced: by their images";
  spec.expected = [](const std::string& text) -> std::string {
    const auto parts = split(text, ',');
    const bool right = std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
      double weight = 0;
      return parse_real(part, weight) && weight >= 0;
    });
    return right || text == "balanced" ? ""
                                       : "balanced, or numbers of at least 0 with commas between";
  };
  return {spec, [](TrainOptions& o, const Arguments& a, const std::string& n) {
            o.balance_classes(a.text(n) == "balanced");
            o.loss().class_weights(o.balance_classes() ? std::vector<double>() : a.reals(n));
          }};
}

}  // namespace

std::vector<Flag> loss_flags() {
  return {
      real(
          "smoothing", "label smoothing", Range::from_below(0, 1), [](auto& o) -> auto& {
            return o.loss().smoothing();
          }),
      flag(
          "bce-loss", "binary cross entropy of each class", [](auto& o) -> auto& {
            return o.loss().bce_loss();
          }),
      flag(
          "bce-sum", "sum it over classes instead of taking their mean", [](auto& o) -> auto& {
            return o.loss().bce_sum();
          }),
      {real_option(
           "bce-target-thresh",
           "targets above this become 1 and the others 0",
           "",
           Range::from_below(0, 1)),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.loss().bce_target_thresh(a.real(n));
       }},
      class_weights_flag(),
      drop_flag("drop", "dropout before the head; default: the model's", "drop_rate"),
      drop_flag(
          "drop-path",
          "stochastic depth of the last block; default: the model's",
          "drop_path_rate")};
}

std::vector<Flag> distillation_flags() {
  return {
      {text_option("teacher", "FILE", "model to learn from, of the same classes"),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         // As it is from everywhere, so that a run can go on from another folder.
         o.teacher(std::filesystem::absolute(a.text(n)).lexically_normal().string());
       }},
      choice(
          "distillation-type",
          {"none", "soft", "hard"},
          "what is learned: its probabilities, or the class it takes an image for",
          [](auto& o) -> auto& { return o.distillation().distillation_type(); },
          parse_distillation_type),
      real(
          "distillation-alpha",
          "share of the teacher's part in the loss",
          Range::closed(0, 1),
          [](auto& o) -> auto& { return o.distillation().distillation_alpha(); }),
      real(
          "distillation-tau", "temperature of the probabilities of soft", Range::above(0), [
          ](auto& o) -> auto& { return o.distillation().distillation_tau(); })};
}

std::vector<Flag> mixup_flags() {
  const auto share = Range::closed(0, 1);
  return {
      real(
          "mixup",
          "parameter of mixup's beta distribution; 0: no mixup",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.mixup().mixup(); }),
      real(
          "cutmix",
          "parameter of CutMix's beta distribution; 0: no CutMix",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.mixup().cutmix(); }),
      {reals_option(
           "cutmix-minmax",
           "LOW,HIGH",
           "sides of CutMix's boxes as shares of the image's",
           "",
           2,
           share),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         const auto values = a.reals(n);
         o.mixup().cutmix_minmax(Bounds(values[0], values[1]));
       }},
      real(
          "mixup-prob", "probability of mixing", share, [](auto& o) -> auto& {
            return o.mixup().mixup_prob();
          }),
      real(
          "mixup-switch-prob",
          "probability of CutMix where both are on",
          share,
          [](auto& o) -> auto& { return o.mixup().mixup_switch_prob(); }),
      choice(
          "mixup-mode",
          {"batch", "pair", "elem"},
          "what is drawn anew for each",
          [](auto& o) -> auto& { return o.mixup().mixup_mode(); },
          parse_mixup_mode),
      whole(
          "mixup-off-epoch",
          "epochs after which nothing is mixed any more; 0: none",
          0,
          kMostEpochs,
          [](auto& o) -> auto& { return o.mixup().mixup_off_epoch(); })};
}

std::vector<Flag> model_ema_flags() {
  return {
      flag(
          "model-ema",
          "average the weights; the average is validated and kept",
          [](auto& o) -> auto& { return o.model_ema().model_ema(); }),
      real(
          "model-ema-decay",
          "share of the average that an update leaves",
          Range::from_below(0, 1),
          [](auto& o) -> auto& { return o.model_ema().model_ema_decay(); }),
      flag(
          "model-ema-warmup", "let that share rise at first", [](auto& o) -> auto& {
            return o.model_ema().model_ema_warmup();
          })};
}

}  // namespace vitrine

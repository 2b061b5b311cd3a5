#include "recipe_flags.h"

#include <algorithm>
#include <limits>

namespace vitrine {
namespace {

constexpr int64_t kMostSeed = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostBatch = 1'000'000'000;
constexpr const char* kAllButHead = "!head*";

Flag lr_base_flag() {
  return {
      real_option(
          "lr-base",
          "learning rate for --lr-base-size images, instead of --lr",
          "",
          Range::at_least(0)),
      [](TrainOptions& o, const Arguments& a, const std::string& n) {
        if (a.given("lr")) {
          throw UsageError("train: --lr and --lr-base exclude each other");
        }
        o.lr_base(a.real(n));
      }};
}

Flag lr_flag() {
  return {
      real_option(
          "lr", "learning rate after warm-up", number(TrainOptions().lr()), Range::at_least(0)),
      [](TrainOptions& o, const Arguments& a, const std::string& n) {
        o.lr(a.real(n)).lr_base(std::nullopt);
      }};
}

Flag milestones_flag() {
  OptionSpec spec;
  spec.name = "decay-milestones";
  spec.value = "N,N,...";
  spec.help = "epochs at which multistep decays";
  spec.fallback = "90,180,270";
  spec.expected = [](const std::string& text) -> std::string {
    const auto parts = split(text, ',');
    const bool right = std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
      int64_t epoch = 0;
      return parse_whole(part, epoch) && epoch >= 0 && epoch <= kMostEpochs;
    });
    return right ? "" : "epochs with commas between";
  };
  return {spec, [](TrainOptions& o, const Arguments& a, const std::string& n) {
            o.decay_milestones().clear();
            for (const double epoch : a.reals(n)) {
              o.decay_milestones().push_back(static_cast<int64_t>(epoch));
            }
          }};
}

}  // namespace

std::vector<Flag> optimizer_flags() {
  return {
      choice(
          "opt",
          {"adamw", "adam", "sgd", "lamb"},
          "optimizer",
          [](auto& o) -> auto& { return o.optimizer().opt(); },
          parse_optimizer),
      lr_flag(),
      lr_base_flag(),
      whole(
          "lr-base-size",
          "images of an update that --lr-base is for",
          1,
          kMostBatch,
          [](auto& o) -> auto& { return o.lr_base_size(); }),
      choice(
          "lr-base-scale",
          {"auto", "linear", "sqrt"},
          "growth of --lr-base with an update's images; auto: linear for sgd, sqrt for the others",
          [](auto& o) -> auto& { return o.lr_base_scale(); },
          parse_lr_base_scale),
      real(
          "layer-decay",
          "factor of the learning rate from one layer to the one below it",
          Range::above_up_to(0, 1),
          [](auto& o) -> auto& { return o.layer_decay(); }),
      {text_option(
           "freeze",
           "PATTERN",
           "parameters that are not trained, by key; !PATTERN: all others; may be repeated"),
       [](TrainOptions& o, const Arguments& a, const std::string& n) { o.freeze(a.all(n)); }},
      {flag_option("linear-probe", "train the head alone: --freeze '!head*'"),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         if (a.flag(n) && std::count(o.freeze().begin(), o.freeze().end(), kAllButHead) == 0) {
           o.freeze().emplace_back(kAllButHead);
         }
       }},
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
      {reals_option(
           "opt-betas",
           "B1,B2",
           "decays of the moments of all but sgd",
           "0.9,0.999",
           2,
           Range::from_below(0, 1)),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.optimizer().beta1(a.reals(n)[0]).beta2(a.reals(n)[1]);
       }},
      {real_option(
           "opt-eps",
           "added to their denominator; default: 1e-8, of lamb 1e-6",
           "",
           Range::at_least(0)),
       [](TrainOptions& o, const Arguments& a, const std::string& n) {
         o.optimizer().eps(a.real(n));
       }},
      real(
          "max-grad-norm",
          "norm that lamb itself scales gradients down to; 0: none",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.optimizer().max_grad_norm(); }),
      real(
          "clip-grad",
          "bound of the gradients, by --clip-mode; 0: none",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.clip_grad(); }),
      choice(
          "clip-mode",
          {"norm", "value", "agc"},
          "what is bounded: the norm of all gradients, each number, or each unit's norm by that of "
          "its weights",
          [](auto& o) -> auto& { return o.clip_mode(); },
          parse_clip_mode),
      flag(
          "channels-last",
          "keep the channels of a pixel side by side in memory, for convolutions",
          [](auto& o) -> auto& { return o.channels_last(); }),
      whole(
          "grad-accum-steps", "batches of an update", 1, kMostEpochs, [](auto& o) -> auto& {
            return o.grad_accum_steps();
          })};
}

std::vector<Flag> schedule_flags() {
  return {
      choice(
          "sched",
          {"cosine", "linear", "poly", "tanh", "step", "multistep", "plateau", "constant"},
          "learning rate by update",
          [](auto& o) -> auto& { return o.sched(); },
          parse_schedule),
      whole(
          "epochs",
          "epochs of the schedule, warm-up included",
          1,
          kMostEpochs,
          [](auto& o) -> auto& { return o.epochs(); }),
      whole(
          "warmup-epochs", "epochs of linear warm-up", 0, kMostEpochs, [](auto& o) -> auto& {
            return o.warmup_epochs();
          }),
      flag(
          "warmup-prefix",
          "warm up before the schedule: as many epochs more",
          [](auto& o) -> auto& { return o.warmup_prefix(); }),
      real(
          "warmup-lr",
          "learning rate of the first update where there is a warm-up",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.warmup_lr(); }),
      real(
          "min-lr",
          "learning rate at the end of cosine, linear, poly and tanh; least of plateau",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.min_lr(); }),
      whole(
          "cooldown-epochs",
          "epochs at --min-lr after the schedule",
          0,
          kMostEpochs,
          [](auto& o) -> auto& { return o.cooldown_epochs(); }),
      real(
          "decay-epochs", "epochs of a step; may be broken", Range::above(0), [](auto& o) -> auto& {
            return o.decay_epochs();
          }),
      milestones_flag(),
      real(
          "decay-rate",
          "factor of step, multistep and plateau; power of poly",
          Range::at_least(0),
          [](auto& o) -> auto& { return o.decay_rate(); }),
      whole(
          "patience-epochs",
          "epochs without improvement that plateau waits for",
          0,
          kMostEpochs,
          [](auto& o) -> auto& { return o.patience_epochs(); }),
      choice(
          "eval-metric",
          {"top1", "loss"},
          "what decides which model is best, and plateau",
          [](auto& o) -> auto& { return o.eval_metric(); },
          parse_eval_metric),
      whole(
          "seed", "from which all randomness follows", 0, kMostSeed, [](auto& o) -> auto& {
            return o.seed();
          })};
}

}  // namespace vitrine

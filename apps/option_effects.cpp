#include "option_effects.h"

#include <string>
#include <vector>

namespace vitrine {
namespace {

/// Options that act only where something else is so.
struct Effect {
  std::vector<std::string> options;
  std::string needs;  // behind "is for"
  bool (*acts)(const TrainOptions&);
  std::string (*instead)(const TrainOptions&);
  bool zero_is_none = false;  // a value of 0 asks for nothing, and is right wherever it stands
};

std::string optimizer_of(const TrainOptions& o) {
  return "the optimizer is " + to_string(o.optimizer().opt());
}

std::string schedule_of(const TrainOptions& o) {
  return "the schedule is " + to_string(o.sched());
}

template <ScheduleKind... kinds>
bool has_schedule(const TrainOptions& o) {
  return ((o.sched() == kinds) || ...);
}

bool has_cutmix(const TrainOptions& o) {
  return o.mixup().cutmix() > 0 || o.mixup().cutmix_minmax();
}

std::vector<Effect> optimizer_effects() {
  using O = const TrainOptions&;
  return {
      {{"momentum"},
       "--opt sgd",
       [](O o) { return o.optimizer().opt() == OptimizerKind::Sgd; },
       optimizer_of},
      {{"opt-betas", "opt-eps"},
       "--opt adamw, adam or lamb",
       [](O o) { return o.optimizer().opt() != OptimizerKind::Sgd; },
       optimizer_of},
      {{"max-grad-norm"},
       "--opt lamb",
       [](O o) { return o.optimizer().opt() == OptimizerKind::Lamb; },
       optimizer_of},
      {{"lr-base-size", "lr-base-scale"},
       "--lr-base",
       [](O o) { return o.lr_base().has_value(); },
       [](O) -> std::string { return "the learning rate is that of --lr"; }},
      {{"clip-mode"},
       "--clip-grad",
       [](O o) { return o.clip_grad() > 0; },
       [](O) -> std::string { return "gradients are not clipped"; }}};
}

std::vector<Effect> schedule_effects() {
  using O = const TrainOptions&;
  using K = ScheduleKind;
  return {
      {{"warmup-lr", "warmup-prefix"},
       "a warm-up",
       [](O o) { return o.warmup_epochs() > 0; },
       [](O) -> std::string { return "--warmup-epochs is 0"; }},
      {{"min-lr"},
       "--sched cosine, linear, poly, tanh or plateau",
       has_schedule<K::Cosine, K::Linear, K::Poly, K::Tanh, K::Plateau>,
       schedule_of},
      {{"decay-epochs"}, "--sched step", has_schedule<K::Step>, schedule_of},
      {{"decay-milestones"}, "--sched multistep", has_schedule<K::Multistep>, schedule_of},
      {{"decay-rate"},
       "--sched step, multistep, plateau or poly",
       has_schedule<K::Step, K::Multistep, K::Plateau, K::Poly>,
       schedule_of},
      {{"patience-epochs"}, "--sched plateau", has_schedule<K::Plateau>, schedule_of}};
}

std::vector<Effect> loss_effects() {
  using O = const TrainOptions&;
  const auto no_teacher = [](O o) -> std::string {
    return o.teacher().empty()
               ? "there is no --teacher"
               : "the distillation is " + to_string(o.distillation().distillation_type());
  };
  return {
      {{"distillation-alpha"},
       "learning from a --teacher",
       [](O o) { return !o.teacher().empty(); },
       no_teacher},
      {{"distillation-tau"},
       "learning from a --teacher by --distillation-type soft",
       [](O o) { return o.distillation().distillation_type() == DistillationType::Soft; },
       no_teacher},
      {{"mixup-prob", "mixup-mode", "mixup-off-epoch"},
       "--mixup, --cutmix or --cutmix-minmax",
       [](O o) { return o.mixup().mixup() > 0 || has_cutmix(o); },
       [](O) -> std::string { return "no images are mixed"; },
       /*zero_is_none=*/true},
      {{"mixup-switch-prob"},
       "--mixup and CutMix together",
       [](O o) { return o.mixup().mixup() > 0 && has_cutmix(o); },
       [](O o) -> std::string {
         return std::string("there is ") +
                (has_cutmix(o) ? "no --mixup" : "no --cutmix nor --cutmix-minmax");
       }},
      {{"model-ema-decay", "model-ema-warmup"},
       "--model-ema",
       [](O o) { return o.model_ema().model_ema(); },
       [](O) -> std::string { return "weights are not averaged"; }}};
}

std::vector<Effect> image_effects() {
  using O = const TrainOptions&;
  return {
      {{"scale",
        "ratio",
        "train-interpolation",
        "hflip",
        "vflip",
        "degrees",
        "translate",
        "affine-scale",
        "aa",
        "color-jitter",
        "color-jitter-prob",
        "grayscale-prob",
        "gaussian-blur-prob",
        "reprob",
        "remode",
        "recount"},
       "images that are varied",
       [](O o) { return !o.augment().no_aug(); },
       [](O) -> std::string { return "--no-aug leaves them as they are"; },
       /*zero_is_none=*/true},
      {{"color-jitter", "color-jitter-prob"},
       "images without a policy, or with one of 3-Augment",
       [](O o) {
         const auto& policy = o.augment().aa();
         return policy.empty() || policy.find("3a") != std::string::npos;
       },
       [](O o) { return "--aa is " + o.augment().aa(); },
       /*zero_is_none=*/true},
      {{"color-jitter-prob"},
       "--color-jitter",
       [](O o) { return !o.augment().color_jitter().empty(); },
       [](O) -> std::string { return "there is none"; },
       /*zero_is_none=*/true},
      {{"remode", "recount"},
       "--reprob",
       [](O o) { return o.augment().erasing().probability() > 0; },
       [](O) -> std::string { return "nothing is erased"; }},
      {{"max-bad-images"},
       "--bad-images skip",
       [](O o) { return o.skip_bad_images(); },
       [](O) -> std::string { return "the first bad image ends the run"; }},
      {{"reset-head"},
       "--weights",
       [](O o) { return !o.weights().empty(); },
       [](O) -> std::string { return "all of the model is new"; }}};
}

}  // namespace

void check_effects(const Arguments& arguments, const TrainOptions& options) {
  for (const auto& effects :
       {optimizer_effects(), schedule_effects(), loss_effects(), image_effects()}) {
    for (const auto& effect : effects) {
      for (const auto& name : effect.options) {
        double value = 1;
        const bool asks =
            arguments.given(name) &&
            !(effect.zero_is_none && parse_real(arguments.text(name), value) && value == 0);
        if (asks && !effect.acts(options)) {
          throw UsageError(
              "--" + name + ": is for " + effect.needs + "; " + effect.instead(options));
        }
      }
    }
  }
}

}  // namespace vitrine

#include "vitrine/train/train_options.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "train/option_json.h"
#include "train/option_values.h"
#include "weights/json_fields.h"

namespace vitrine {
namespace {

using OrderedJson = nlohmann::ordered_json;

using detail::from_value;
using detail::to_value;

/// One option of a run: its name, and how it is written and read.
struct Field {
  std::string name;
  std::function<OrderedJson(const TrainOptions&)> write;
  std::function<void(TrainOptions&, const OrderedJson&)> read;
};

/// `access` gives a reference to the option in a TrainOptions, constant or not.
template <typename Access>
Field field(const char* name, Access access) {
  return {
      name,
      [access](const TrainOptions& options) { return to_value(access(options)); },
      [access](TrainOptions& options, const OrderedJson& json) {
        from_value(json, access(options));
      }};
}

/// The same for an enumeration, which is written as its name.
template <typename Access, typename Parse>
Field named(const char* name, Access access, Parse parse) {
  return {
      name,
      [access](const TrainOptions& options) { return OrderedJson(to_string(access(options))); },
      [access, parse](TrainOptions& options, const OrderedJson& json) {
        access(options) = parse(json.get<std::string>());
      }};
}

std::vector<Field> data_fields() {
  return {
      field(
          "data", [](auto& o) -> auto& { return o.data(); }),
      field(
          "val_fraction", [](auto& o) -> auto& { return o.val_fraction(); }),
      field(
          "skip_bad_images", [](auto& o) -> auto& { return o.skip_bad_images(); }),
      field(
          "model", [](auto& o) -> auto& { return o.model(); }),
      field(
          "model_options", [](auto& o) -> auto& { return o.model_options(); }),
      field(
          "weights", [](auto& o) -> auto& { return o.weights(); }),
      field(
          "reset_head", [](auto& o) -> auto& { return o.reset_head(); }),
      field(
          "freeze", [](auto& o) -> auto& { return o.freeze(); }),
      field(
          "preprocess", [](auto& o) -> auto& { return o.preprocess(); }),
      field(
          "scale", [](auto& o) -> auto& { return o.augment().scale(); }),
      field(
          "ratio", [](auto& o) -> auto& { return o.augment().ratio(); }),
      field(
          "hflip", [](auto& o) -> auto& { return o.augment().hflip(); }),
      field(
          "vflip", [](auto& o) -> auto& { return o.augment().vflip(); }),
      field(
          "degrees", [](auto& o) -> auto& { return o.augment().degrees(); }),
      field(
          "translate", [](auto& o) -> auto& { return o.augment().translate(); }),
      field(
          "affine_scale", [](auto& o) -> auto& { return o.augment().affine_scale(); }),
      field(
          "no_aug", [](auto& o) -> auto& { return o.augment().no_aug(); }),
      field(
          "train_interpolation",
          [](auto& o) -> auto& { return o.augment().train_interpolation(); })};
}

std::vector<Field> colour_and_erasing_fields() {
  return {
      field(
          "aa", [](auto& o) -> auto& { return o.augment().aa(); }),
      field(
          "color_jitter", [](auto& o) -> auto& { return o.augment().color_jitter(); }),
      field(
          "color_jitter_prob", [](auto& o) -> auto& { return o.augment().color_jitter_prob(); }),
      field(
          "grayscale_prob", [](auto& o) -> auto& { return o.augment().grayscale_prob(); }),
      field(
          "gaussian_blur_prob", [](auto& o) -> auto& { return o.augment().gaussian_blur_prob(); }),
      field(
          "reprob", [](auto& o) -> auto& { return o.augment().erasing().probability(); }),
      named(
          "remode",
          [](auto& o) -> auto& { return o.augment().erasing().mode(); },
          parse_erase_mode),
      field(
          "recount", [](auto& o) -> auto& { return o.augment().erasing().count(); }),
      field(
          "re_area", [](auto& o) -> auto& { return o.augment().erasing().area(); }),
      field(
          "re_aspect", [](auto& o) -> auto& { return o.augment().erasing().aspect(); }),
      field(
          "aug_repeats", [](auto& o) -> auto& { return o.aug_repeats(); }),
      field(
          "multi_scale", [](auto& o) -> auto& { return o.multi_scale(); })};
}

std::vector<Field> optimizer_fields() {
  return {
      named(
          "opt", [](auto& o) -> auto& { return o.optimizer().opt(); }, parse_optimizer),
      field(
          "weight_decay", [](auto& o) -> auto& { return o.optimizer().weight_decay(); }),
      field(
          "momentum", [](auto& o) -> auto& { return o.optimizer().momentum(); }),
      field(
          "nesterov", [](auto& o) -> auto& { return o.optimizer().nesterov(); }),
      field(
          "beta1", [](auto& o) -> auto& { return o.optimizer().beta1(); }),
      field(
          "beta2", [](auto& o) -> auto& { return o.optimizer().beta2(); }),
      field(
          "eps", [](auto& o) -> auto& { return o.optimizer().eps(); }),
      field(
          "max_grad_norm", [](auto& o) -> auto& { return o.optimizer().max_grad_norm(); }),
      field(
          "layer_decay", [](auto& o) -> auto& { return o.layer_decay(); }),
      field(
          "clip_grad", [](auto& o) -> auto& { return o.clip_grad(); }),
      named(
          "clip_mode", [](auto& o) -> auto& { return o.clip_mode(); }, parse_clip_mode),
      field(
          "batch_size", [](auto& o) -> auto& { return o.batch_size(); }),
      named(
          "precision", [](auto& o) -> auto& { return o.precision(); }, parse_precision),
      field(
          "channels_last", [](auto& o) -> auto& { return o.channels_last(); }),
      field(
          "grad_accum_steps", [](auto& o) -> auto& { return o.grad_accum_steps(); }),
      field(
          "model_ema", [](auto& o) -> auto& { return o.model_ema().model_ema(); }),
      field(
          "model_ema_decay", [](auto& o) -> auto& { return o.model_ema().model_ema_decay(); }),
      field(
          "model_ema_warmup", [](auto& o) -> auto& { return o.model_ema().model_ema_warmup(); })};
}

std::vector<Field> schedule_fields() {
  return {
      named(
          "sched", [](auto& o) -> auto& { return o.sched(); }, parse_schedule),
      field(
          "lr", [](auto& o) -> auto& { return o.lr(); }),
      field(
          "lr_base", [](auto& o) -> auto& { return o.lr_base(); }),
      field(
          "lr_base_size", [](auto& o) -> auto& { return o.lr_base_size(); }),
      named(
          "lr_base_scale", [](auto& o) -> auto& { return o.lr_base_scale(); }, parse_lr_base_scale),
      field(
          "min_lr", [](auto& o) -> auto& { return o.min_lr(); }),
      field(
          "warmup_lr", [](auto& o) -> auto& { return o.warmup_lr(); }),
      field(
          "epochs", [](auto& o) -> auto& { return o.epochs(); }),
      field(
          "warmup_epochs", [](auto& o) -> auto& { return o.warmup_epochs(); }),
      field(
          "warmup_prefix", [](auto& o) -> auto& { return o.warmup_prefix(); }),
      field(
          "cooldown_epochs", [](auto& o) -> auto& { return o.cooldown_epochs(); }),
      field(
          "decay_epochs", [](auto& o) -> auto& { return o.decay_epochs(); }),
      field(
          "decay_milestones", [](auto& o) -> auto& { return o.decay_milestones(); }),
      field(
          "decay_rate", [](auto& o) -> auto& { return o.decay_rate(); }),
      field(
          "patience_epochs", [](auto& o) -> auto& { return o.patience_epochs(); }),
      named(
          "eval_metric", [](auto& o) -> auto& { return o.eval_metric(); }, parse_eval_metric),
      field(
          "seed", [](auto& o) -> auto& { return o.seed(); })};
}

std::vector<Field> loss_fields() {
  return {
      field(
          "smoothing", [](auto& o) -> auto& { return o.loss().smoothing(); }),
      field(
          "bce_loss", [](auto& o) -> auto& { return o.loss().bce_loss(); }),
      field(
          "bce_sum", [](auto& o) -> auto& { return o.loss().bce_sum(); }),
      field(
          "bce_target_thresh", [](auto& o) -> auto& { return o.loss().bce_target_thresh(); }),
      field(
          "class_weights", [](auto& o) -> auto& { return o.loss().class_weights(); }),
      field(
          "balance_classes", [](auto& o) -> auto& { return o.balance_classes(); }),
      field(
          "teacher", [](auto& o) -> auto& { return o.teacher(); }),
      named(
          "distillation_type",
          [](auto& o) -> auto& { return o.distillation().distillation_type(); },
          parse_distillation_type),
      field(
          "distillation_alpha",
          [](auto& o) -> auto& { return o.distillation().distillation_alpha(); }),
      field(
          "distillation_tau", [](auto& o) -> auto& { return o.distillation().distillation_tau(); }),
      field(
          "mixup", [](auto& o) -> auto& { return o.mixup().mixup(); }),
      field(
          "cutmix", [](auto& o) -> auto& { return o.mixup().cutmix(); }),
      field(
          "cutmix_minmax", [](auto& o) -> auto& { return o.mixup().cutmix_minmax(); }),
      field(
          "mixup_prob", [](auto& o) -> auto& { return o.mixup().mixup_prob(); }),
      field(
          "mixup_switch_prob", [](auto& o) -> auto& { return o.mixup().mixup_switch_prob(); }),
      named(
          "mixup_mode", [](auto& o) -> auto& { return o.mixup().mixup_mode(); }, parse_mixup_mode),
      field(
          "mixup_off_epoch", [](auto& o) -> auto& { return o.mixup().mixup_off_epoch(); })};
}

std::vector<Field> all_fields() {
  auto fields = data_fields();
  for (const auto& more :
       {colour_and_erasing_fields(), optimizer_fields(), schedule_fields(), loss_fields()}) {
    fields.insert(fields.end(), more.begin(), more.end());
  }
  return fields;
}

/// How a run goes about it, which changes nothing about its outcome.
std::vector<Field> running_fields() {
  return {
      field(
          "workers", [](auto& o) -> auto& { return o.workers(); }),
      field(
          "save_every", [](auto& o) -> auto& { return o.save_every(); }),
      field(
          "keep", [](auto& o) -> auto& { return o.keep(); }),
      field(
          "grad_checkpointing", [](auto& o) -> auto& { return o.grad_checkpointing(); }),
      field(
          "max_bad_images", [](auto& o) -> auto& { return o.max_bad_images(); })};
}

std::string write_fields(const std::vector<Field>& fields, const TrainOptions& options) {
  OrderedJson json = OrderedJson::object();
  for (const auto& field : fields) {
    json[field.name] = field.write(options);
  }
  return json.dump(2, ' ', /*ensure_ascii=*/false, OrderedJson::error_handler_t::replace);
}

void read_fields(const std::vector<Field>& fields, const OrderedJson& json, TrainOptions& options) {
  if (!json.is_object()) {
    throw Error("options of a run: expected a JSON object, as in a run's config.json");
  }
  for (const auto& [name, value] : json.items()) {
    const auto found = std::find_if(
        fields.begin(), fields.end(), [&, &key = name](const Field& f) { return f.name == key; });
    if (found == fields.end()) {
      std::vector<std::string> names;
      for (const auto& field : fields) {
        names.push_back(field.name);
      }
      throw UnknownNameError("option of a run", name, names);
    }
    try {
      found->read(options, value);
    } catch (const OrderedJson::exception&) {
      throw Error("option " + name + " of a run: " + printable(value.dump()) + " has a wrong type");
    } catch (const std::invalid_argument& error) {
      throw Error(
          "option " + name + " of a run: got " + printable(value.dump()) + ", expected " +
          error.what());
    }
  }
}

}  // namespace

std::string train_options_to_json(const TrainOptions& options) {
  return write_fields(all_fields(), options);
}

std::string running_options_to_json(const TrainOptions& options) {
  return write_fields(running_fields(), options);
}

TrainOptions train_options_from_json(const std::string& text, const TrainOptions& base) {
  detail::check_json_size(text, "options of a run");
  const auto json = OrderedJson::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    throw Error("options of a run: expected a JSON object, as in a run's config.json");
  }
  auto options = base;
  const auto outcome = json.find("options");
  read_fields(all_fields(), outcome == json.end() ? json : *outcome, options);
  const auto running = json.find("running");
  if (outcome != json.end() && running != json.end()) {
    read_fields(running_fields(), *running, options);
  }
  return options;
}

}  // namespace vitrine

#include "run_keeper.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/text.h"
#include "vitrine/weights/model_file.h"

#include "evaluation_json.h"
#include "run_config.h"
#include "weights/load_source.h"

namespace vitrine::detail {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// Seconds since 1970.
double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The line of metrics.jsonl of an epoch.
std::string metrics_line(const EpochRecord& record) {
  OrderedJson line = {
      {"epoch", record.epoch},
      {"step", record.step},
      {"lr", record.lr},
      {"train_loss", record.train_loss},
      {"val_loss", record.val_loss},
      {"val_top1", record.val_top1},
      {"val_top5", record.val_top5},
      {"images_per_second", record.images_per_second},
      {"data_wait", record.data_wait},
      {"seconds", record.seconds},
      {"time", unix_time()}};
  if (record.raw) {
    line["raw_val_loss"] = record.raw->loss;
    line["raw_val_top1"] = record.raw->top1;
    line["raw_val_top5"] = record.raw->top5;
  }
  if (record.skipped_updates) {
    line["skipped_updates"] = *record.skipped_updates;
  }
  return line.dump();
}

}  // namespace

void check_weights(Trainer& trainer) {
  for (const auto& item : state_dict(trainer.result())) {
    if (!all_finite(item.value())) {
      throw Error(
          "training stopped after update " + std::to_string(trainer.updates()) + ": '" +
          item.key() +
          "' is no longer finite; what was kept before is left as it is; a lower "
          "learning rate, a longer warm-up or gradient clipping may help");
    }
  }
}

RunKeeper::RunKeeper(
    const TrainOptions& options,
    const TrainEvents& events,
    const ImageSplits& splits,
    ModelCard card)
    : options_(options),
      events_(events),
      splits_(splits),
      card_(std::move(card)),
      folder_(options.output()) {}

bool RunKeeper::find_earlier_run() {
  const auto config = folder_.read_config();
  if (!config) {
    return true;
  }
  const auto warning = [this](const std::string& text) { warn(text); };
  checkpoint_ = read_newest_checkpoint(folder_.checkpoints_path(), warning);
  if (!checkpoint_) {
    refuse_to_lose_epochs();
    return true;
  }
  compare_run_configs(folder_.path(), *config, make_run_config(options_, splits_), warning);
  state_ = saved_ = checkpoint_->state;
  return state_.epoch < total_epochs(options_);
}

/// A run may be killed before the checkpoint of its first epoch, but not of its second.
void RunKeeper::refuse_to_lose_epochs() const {
  const auto epochs = folder_.metrics().size();
  if (epochs > 1) {
    throw FileError(
        printable(folder_.path()) + ": holds a run of " + std::to_string(epochs) +
        " epochs, but no checkpoint from which it could go on; choose another output folder, or "
        "start anew (--fresh)");
  }
}

/// What is read to begin with must outlive a run that is killed before its first checkpoint.
void RunKeeper::refuse_to_remove_sources() const {
  namespace fs = std::filesystem;
  for (const auto& path : {options_.weights(), options_.teacher()}) {
    std::error_code ignored;
    const auto file = fs::canonical(path, ignored);
    const auto name = file.filename().string();
    if (!file.empty() && (name == "best.safetensors" || is_checkpoint_name(name)) &&
        (fs::equivalent(file.parent_path(), folder_.path(), ignored) ||
         fs::equivalent(file.parent_path(), folder_.checkpoints_path(), ignored))) {
      throw FileError(
          printable(path) +
          ": is of the run that is to be started anew; move it away, or choose another output "
          "folder");
    }
  }
}

void RunKeeper::begin(Trainer& trainer) {
  const auto earlier = folder_.read_config();  // which refuses a folder that holds something else
  const auto config = checkpoint_ && earlier ? with_running_options(*earlier, options_)
                                             : make_run_config(options_, splits_);
  if (options_.fresh()) {
    refuse_to_remove_sources();
    folder_.clear();
  }
  if (!checkpoint_ || earlier != config) {
    folder_.write_config(config);
  }
  restore(trainer);
  const auto lines = folder_.truncate_metrics(state_.epoch);
  if (lines != state_.epoch) {
    warn(
        printable(folder_.metrics_path()) + ": holds " + std::to_string(lines) + " of " +
        std::to_string(state_.epoch) + " epochs; it was damaged");
  }
}

void RunKeeper::restore(Trainer& trainer) {
  if (checkpoint_) {
    try {
      restore_module(*trainer.model(), checkpoint_->model);
      trainer.optimizer().load_state(checkpoint_->optimizer);
      if (trainer.average()) {
        restore_module(*trainer.average(), checkpoint_->ema);
      }
    } catch (const CheckpointError& error) {
      const auto path = vitrine::checkpoint_path(options_.output() + "/checkpoints", state_);
      throw CheckpointError(printable(path) + ": " + error.what());
    }
    if (trainer.scaler() != nullptr && state_.scaler) {
      trainer.scaler()->load_state(*state_.scaler);
    }
    checkpoint_.reset();
  }
  if (options_.sched() == ScheduleKind::Plateau) {
    if (!state_.plateau) {
      state_.plateau = PlateauState{peak_lr(options_), std::nullopt, 0};
    }
    trainer.set_lr(state_.plateau->lr);
  }
}

void RunKeeper::advance(const Trainer& trainer, const EpochProgress& progress) {
  state_.step = trainer.updates();
  state_.progress = progress;
}

void RunKeeper::save(Trainer& trainer) {
  to_disk([&] { write_state(trainer); });
}

/// The checkpoint comes last: only it makes the epoch complete, and what was written before it is
/// written again, the same, when the run is killed in between.
void RunKeeper::keep(Trainer& trainer, const EpochRecord& record, const Evaluation& validated) {
  to_disk([&] {
    const bool best = is_best(record);
    complete(trainer, record, best);
    folder_.append_metrics(metrics_line(record));
    if (best) {
      write_best(trainer, record, validated);
    }
    write_state(trainer);
    if (events_.epoch) {
      events_.epoch(record, best);
    }
  });
}

bool RunKeeper::is_best(const EpochRecord& record) const {
  if (state_.best_epoch == 0) {
    return true;
  }
  return options_.eval_metric() == EvalMetric::Loss ? record.val_loss < state_.best_loss
                                                    : record.val_top1 > state_.best_top1;
}

/// Moves to the end of the epoch, and the learning rate to where a plateau has it then.
void RunKeeper::complete(Trainer& trainer, const EpochRecord& record, bool best) {
  state_.epoch = record.epoch;
  state_.step = record.step;
  state_.progress = {};
  if (best) {
    state_.best_epoch = record.epoch;
    state_.best_top1 = record.val_top1;
    state_.best_loss = record.val_loss;
  }
  if (state_.plateau && record.epoch > options_.warmup_epochs()) {
    const bool by_loss = options_.eval_metric() == EvalMetric::Loss;
    observe(*state_.plateau, make_plateau(options_), by_loss ? record.val_loss : record.val_top1);
    trainer.set_lr(state_.plateau->lr);
  }
}

void RunKeeper::write_best(
    Trainer& trainer, const EpochRecord& record, const Evaluation& validated) {
  card_.provenance["epoch"] = std::to_string(record.epoch);
  card_.provenance["val_top1"] = OrderedJson(record.val_top1).dump();
  // By which others can set the same images apart.
  card_.provenance["seed"] = std::to_string(options_.seed());
  if (options_.val_fraction() > 0) {
    card_.provenance["val_fraction"] = OrderedJson(options_.val_fraction()).dump();
  }
  save_model(folder_.best_path(), trainer.result(), card_);
  const auto evaluation = evaluation_to_json(validated, record.epoch);
  write_file_atomically(
      folder_.best_evaluation_path(), [&](File& file) { file.write(evaluation); });
}

void RunKeeper::write_state(Trainer& trainer) {
  if (trainer.scaler() != nullptr) {
    state_.scaler = trainer.scaler()->state();
  }
  write_checkpoint(
      vitrine::checkpoint_path(folder_.checkpoints_path(), state_),
      {state_dict(*trainer.model()),
       trainer.optimizer().state(),
       state_,
       trainer.average() ? state_dict(*trainer.average()) : StateDict()});
  saved_ = state_;
  remove_other_checkpoints(folder_.checkpoints_path(), state_, options_.keep());
}

/// Does `write`; where it cannot, the error says what is kept nevertheless.
template <typename Write>
void RunKeeper::to_disk(const Write& write) const {
  try {
    write();
  } catch (const FileError& error) {
    const auto updates = saved_.progress.updates;
    throw FileError(
        std::string(error.what()) + "; the " + std::to_string(saved_.epoch) +
        " epochs completed before" +
        (updates == 0 ? "" : " and " + std::to_string(updates) + " updates of the next") +
        " are kept in " + printable(options_.output()));
  }
}

ModelCard RunKeeper::best_card() const {
  return read_card(folder_.best_path()).value_or(card_);
}

std::optional<Evaluation> RunKeeper::best_evaluation() const {
  if (!std::filesystem::exists(folder_.best_evaluation_path())) {
    return std::nullopt;
  }
  const auto bytes = read_file(folder_.best_evaluation_path());
  return evaluation_from_json(
      {bytes.begin(), bytes.end()},
      state_.best_epoch,
      static_cast<int64_t>(splits_.val.classes.size()),
      splits_.val.samples.size());
}

void RunKeeper::warn(const std::string& text) const {
  if (events_.warning) {
    events_.warning(text);
  }
}

}  // namespace vitrine::detail

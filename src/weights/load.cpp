#include "vitrine/weights/load.h"

#include <ATen/Parallel.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"

#include "load_source.h"
#include "weights_file.h"

namespace vitrine {
namespace {

using detail::Source;

/// Bytes of the largest tensor that `adapt_weight` is asked about: it has to be read to find out,
/// and no file may make that cost more than this.
constexpr std::uint64_t kMaxAdapted = std::uint64_t{256} << 20;

/// Names that a message lists.
constexpr std::size_t kListed = 5;

/// How another head is asked for, in the library and of the program, where training alone takes
/// one.
constexpr const char* kResetHead = "with reset_head ('vitrine train --reset-head')";

/// One tensor of the model and where its values come from.
struct Copy {
  std::string key;
  torch::Tensor target;
  std::size_t index = 0;  // in the source
  torch::Tensor adapted;  // the value where it had to be brought to the model's size
};

/// What is to be copied, and what stands against it.
struct Plan {
  std::vector<Copy> copies;
  FitReport report;
};

std::string shape_text(torch::IntArrayRef shape) {
  std::vector<std::string> sizes;
  for (const auto size : shape) {
    sizes.push_back(std::to_string(size));
  }
  return "[" + join(sizes, ", ") + "]";
}

std::vector<std::string> quoted(std::vector<std::string> names) {
  for (auto& name : names) {
    name = "'" + name + "'";
  }
  return names;
}

std::string list(const char* title, const std::vector<std::string>& names) {
  if (names.empty()) {
    return "";
  }
  const auto shown = std::min(names.size(), kListed);
  auto text = join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ");
  if (shown < names.size()) {
    text += " and " + std::to_string(names.size() - shown) + " more";
  }
  return std::string("; ") + title + " " + text;
}

/// Number of dimensions in which two shapes differ: resampling changes one.
std::size_t differing(torch::IntArrayRef a, torch::IntArrayRef b) {
  if (a.size() != b.size()) {
    return std::max(a.size(), b.size());
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    count += a[i] == b[i] ? 0 : 1;
  }
  return count;
}

/// Whether values of the type `from` may become values of the type `to`.
bool converts(torch::ScalarType from, torch::ScalarType to) {
  return from == to || (at::isFloatingType(from) && at::isFloatingType(to)) ||
         (at::isIntegralType(from, /*includeBool=*/false) &&
          at::isIntegralType(to, /*includeBool=*/false));
}

CheckpointError not_finite(const Source& source, const std::string& key) {
  return CheckpointError(source.subject() + ": NaN or infinity in tensor '" + printable(key) + "'");
}

/// Matches the source's tensors with the model's.
class Planner {
 public:
  Planner(const Classifier& model, const Source& source, const LoadOptions& options)
      : model_(model),
        source_(source),
        heads_(model.classifier_names()),
        reset_head_(options.reset_head()),
        origin_(options.origin() ? &*options.origin() : nullptr) {}

  Plan make() {
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < source_.size(); ++i) {
      places.emplace(source_.name(i), i);
    }
    const auto targets = state_dict(model_);
    for (const auto& target : targets) {
      if (reset_head_ && in_head(target.key())) {
        plan_.report.reset.push_back(target.key());
        continue;
      }
      const auto place = places.find(target.key());
      if (place != places.end()) {
        match(target.key(), target.value(), place->second);
      } else if (!ends_with(target.key(), "num_batches_tracked")) {
        plan_.report.missing.push_back(target.key());
        head_missing_ |= in_head(target.key());
      }
    }
    for (std::size_t i = 0; i < source_.size(); ++i) {
      const auto& name = source_.name(i);
      const bool skipped = is_derived_key(name) || (reset_head_ && in_head(name));
      if (!skipped && !targets.contains(name)) {
        plan_.report.unknown.push_back(printable(name));
        head_unknown_ |= in_head(name);
      }
    }
    plan_.report.hint = hint();
    return std::move(plan_);
  }

 private:
  static bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
  }

  bool in_head(const std::string& key) const {
    return std::any_of(heads_.begin(), heads_.end(), [&](const std::string& head) {
      return key.compare(0, head.size() + 1, head + ".") == 0;
    });
  }

  void match(const std::string& key, const torch::Tensor& target, std::size_t i) {
    const auto type = source_.type(i);
    if (!converts(type, target.scalar_type())) {
      plan_.report.misshapen.push_back(
          "'" + key + "' (" + c10::toString(type) + ", expected " +
          c10::toString(target.scalar_type()) + ")");
      return;
    }
    Copy copy{key, target, i, {}};
    const bool fits = target.sizes() == source_.shape(i);
    if (!fits || (origin_ != nullptr && model_.depends_on_size(key))) {
      copy.adapted = adapt(key, target, i);
      if (copy.adapted.defined()) {
        plan_.report.resampled.push_back(key);
      } else if (!fits) {
        plan_.report.misshapen.push_back(
            "'" + key + "' (" + shape_text(source_.shape(i)) + ", expected " +
            shape_text(target.sizes()) + ")");
        note_misfit(key, i);
        return;
      }
    }
    plan_.copies.push_back(std::move(copy));
  }

  void note_misfit(const std::string& key, std::size_t i) {
    const auto shape = source_.shape(i);
    if (in_head(key) && !shape.empty() && shape[0] != model_.num_classes()) {
      head_classes_ = shape[0];
    } else {
      body_misfit_ = true;
    }
  }

  /// The value brought to the size of `target`, or an undefined tensor where the model has no rule
  /// or the value is of that size.
  torch::Tensor adapt(const std::string& key, const torch::Tensor& target, std::size_t i) const {
    if (source_.bytes(i) > kMaxAdapted || differing(target.sizes(), source_.shape(i)) > 1) {
      return {};
    }
    // Half-precision values are resampled at the model's precision.
    const auto value = source_.read(i).to(target.scalar_type());
    if (!detail::all_finite(value)) {
      throw not_finite(source_, key);
    }
    auto adapted = model_.adapt_weight(key, value, origin_);
    const bool changed = !adapted.is_same(value) && adapted.sizes() == target.sizes();
    return changed ? adapted : torch::Tensor();
  }

  std::string hint() const {
    if (plan_.copies.empty() && plan_.report.misshapen.empty()) {
      return "no tensor has a name that the model knows: is it another model's, or another "
             "library's?";
    }
    if (head_classes_ && !body_misfit_) {
      return "the file's head has " + std::to_string(*head_classes_) + " classes, the model's " +
             std::to_string(model_.num_classes()) + "; " + kResetHead + " the model keeps its own";
    }
    if (head_missing_) {
      return std::string("the file has no such head; ") + kResetHead + " the model keeps its own";
    }
    if (head_unknown_ && model_.num_classes() == 0) {
      return std::string("the model has no head; ") + kResetHead + " the file's is ignored";
    }
    return !body_misfit_ ? "" : "is it another model's, or of another image size?";
  }

  const Classifier& model_;
  const Source& source_;
  const std::vector<std::string> heads_;
  const bool reset_head_;
  const ModelOptions* origin_;  // null where nothing is known
  Plan plan_;
  std::optional<int64_t> head_classes_;  // of the file's head, where they are not the model's
  bool body_misfit_ = false;
  bool head_missing_ = false;
  bool head_unknown_ = false;
};

void check_values(const Source& source, const Copy& copy) {
  // What was adapted was looked at before.
  if (!copy.adapted.defined() && !source.is_finite(copy.index, copy.target.scalar_type())) {
    throw not_finite(source, copy.key);
  }
}

void copy_values(const Source& source, Copy& copy) {
  if (copy.adapted.defined()) {
    copy.target.copy_(copy.adapted);
  } else if (!source.copy_to(copy.index, copy.target)) {
    throw not_finite(source, copy.key);
  }
}

/// Runs `work`, which throws nothing, on up to `count` threads. They are its own: at::parallel_for
/// is a plain loop in sources compiled without OpenMP.
template <typename Work>
void run_at_once(std::size_t count, const Work& work) {
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < count) {
      others.emplace_back(work);
    }
  } catch (const std::system_error&) {
    // Fewer threads do the same.
  }
  work();
  for (auto& other : others) {
    other.join();
  }
}

/// Handles several tensors at once, as it takes more than one thread to keep the memory busy.
/// Throws what the first that fails, in the order of `copies`, throws.
template <typename Handle>
void for_all_at_once(const std::vector<Copy*>& copies, const Handle& handle) {
  std::vector<std::exception_ptr> errors(copies.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    const torch::NoGradGuard no_grad;  // is a thread's own
    // Taken in order: all before one that fails are taken, too.
    for (auto i = next++; i < copies.size() && !failed; i = next++) {
      try {
        handle(*copies[i]);
      } catch (...) {
        errors[i] = std::current_exception();
        failed = true;
      }
    }
  };
  run_at_once(std::min(static_cast<std::size_t>(at::get_num_threads()), copies.size()), work);
  for (const auto& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
}

/// Handles all tensors; what needs memory beside the model's, one at a time.
template <typename Handle>
void for_all(const Source& source, std::vector<Copy>& copies, const Handle& handle) {
  std::vector<Copy*> direct;
  for (auto& copy : copies) {
    if (!copy.adapted.defined() && source.copies_directly(copy.index, copy.target)) {
      direct.push_back(&copy);
    } else {
      handle(copy);
    }
  }
  for_all_at_once(direct, handle);
}

}  // namespace

namespace detail {

LoadReport load_source(
    Classifier& model,
    const Source& source,
    const LoadOptions& options,
    const std::string& comparison) {
  const torch::NoGradGuard no_grad;
  auto plan = Planner(model, source, options).make();
  const auto& report = plan.report;
  if (!report.fits()) {
    throw CheckpointError(
        source.subject() + ": does not fit the model" + list("missing", quoted(report.missing)) +
        list("unknown", quoted(report.unknown)) + list("misshapen", report.misshapen) +
        (report.hint.empty() ? "" : "; " + report.hint) +
        (comparison.empty() ? "" : "; " + comparison));
  }
  if (options.all_or_nothing()) {
    for_all(source, plan.copies, [&](const Copy& copy) { check_values(source, copy); });
  }
  for_all(source, plan.copies, [&](Copy& copy) { copy_values(source, copy); });
  return {std::move(plan.report.resampled), std::move(plan.report.reset)};
}

FitReport compare_source(
    const Classifier& model, const Source& source, const LoadOptions& options) {
  const torch::NoGradGuard no_grad;
  return Planner(model, source, options).make().report;
}

}  // namespace detail

LoadReport load_state_dict(
    Classifier& model, const StateDict& tensors, const LoadOptions& options) {
  const auto source = detail::make_source(tensors);
  return detail::load_source(model, detail::MappedSource(*source), options);
}

LoadReport load_weights(Classifier& model, const std::string& path, const LoadOptions& options) {
  const detail::WeightsFile file(path, options.checkpoint_key());
  return detail::load_source(model, file.tensors(), options);
}

FitReport compare_weights(
    const Classifier& model, const std::string& path, const LoadOptions& options) {
  const detail::WeightsFile file(path, options.checkpoint_key());
  return detail::compare_source(model, file.tensors(), options);
}

}  // namespace vitrine

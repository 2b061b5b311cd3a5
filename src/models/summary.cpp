#include "vitrine/models/summary.h"

#include <ATen/record_function.h>

#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "vitrine/layers/observe.h"

namespace vitrine {
namespace {

/// Follows one run of a model on this thread: the modules of vitrine report themselves (Observer),
/// the layers of LibTorch are known by the operators called with their weights (RecordFunction).
class Recorder final : public Observer {
 public:
  explicit Recorder(const torch::nn::Module& model) {
    for (const auto& item : model.named_modules()) {
      names_[item.value().get()] = item.key();
      for (const auto& parameter : item.value()->named_parameters(/*recurse=*/false)) {
        owners_[parameter.value().unsafeGetTensorImpl()] = item.value().get();
      }
    }
    names_[&model] = "";
    current_ = this;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                             .needsInputs(true)
                                             .needsOutputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder() override {
    at::removeCallback(handle_);
    current_ = nullptr;
  }

  void on_value(
      const torch::nn::Module& module, std::string_view step, const torch::Tensor& value) override {
    // Products without a weight, those of attention, belong to the module that reports next.
    macs[&module] += std::exchange(pending_, 0);
    if (step.empty()) {
      outputs[&module] = value.sizes().vec();
    }
    reports.push_back({&module, std::string(step), value.sizes().vec()});
  }

  const std::string& name(const torch::nn::Module* module) const { return names_.at(module); }

  struct Report {
    const torch::nn::Module* module;
    std::string step;
    std::vector<int64_t> shape;
  };
  std::vector<Report> reports;
  std::unordered_map<const torch::nn::Module*, std::vector<int64_t>> outputs;
  std::unordered_map<const torch::nn::Module*, int64_t> macs;

 private:
  static bool is_counted(std::string_view op) {
    return op == "aten::linear" || op == "aten::conv2d" || op == "aten::bmm" ||
           op == "aten::scaled_dot_product_attention";
  }
  static bool is_norm(std::string_view op) {
    return op == "aten::layer_norm" || op == "aten::group_norm" || op == "aten::batch_norm";
  }

  /// What is known of an operator when it is called: its inputs are gone when it returns.
  struct Call final : at::ObserverContext {
    const torch::nn::Module* owner = nullptr;  // the layer whose weight is among the inputs
    int64_t numel = 0;                         // of the first input
    std::vector<int64_t> second;               // shape of the second input
  };

  static std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
    const std::string_view op = function.name();
    if (!is_counted(op) && !is_norm(op)) {
      return nullptr;
    }
    current_->nesting_ += is_counted(op) ? 1 : 0;
    auto call = std::make_unique<Call>();
    const auto inputs = function.inputs();
    call->owner = current_->owner(inputs);
    if (is_counted(op)) {
      call->numel = inputs[0].toTensor().numel();
      call->second = inputs[1].toTensor().sizes().vec();
    }
    return call;
  }

  static void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
    const auto* call = static_cast<const Call*>(context);
    if (call == nullptr) {
      return;
    }
    const std::string_view op = function.name();
    const auto& result = function.outputs().at(0).toTensor();
    if (is_counted(op) && --current_->nesting_ == 0) {
      current_->count(op, *call, result);
    }
    if (call->owner != nullptr) {
      current_->outputs[call->owner] = result.sizes().vec();
    }
  }

  const torch::nn::Module* owner(c10::ArrayRef<const c10::IValue> inputs) const {
    for (const auto& input : inputs) {
      if (input.isTensor() && input.toTensor().defined()) {
        const auto found = owners_.find(input.toTensor().unsafeGetTensorImpl());
        if (found != owners_.end()) {
          return found->second;
        }
      }
    }
    return nullptr;
  }

  void count(std::string_view op, const Call& call, const torch::Tensor& result) {
    const auto& b = call.second;
    if (op == "aten::bmm") {
      pending_ += call.numel * b[2];
    } else if (op == "aten::scaled_dot_product_attention") {
      pending_ += 2 * call.numel * b[b.size() - 2];  // queries by keys, weights by values
    } else if (call.owner != nullptr && op == "aten::linear") {
      macs[call.owner] += call.numel * b[0];
    } else if (call.owner != nullptr) {
      macs[call.owner] += result.numel() * b[1] * b[2] * b[3];  // channels of a group, kernel
    }
  }

  static thread_local Recorder* current_;

  at::CallbackHandle handle_{};
  std::unordered_map<const torch::nn::Module*, std::string> names_;
  std::unordered_map<const void*, const torch::nn::Module*> owners_;
  int64_t pending_ = 0;
  int nesting_ = 0;  // counted operators may call one another
};

thread_local Recorder* Recorder::current_ = nullptr;

/// "SwinBlock" of "vitrine::SwinBlockImpl".
std::string type_name(const torch::nn::Module& module) {
  auto type = module.name();
  type = type.substr(type.rfind(':') == std::string::npos ? 0 : type.rfind(':') + 1);
  const auto impl = type.rfind("Impl");
  return impl == std::string::npos ? type : type.substr(0, impl);
}

/// Adds `module` and what is below it; gives the place of its row, or -1 when there is nothing to
/// tell.
int64_t add_module(
    const torch::nn::Module& module,
    const std::string& name,
    int64_t depth,
    int64_t batch,
    const Recorder& recorder,
    std::vector<ModuleSummary>& rows) {
  const auto place = static_cast<int64_t>(rows.size());
  rows.push_back({name, type_name(module), depth, {}, 0, 0});
  const auto output = recorder.outputs.find(&module);
  const auto macs = recorder.macs.find(&module);
  ModuleSummary row = rows.back();
  row.macs = macs == recorder.macs.end() ? 0 : macs->second / batch;
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    row.parameters += parameter.value().numel();
  }
  for (const auto& child : module.named_children()) {
    const auto at = add_module(
        *child.value(),
        name.empty() ? child.key() : name + "." + child.key(),
        depth + 1,
        batch,
        recorder,
        rows);
    if (at >= 0) {
      row.parameters += rows[at].parameters;
      row.macs += rows[at].macs;
      row.output = rows[at].output;  // of a container: its last child's
    }
  }
  if (output != recorder.outputs.end()) {
    row.output = output->second;
  }
  if (row.output.empty() && row.parameters == 0) {
    rows.resize(place);
    return -1;
  }
  rows[place] = row;
  return place;
}

/// Whether the module called `inner` lies below one of the modules that report, the model itself
/// aside.
bool is_nested(const std::string& inner, const Recorder& recorder) {
  for (const auto& report : recorder.reports) {
    const auto& outer = recorder.name(report.module);
    if (!outer.empty() && inner.size() > outer.size() &&
        inner.compare(0, outer.size(), outer) == 0 && inner[outer.size()] == '.') {
      return true;
    }
  }
  return false;
}

}  // namespace

ModelSummary summarize(Classifier& model, const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;
  const bool training = model.is_training();
  model.eval();
  ModelSummary summary;
  {
    Recorder recorder(model);
    const ObserverGuard guard(recorder);
    summary.walk.push_back({"images", images.sizes().vec()});
    model.forward(images);
    for (const auto& report : recorder.reports) {
      const auto& name = recorder.name(report.module);
      if (is_nested(name, recorder)) {
        continue;
      }
      const auto step = name.empty() && report.step.empty() ? "logits" : report.step;
      summary.walk.push_back(
          {name + (name.empty() || step.empty() ? "" : " ") + step, report.shape});
    }
    add_module(model, "", 0, images.size(0), recorder, summary.modules);
  }
  model.train(training);
  return summary;
}

}  // namespace vitrine

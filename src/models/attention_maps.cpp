#include "vitrine/models/attention_maps.h"

#include <string_view>
#include <unordered_map>

#include "vitrine/layers/observe.h"

namespace vitrine {
namespace {

/// Keeps the attention weights of one pass.
class AttentionRecorder final : public Observer {
 public:
  explicit AttentionRecorder(const torch::nn::Module& model) {
    for (const auto& item : model.named_modules()) {
      names_[item.value().get()] = item.key();
    }
  }

  bool wants_attention() const override { return true; }
  void on_value(
      const torch::nn::Module& module, std::string_view step, const torch::Tensor& value) override {
    if (step == "attention") {
      maps.insert(names_.at(&module), value);
    }
  }

  torch::OrderedDict<std::string, torch::Tensor> maps;

 private:
  std::unordered_map<const torch::nn::Module*, std::string> names_;
};

}  // namespace

AttentionMaps attention_maps(Classifier& model, const torch::Tensor& images) {
  AttentionRecorder recorder(model);
  const ObserverGuard guard(recorder);
  auto logits = model.forward(images);
  return {std::move(logits), std::move(recorder.maps)};
}

}  // namespace vitrine

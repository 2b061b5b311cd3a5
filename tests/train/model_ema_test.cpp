#include "vitrine/train/model_ema.h"

#include <torch/nn.h>

#include <gtest/gtest.h>

#include "vitrine/weights/state_dict.h"

#include "support/tensor_assert.h"
#include "support/value_error.h"
#include "train/golden_json.h"

namespace vitrine {
namespace {

namespace nn = torch::nn;

/// Sets the parameters and buffers of `module` to recorded values.
void set_state(nn::Module& module, const nlohmann::json& values) {
  const torch::NoGradGuard no_grad;
  for (const auto& item : state_dict(module)) {
    const auto& value = values[item.key()];
    item.value().copy_(
        value.is_array() ? to_tensor(value) : torch::scalar_tensor(value.get<double>()));
  }
}

TEST(ModelEma, EqualsTimms) {
  for (const auto& expected : recipe_golden()["ema"]) {
    const auto options = ModelEmaOptions()
                             .model_ema(true)
                             .model_ema_decay(expected["decay"].get<double>())
                             .model_ema_warmup(expected["warmup"].get<bool>());
    for (std::size_t i = 0; i < expected["steps"].size(); ++i) {
      const auto step = expected["steps"][i].get<int64_t>();
      EXPECT_NEAR(ema_decay(options, step), expected["decays"][i].get<double>(), 1e-12) << step;
    }
    nn::Sequential model(nn::Linear(3, 2), nn::BatchNorm1d(2));
    nn::Sequential average(nn::Linear(3, 2), nn::BatchNorm1d(2));
    nn::Sequential target(nn::Linear(3, 2), nn::BatchNorm1d(2));
    int64_t step = 0;
    for (const auto& update : expected["updates"]) {
      set_state(*model, update["model"]);
      set_state(*target, update["ema"]);
      update_average(*average, *model, ema_decay(options, ++step));
      const auto own = state_dict(*average);
      for (const auto& item : state_dict(*target)) {
        EXPECT_TENSOR_NEAR(own[item.key()], item.value(), 1e-6) << item.key();
      }
    }
  }
}

TEST(ModelEma, RefusesOptionsOutOfRange) {
  EXPECT_VALUE_ERROR(check_options(ModelEmaOptions().model_ema_decay(1)), "model_ema_decay");
  EXPECT_VALUE_ERROR(check_options(ModelEmaOptions().model_ema_warmup(true)), "without model_ema");
}

}  // namespace
}  // namespace vitrine

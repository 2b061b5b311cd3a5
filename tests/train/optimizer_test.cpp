#include "vitrine/train/optimizer.h"

#include <torch/nn.h>

#include <gtest/gtest.h>

#include <string>

#include "vitrine/error.h"

#include "support/refusal.h"
#include "support/tensor_assert.h"
#include "train/golden_json.h"

namespace vitrine {
namespace {

namespace nn = torch::nn;

/// A linear layer with what a golden case starts from.
nn::Linear make_linear(const nlohmann::json& expected) {
  nn::Linear linear(3, 2);
  const torch::NoGradGuard no_grad;
  linear->weight.copy_(to_tensor(expected["weight"]));
  linear->bias.copy_(to_tensor(expected["bias"]));
  return linear;
}

OptimizerOptions optimizer_options_of(const nlohmann::json& expected) {
  const auto& options = expected["options"];
  return OptimizerOptions()
      .opt(parse_optimizer(options["opt"].get<std::string>()))
      .weight_decay(options["weight_decay"].get<double>())
      .momentum(options["momentum"].get<double>())
      .nesterov(options["nesterov"].get<bool>())
      .max_grad_norm(options.value("max_grad_norm", OptimizerOptions().max_grad_norm()));
}

void take_step(nn::Linear& linear, Optimizer& optimizer, const nlohmann::json& step) {
  linear->weight.mutable_grad() = to_tensor(step["weight_grad"]);
  linear->bias.mutable_grad() =
      step["bias_grad"].is_null() ? torch::Tensor() : to_tensor(step["bias_grad"]);
  optimizer.step(step["lr"].get<double>());
}

TEST(Optimizer, TakesTheStepsOfTorchOptimAndOfTimmsLamb) {
  const auto& golden = train_golden();
  for (const auto* name :
       {"adamw",
        "adam",
        "sgd",
        "sgd_plain",
        "lamb",
        "lamb_free",
        "adam_without_bias",
        "lamb_without_bias"}) {
    SCOPED_TRACE(name);
    auto linear = make_linear(golden[name]);
    Optimizer optimizer(*linear, optimizer_options_of(golden[name]));
    for (const auto& step : golden[name]["steps"]) {
      take_step(linear, optimizer, step);
      EXPECT_TENSOR_NEAR(linear->weight, to_tensor(step["weight"]), 1e-6);
      EXPECT_TENSOR_NEAR(linear->bias, to_tensor(step["bias"]), 1e-6);
    }
  }
}

TEST(Optimizer, TakesAParametersOwnShareOfTheRate) {
  const auto& golden = train_golden();
  for (const auto* name : {"adamw", "adam", "sgd", "lamb"}) {
    SCOPED_TRACE(name);
    // Twice the rate at half the share is the golden step; the bias, which has no share, goes on at
    // the rate as it is.
    auto scaled = make_linear(golden[name]);
    auto doubled = make_linear(golden[name]);
    Optimizer of_scaled(
        *scaled, optimizer_options_of(golden[name]), {{"weight", 0.5}, {"other", 0.1}});
    Optimizer of_doubled(*doubled, optimizer_options_of(golden[name]));
    for (auto step : golden[name]["steps"]) {
      const auto expected = to_tensor(step["weight"]);
      step["lr"] = 2 * step["lr"].get<double>();
      take_step(scaled, of_scaled, step);
      take_step(doubled, of_doubled, step);
      EXPECT_TENSOR_NEAR(scaled->weight, expected, 1e-6);
      // Not to the bit, since LAMB's joint norm adds up in the order of the groups.
      EXPECT_TENSOR_NEAR(scaled->bias, doubled->bias, 1e-7);
    }
  }
}

TEST(Optimizer, GoesOnFromASavedStateToTheSameBits) {
  const auto& golden = train_golden();
  for (const auto* name : {"adamw", "adam", "sgd", "lamb"}) {
    SCOPED_TRACE(name);
    const auto& expected = golden[name];
    auto linear = make_linear(expected);
    Optimizer optimizer(*linear, optimizer_options_of(expected));
    take_step(linear, optimizer, expected["steps"][0]);
    take_step(linear, optimizer, expected["steps"][1]);

    auto second = make_linear(expected);
    Optimizer restored(*second, optimizer_options_of(expected));
    restored.load_state(optimizer.state());
    {
      const torch::NoGradGuard no_grad;
      second->weight.copy_(linear->weight);
      second->bias.copy_(linear->bias);
    }
    take_step(linear, optimizer, expected["steps"][2]);
    take_step(second, restored, expected["steps"][2]);
    EXPECT_EQ(restored.steps(), 3);
    EXPECT_TRUE(torch::equal(second->weight, linear->weight));
    EXPECT_TRUE(torch::equal(second->bias, linear->bias));
  }
}

TEST(Optimizer, RefusesAStateOfAnotherModuleAndStaysAsItWas) {
  nn::Linear linear(3, 2);
  nn::Linear other(4, 2);
  Optimizer optimizer(*linear, OptimizerOptions());
  const auto refuse = [&](const StateDict& state, const std::string& cause) {
    expect_refusal<CheckpointError>(
        [&] { optimizer.load_state(state); }, "optimizer state: ", {cause});
  };
  refuse(Optimizer(*other, OptimizerOptions()).state(), "is [2, 4], expected [2, 3]");
  auto state = optimizer.state();
  state.erase("bias.exp_avg");
  refuse(state, "'bias.exp_avg' is missing");
  auto larger = optimizer.state();
  larger.insert("other.exp_avg", torch::zeros(1));
  refuse(larger, "'other.exp_avg' is unknown");
  EXPECT_EQ(optimizer.steps(), 0);
}

TEST(Optimizer, RefusesOptionsOutOfRange) {
  nn::Linear linear(3, 2);
  EXPECT_THROW(Optimizer(*linear, OptimizerOptions().weight_decay(-1)), c10::ValueError);
  EXPECT_THROW(Optimizer(*linear, OptimizerOptions().momentum(1)), c10::ValueError);
  EXPECT_THROW(Optimizer(*linear, OptimizerOptions().beta2(-0.1)), c10::ValueError);
  EXPECT_THROW(Optimizer(*linear, OptimizerOptions().max_grad_norm(-1)), c10::ValueError);
  EXPECT_THROW(Optimizer(*linear, OptimizerOptions().eps(-1)), c10::ValueError);
  EXPECT_THROW(Optimizer(*nn::ReLU(), OptimizerOptions()), c10::ValueError);
}

TEST(HasWeightDecay, LeavesOutNormsBiasesTokensAndTables) {
  const auto matrix = torch::zeros({2, 2});
  EXPECT_TRUE(has_weight_decay("blocks.0.attn.qkv.weight", matrix));
  EXPECT_TRUE(has_weight_decay("patch_embed.proj.weight", torch::zeros({2, 3, 4, 4})));
  EXPECT_FALSE(has_weight_decay("norm.weight", torch::zeros(2)));
  EXPECT_FALSE(has_weight_decay("bias", matrix));
  for (const auto* name :
       {"cls_token",
        "dist_token",
        "reg_token",
        "pos_embed",
        "layers.0.blocks.1.attn.logit_scale",
        "layers.0.blocks.1.attn.cpb_mlp.2.weight",
        "layers.0.blocks.1.attn.relative_position_bias_table"}) {
    EXPECT_FALSE(has_weight_decay(name, matrix)) << name;
  }
}

TEST(OptimizerKind, HasANameEach) {
  for (const auto kind :
       {OptimizerKind::AdamW, OptimizerKind::Adam, OptimizerKind::Sgd, OptimizerKind::Lamb}) {
    EXPECT_EQ(parse_optimizer(to_string(kind)), kind);
  }
  EXPECT_THROW(parse_optimizer("adamx"), UnknownNameError);
}

}  // namespace
}  // namespace vitrine

#include "vitrine/layers/grad_checkpointing.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/nn.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/layers/conv_block.h"
#include "vitrine/layers/linear_transformer_block.h"
#include "vitrine/layers/mobilevit_block.h"
#include "vitrine/layers/mobilevit_v2_block.h"
#include "vitrine/layers/swin_block.h"
#include "vitrine/layers/transformer_block.h"
#include "vitrine/precision.h"

namespace vitrine {
namespace {

namespace nn = torch::nn;

/// What a training step of a module leaves.
struct Step {
  torch::Tensor output;
  std::vector<torch::Tensor> gradients;  // of the input, then of the parameters; some undefined
  std::vector<torch::Tensor> buffers;
  torch::Tensor next;  // the caller's next random numbers
};

/// A step of a copy of `module` on `x`.
template <typename Module>
Step step(const Module& module, const torch::Tensor& x, bool checkpointing, Precision precision) {
  const auto copy = std::dynamic_pointer_cast<typename Module::ContainedType>(module->clone());
  const auto input = x.detach().clone().requires_grad_(x.requires_grad());
  const auto own = module->parameters();
  auto parameters = copy->parameters();
  for (std::size_t i = 0; i < own.size(); ++i) {
    parameters[i].set_requires_grad(own[i].requires_grad());
  }
  torch::manual_seed(7);
  Step result;
  {
    const PrecisionScope scope(precision, torch::kCPU);
    const GradCheckpointing guard(checkpointing);
    result.output = copy->forward(input);
  }
  torch::rand(5);  // the loss may draw too
  result.output.square().sum().backward();
  result.next = torch::rand(3);
  result.gradients.push_back(input.grad());
  for (const auto& parameter : parameters) {
    result.gradients.push_back(parameter.grad());
  }
  for (const auto& buffer : copy->buffers()) {
    result.buffers.push_back(buffer);
  }
  return result;
}

void expect_equal(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].defined(), b[i].defined()) << i;
    EXPECT_TRUE(!a[i].defined() || torch::equal(a[i], b[i])) << i;
  }
}

template <typename Module>
void expect_same_step(
    const Module& module, const torch::Tensor& x, Precision precision = Precision::Fp32) {
  SCOPED_TRACE(module->name());
  const auto plain = step(module, x, /*checkpointing=*/false, precision);
  const auto checkpointed = step(module, x, /*checkpointing=*/true, precision);
  EXPECT_TRUE(torch::equal(checkpointed.output, plain.output));
  EXPECT_TRUE(torch::equal(checkpointed.next, plain.next));
  expect_equal(checkpointed.gradients, plain.gradients);
  expect_equal(checkpointed.buffers, plain.buffers);
}

TransformerBlock transformer() {
  torch::manual_seed(0);
  return TransformerBlock(
      TransformerBlockOptions(8, 2).proj_drop(0.2).attn_drop(0.2).drop_path(0.4));
}

torch::Tensor tokens() {
  torch::manual_seed(1);
  return torch::randn({6, 5, 8}).requires_grad_();
}

TEST(GradCheckpointing, ChangesNoBitOfWhatABlockGives) {
  expect_same_step(transformer(), tokens());
  const auto map = torch::randn({4, 8, 8, 8}).requires_grad_();
  expect_same_step(
      SwinBlock(SwinBlockOptions(8, 2, {8, 8})
                    .window_size(4)
                    .shifted(true)
                    .proj_drop(0.2)
                    .drop_path(0.4)),
      map);
  expect_same_step(
      LinearTransformerBlock(LinearTransformerBlockOptions(8).proj_drop(0.2).drop_path(0.4)), map);
  // These have batch norms, whose statistics are not to count twice.
  expect_same_step(
      InvertedResidual(InvertedResidualOptions(8, 8).expansion(2).drop_path(0.4)), map);
  expect_same_step(
      MobileVitBlock(MobileVitBlockOptions(8, 16, 2).num_heads(2).proj_drop(0.2).drop_path(0.4)),
      map);
  expect_same_step(
      MobileVitV2Block(MobileVitV2BlockOptions(8, 16, 2).proj_drop(0.2).drop_path(0.4)), map);
}

TEST(GradCheckpointing, ComputesAgainAtThePrecisionOfTheFirstPass) {
  expect_same_step(transformer(), tokens(), Precision::Bf16);
}

TEST(GradCheckpointing, GivesGradientsWhereOnlySomeAreWanted) {
  expect_same_step(transformer(), tokens().detach());
  auto frozen = transformer();
  for (auto& parameter : frozen->attn->parameters()) {
    parameter.set_requires_grad(false);
  }
  expect_same_step(frozen, tokens());
  for (auto& parameter : frozen->parameters()) {
    parameter.set_requires_grad(false);
  }
  expect_same_step(frozen, tokens());
}

TEST(GradCheckpointing, LeavesAlonePassesThatNeedNoGradients) {
  const GradCheckpointing guard;
  auto block = transformer();
  {
    const torch::NoGradGuard no_grad;
    EXPECT_FALSE(block(tokens()).requires_grad());
  }
  for (auto& parameter : block->parameters()) {
    parameter.set_requires_grad(false);
  }
  EXPECT_FALSE(block(tokens().detach()).requires_grad());
}

TEST(GradCheckpointing, NestsAndEndsWithItsGuard) {
  auto block = transformer();
  const auto kept = [&] { return std::string(block(tokens()).grad_fn()->name()); };
  const auto plain = kept();
  const GradCheckpointing outer;
  const auto checkpointed = kept();
  EXPECT_NE(checkpointed, plain);
  {
    const GradCheckpointing inner(false);
    EXPECT_EQ(kept(), plain);
  }
  EXPECT_EQ(kept(), checkpointed);
}

/// Counts the bytes of tensors that this thread holds.
class HeldBytes final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(
      void* /*ptr*/,
      int64_t size,
      std::size_t /*total*/,
      std::size_t /*reserved*/,
      c10::Device /*device*/) override {
    now += size;
    peak = std::max(peak, now);
  }
  bool memoryProfilingEnabled() const override { return true; }

  int64_t now = 0;
  int64_t peak = 0;
};

TEST(GradCheckpointing, KeepsLittleMoreThanTheInputsOfBlocks) {
  constexpr int64_t kBlocks = 8;
  nn::Sequential blocks;
  for (int64_t i = 0; i < kBlocks; ++i) {
    blocks->push_back(TransformerBlock(TransformerBlockOptions(32, 2)));
  }
  const auto x = torch::randn({4, 16, 32});
  const auto measured = [&](bool checkpointing) {
    blocks->forward(x).sum().backward();  // makes room for the gradients
    blocks->zero_grad(/*set_to_none=*/false);
    const auto held = std::make_shared<HeldBytes>();
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, held);
    const GradCheckpointing scope(checkpointing);
    const auto loss = blocks->forward(x).sum();
    const auto kept = held->now;
    loss.backward();
    return std::pair(kept, held->peak);
  };
  const auto [plain, plain_peak] = measured(false);
  const auto [checkpointed, peak] = measured(true);
  const auto input = static_cast<int64_t>(x.nbytes());
  EXPECT_GT(plain, 10 * kBlocks * input);
  // The inputs, and the states of the generator, of 5056 bytes each.
  EXPECT_LT(checkpointed, kBlocks * (input + 5056) + input);
  EXPECT_LT(peak, plain_peak / 2);
}

}  // namespace
}  // namespace vitrine

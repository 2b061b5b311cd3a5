#include "vitrine/layers/transformer_block.h"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensor_assert.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

TEST(TransformerBlock, NormalisesBeforeEachBranch) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  TransformerBlock block(TransformerBlockOptions(8, 2));
  const auto x = torch::randn({2, 5, 8});
  const auto y = x + block->attn(block->norm1(x));
  EXPECT_TENSOR_NEAR(block(x), y + block->mlp(block->norm2(y)), 1e-6);
}

TEST(TransformerBlock, AddsAHandWorkedMlp) {
  const torch::NoGradGuard no_grad;
  TransformerBlock block(TransformerBlockOptions(2, 1).mlp_ratio(1).norm_eps(0));
  block->attn->proj->weight.zero_();
  block->mlp->fc1->weight.copy_(torch::eye(2));
  block->mlp->fc2->weight.copy_(torch::eye(2));
  // (3, 7) normalises to (-1, 1), whose GELU is (-0.158655, 0.841345).
  const auto y = block(torch::tensor({3.0F, 7.0F}).view({1, 1, 2}));
  EXPECT_TENSOR_NEAR(y, torch::tensor({2.8413447F, 7.8413447F}).view({1, 1, 2}), 1e-5);
}

TEST(TransformerBlock, ScalesEitherBranchWhenAsked) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  TransformerBlock block(TransformerBlockOptions(8, 2).init_values(1e-4));
  const auto x = torch::randn({2, 5, 8});
  EXPECT_LT((block(x) - x).abs().max().item<double>(), 1e-3);  // nearly the identity at first
  block->ls1->gamma.normal_();
  block->ls2->gamma.normal_();
  const auto y = x + block->attn(block->norm1(x)) * block->ls1->gamma;
  EXPECT_TENSOR_NEAR(block(x), y + block->mlp(block->norm2(y)) * block->ls2->gamma, 1e-6);
  EXPECT_FALSE(TransformerBlock(TransformerBlockOptions(8, 2))->ls1);
}

TEST(TransformerBlock, WithBothBranchesDroppedIsTheIdentity) {
  torch::manual_seed(0);
  TransformerBlock block(TransformerBlockOptions(8, 2).drop_path(0.999999));
  const auto x = torch::randn({1, 5, 8});
  EXPECT_TRUE(block(x).equal(x));
  block->eval();
  EXPECT_FALSE(block(x).equal(x));
}

TEST(TransformerBlock, PassesItsOptionsOn) {
  TransformerBlock block(TransformerBlockOptions(8, 2)
                             .head_dim(3)
                             .mlp_ratio(2.5)
                             .qkv_bias(false)
                             .proj_bias(false)
                             .gated_mlp(true)
                             .activation(Activation::Silu)
                             .norm_eps(1e-3)
                             .attn_drop(0.1)
                             .proj_drop(0.2)
                             .drop_path(0.3));
  EXPECT_EQ(block->attn->options.head_dim(), 3);
  EXPECT_FALSE(block->attn->options.qkv_bias());
  EXPECT_FALSE(block->attn->options.proj_bias());
  EXPECT_TRUE(block->mlp->options.gated());
  EXPECT_EQ(block->attn->options.attn_drop(), 0.1);
  EXPECT_EQ(block->attn->proj_drop->options.p(), 0.2);
  EXPECT_EQ(block->mlp->options.hidden_dim(), 20);
  EXPECT_EQ(block->mlp->options.activation(), Activation::Silu);
  EXPECT_EQ(block->mlp->drop1->options.p(), 0.2);
  EXPECT_EQ(block->drop_path1->p, 0.3);
  EXPECT_EQ(block->drop_path2->p, 0.3);
  EXPECT_EQ(block->norm1->options.eps(), 1e-3);
  EXPECT_EQ(block->norm2->options.eps(), 1e-3);
}

TEST(TransformerBlock, RejectsOptionsAndShapesOutOfRange) {
  EXPECT_VALUE_ERROR(TransformerBlock(TransformerBlockOptions(10, 4)), "multiple of num_heads");
  EXPECT_VALUE_ERROR(TransformerBlock(TransformerBlockOptions(0, 1)), "dim");
  EXPECT_VALUE_ERROR(TransformerBlock(TransformerBlockOptions(8, 2).mlp_ratio(-1)), "mlp_ratio");
  EXPECT_VALUE_ERROR(TransformerBlock(TransformerBlockOptions(8, 2).mlp_ratio(NAN)), "mlp_ratio");
  EXPECT_VALUE_ERROR(
      TransformerBlock(TransformerBlockOptions(8, 2).mlp_ratio(INFINITY)), "mlp_ratio");
  EXPECT_VALUE_ERROR(TransformerBlock(TransformerBlockOptions(8, 2).drop_path(1)), "[0, 1)");
  TransformerBlock block(TransformerBlockOptions(8, 2));
  EXPECT_VALUE_ERROR(block(torch::zeros({1, 3, 4})), "[B, N, 8], got [1, 3, 4]");
}

}  // namespace
}  // namespace vitrine

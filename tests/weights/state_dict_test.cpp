#include "vitrine/weights/state_dict.h"

#include <torch/nn/modules/batchnorm.h>

#include <gtest/gtest.h>

#include <string>

namespace vitrine {
namespace {

TEST(StateDict, LeavesOutDerivedTables) {
  EXPECT_TRUE(is_derived_key("layers.0.blocks.1.attn.relative_position_index"));
  EXPECT_TRUE(is_derived_key("layers.0.blocks.1.attn_mask"));
  EXPECT_TRUE(is_derived_key("relative_coords_table"));
  EXPECT_TRUE(is_derived_key("sincos_pos_embed"));
  EXPECT_FALSE(is_derived_key("pos_embed"));
  EXPECT_FALSE(is_derived_key("layers.0.blocks.1.attn.relative_position_bias_table"));
  EXPECT_FALSE(is_derived_key("attn_mask.weight"));
  EXPECT_FALSE(is_derived_key("my_attn_mask"));
  EXPECT_FALSE(is_derived_key(""));

  torch::nn::Module module;
  module.register_buffer("attn_mask", torch::zeros({2}));
  module.register_buffer("kept", torch::zeros({2}));
  const auto tensors = state_dict(module);
  EXPECT_EQ(tensors.keys(), std::vector<std::string>{"kept"});
}

TEST(StateDict, HoldsTheModulesOwnParametersAndBuffers) {
  torch::nn::BatchNorm1d norm(3);
  const auto tensors = state_dict(*norm);
  EXPECT_EQ(
      tensors.keys(),
      (std::vector<std::string>{
          "weight", "bias", "running_mean", "running_var", "num_batches_tracked"}));
  EXPECT_TRUE(tensors["weight"].is_same(norm->weight));
  EXPECT_TRUE(tensors["running_var"].is_same(norm->running_var));
}

}  // namespace
}  // namespace vitrine

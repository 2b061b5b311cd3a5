#include <torch/utils.h>

#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "vitrine/layers/attention.h"
#include "vitrine/layers/classifier_head.h"
#include "vitrine/layers/conv_block.h"
#include "vitrine/layers/drop_path.h"
#include "vitrine/layers/layer_scale.h"
#include "vitrine/layers/linear_attention.h"
#include "vitrine/layers/linear_transformer_block.h"
#include "vitrine/layers/mlp.h"
#include "vitrine/layers/mobilevit_block.h"
#include "vitrine/layers/mobilevit_v2_block.h"
#include "vitrine/layers/patch_embed.h"
#include "vitrine/layers/patch_merging.h"
#include "vitrine/layers/swin_block.h"
#include "vitrine/layers/transformer_block.h"
#include "vitrine/layers/window_attention.h"

#include "support/tensor_assert.h"

namespace vitrine {
namespace {

struct Case {
  std::string name;
  std::shared_ptr<torch::nn::Module> module;
  std::function<torch::Tensor(torch::nn::Module&)> run;
};

template <typename Holder>
Case make_case(const std::string& name, Holder layer, const std::vector<int64_t>& shape) {
  using Impl = typename Holder::Impl;
  return {name, layer.ptr(), [shape](torch::nn::Module& module) {
            torch::manual_seed(1);
            const auto parameters = module.parameters();
            const auto dtype = parameters.empty() ? torch::kFloat : parameters[0].scalar_type();
            return dynamic_cast<Impl&>(module).forward(torch::randn(shape).to(dtype));
          }};
}

/// Every layer, each by itself, with the shape that it takes.
std::vector<Case> every_layer() {
  torch::manual_seed(0);
  return {
      make_case("Attention", Attention(AttentionOptions(8, 2)), {2, 3, 8}),
      make_case("ClassifierHead", ClassifierHead(ClassifierHeadOptions(8, 5)), {2, 8, 3, 3}),
      make_case("ConvNormAct", ConvNormAct(ConvNormActOptions(3, 8, 3)), {2, 3, 4, 4}),
      make_case("InvertedResidual", InvertedResidual(InvertedResidualOptions(8, 8)), {2, 8, 4, 4}),
      make_case("ConvMlp", ConvMlp(MlpOptions(8, 16)), {2, 8, 3, 3}),
      make_case("DropPath", DropPath(0.5), {2, 3}),
      make_case("LayerScale", LayerScale(8, 0.5), {2, 3, 8}),
      make_case("LinearAttention", LinearAttention(LinearAttentionOptions(8)), {2, 8, 4, 5}),
      make_case(
          "LinearTransformerBlock",
          LinearTransformerBlock(LinearTransformerBlockOptions(8)),
          {2, 8, 4, 5}),
      make_case("Mlp", Mlp(MlpOptions(8, 16)), {2, 3, 8}),
      make_case("Mlp", Mlp(MlpOptions(8, 16).gated(true)), {2, 3, 8}),
      make_case("MobileVitBlock", MobileVitBlock(MobileVitBlockOptions(4, 8, 2)), {2, 4, 4, 4}),
      make_case(
          "MobileVitV2Block", MobileVitV2Block(MobileVitV2BlockOptions(4, 8, 2)), {2, 4, 5, 4}),
      make_case("PatchEmbed", PatchEmbed(PatchEmbedOptions(4, 8).img_size({8, 8})), {2, 3, 8, 8}),
      make_case("PatchMerging", PatchMerging(PatchMergingOptions(4, 8)), {2, 4, 4, 4}),
      make_case(
          "SwinBlock",
          SwinBlock(SwinBlockOptions(8, 2, {4, 4}).window_size(2).shifted(true)),
          {2, 4, 4, 8}),
      make_case(
          "SwinBlock",
          SwinBlock(SwinBlockOptions(8, 2, {4, 4}).window_size(2).shifted(true).version(2)),
          {2, 4, 4, 8}),
      make_case("TransformerBlock", TransformerBlock(TransformerBlockOptions(8, 2)), {2, 3, 8}),
      make_case(
          "TransformerBlock",
          TransformerBlock(TransformerBlockOptions(8, 2).init_values(0.1).gated_mlp(true)),
          {2, 3, 8}),
      make_case("WindowAttention", WindowAttention(WindowAttentionOptions(8, 2, 2)), {2, 4, 8}),
      make_case(
          "WindowAttention",
          WindowAttention(WindowAttentionOptions(8, 2, 2).cosine(true)),
          {2, 4, 8}),
  };
}

TEST(EveryLayer, SaysItsName) {
  for (const auto& layer : every_layer()) {
    std::ostringstream stream;
    stream << *layer.module;
    EXPECT_EQ(stream.str().rfind("vitrine::" + layer.name + "(", 0), 0U) << stream.str();
  }
}

TEST(EveryLayer, ClonesToAnEqualThatIsItsOwn) {
  const torch::NoGradGuard no_grad;
  for (const auto& layer : every_layer()) {
    SCOPED_TRACE(layer.name);
    layer.module->eval();
    const auto before = layer.run(*layer.module);
    const auto copy = layer.module->clone();
    EXPECT_FALSE(copy->is_training());
    for (auto& parameter : layer.module->parameters()) {
      parameter.add_(1);
    }
    EXPECT_TENSOR_NEAR(layer.run(*copy), before, 0);
  }
}

TEST(EveryLayer, GivesGradientsToEveryParameter) {
  for (const auto& layer : every_layer()) {
    if (layer.module->parameters().empty()) {
      continue;
    }
    SCOPED_TRACE(layer.name);
    layer.run(*layer.module).square().sum().backward();
    for (const auto& item : layer.module->named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
    }
  }
}

TEST(EveryLayer, ComputesInDoubleOnceConverted) {
  const torch::NoGradGuard no_grad;
  for (const auto& layer : every_layer()) {
    SCOPED_TRACE(layer.name);
    layer.module->eval();
    const auto single = layer.run(*layer.module);
    layer.module->to(torch::kDouble);
    EXPECT_TENSOR_NEAR(layer.run(*layer.module), single, 1e-5);
  }
}

}  // namespace
}  // namespace vitrine

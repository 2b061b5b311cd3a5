#include <torch/nn/cloneable.h>
#include <torch/utils.h>

#include <gtest/gtest.h>

#include "small_models.h"
#include "support/tensor_assert.h"

namespace vitrine {
namespace {

std::shared_ptr<Classifier> cloned(const Classifier& model) {
  return std::dynamic_pointer_cast<Classifier>(model.clone());
}

/// A user's module that holds a model, as a holder, beside a layer of its own.
template <typename Model>
struct Parent : torch::nn::Cloneable<Parent<Model>> {
  explicit Parent(decltype(Model::Impl::options) options_) : options(options_) { reset(); }
  void reset() override {
    body = this->register_module("body", Model(options));
    scale = this->register_module("scale", torch::nn::Linear(5, 5));
  }
  decltype(Model::Impl::options) options;
  Model body{nullptr};
  torch::nn::Linear scale{nullptr};
};

template <typename Model>
void expect_nested_clone(const decltype(Model::Impl::options)& options, bool reset_head) {
  const torch::NoGradGuard no_grad;
  Parent<Model> parent(options);
  parent.eval();
  if (reset_head) {
    parent.body->reset_classifier(7);
  }
  const auto copy = std::dynamic_pointer_cast<Parent<Model>>(parent.clone());
  ASSERT_NE(copy, nullptr);
  EXPECT_TENSOR_NEAR((*copy->body)(images()), (*parent.body)(images()), 0);
  EXPECT_EQ(copy->body->num_classes(), reset_head ? 7 : 5);
  EXPECT_NE(copy->body.get(), parent.body.get());
  // The holder and the registered child are one and the same.
  EXPECT_EQ(copy->named_children()["body"].get(), copy->body.get());
  for (auto& parameter : parent.parameters()) {
    parameter.zero_();
  }
  EXPECT_GT(torch::Tensor((*copy->body)(images())).abs().max().item().toDouble(), 0);
}

TEST(Clone, GivesTheSameLogits) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    (*model)(images());  // in training, so that running statistics leave their start
    model->eval();
    EXPECT_TENSOR_NEAR((*cloned(*model))(images()), (*model)(images()), 0);
  }
}

TEST(Clone, SharesNoStorage) {
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    const auto copy = cloned(*model);
    const auto theirs = copy->named_parameters();
    for (const auto& item : model->named_parameters()) {
      EXPECT_NE(item.value().data_ptr(), theirs[item.key()].data_ptr()) << item.key();
    }
    const auto buffers = copy->named_buffers();
    for (const auto& item : model->named_buffers()) {
      EXPECT_NE(item.value().data_ptr(), buffers[item.key()].data_ptr()) << item.key();
      EXPECT_TRUE(item.value().equal(buffers[item.key()])) << item.key();
    }
  }
}

TEST(Clone, HasTheHeadThatWasPutIn) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, model] : small_models()) {
    for (const int64_t classes : {7, 0}) {
      SCOPED_TRACE(name);
      model->eval();
      model->reset_classifier(classes);
      const auto copy = cloned(*model);
      EXPECT_EQ(copy->num_classes(), classes);
      EXPECT_TENSOR_NEAR((*copy)(images()), (*model)(images()), 0);
    }
  }
}

TEST(Clone, KeepsTheModeOfEachPart) {
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(cloned(*model)->is_training());
    // Frozen parts stand in evaluation within a model in training.
    const auto frozen = model->children().front();
    frozen->eval();
    const auto copy = cloned(*model);
    const auto theirs = copy->named_modules();
    for (const auto& item : model->named_modules()) {
      EXPECT_EQ(theirs[item.key()]->is_training(), item.value()->is_training()) << item.key();
    }
    model->eval();
    EXPECT_FALSE(cloned(*model)->is_training());
  }
}

TEST(Clone, KeepsWhichParametersWantGradients) {
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    bool wanted = false;
    for (auto& parameter : model->parameters()) {
      parameter.set_requires_grad(wanted = !wanted);
    }
    const auto copy = cloned(*model);
    const auto theirs = copy->named_parameters();
    for (const auto& item : model->named_parameters()) {
      EXPECT_EQ(theirs[item.key()].requires_grad(), item.value().requires_grad()) << item.key();
      EXPECT_TRUE(theirs[item.key()].is_leaf()) << item.key();
    }
  }
}

TEST(Clone, KeepsTheTypeAndTakesADevice) {
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    model->to(torch::kDouble);
    const auto copy =
        std::dynamic_pointer_cast<Classifier>(model->clone(torch::Device(torch::kCPU)));
    ASSERT_NE(copy, nullptr);
    const auto x = images().to(torch::kDouble);
    model->eval();
    copy->eval();
    EXPECT_TENSOR_NEAR((*copy)(x), (*model)(x), 0);
  }
}

TEST(Clone, TrainsApart) {
  for (const auto& [name, model] : small_models()) {
    SCOPED_TRACE(name);
    const auto copy = cloned(*model);
    (*copy)(images()).sum().backward();
    EXPECT_FALSE(model->parameters().front().grad().defined());
    EXPECT_TRUE(copy->parameters().front().grad().defined());
  }
}

TEST(Clone, InsideAnotherModuleIsACopyToo) {
  for (const bool reset_head : {false, true}) {
    expect_nested_clone<VisionTransformer>(small_vit_options(), reset_head);
    expect_nested_clone<VisionTransformer>(small_vit_options().distilled(true), reset_head);
    expect_nested_clone<VisionTransformer>(small_dinov2_options(), reset_head);
    expect_nested_clone<VisionTransformer>(small_simple_vit_options(), reset_head);
    expect_nested_clone<SwinTransformer>(small_swin_options(), reset_head);
    expect_nested_clone<SwinTransformer>(small_swin_options().version(2), reset_head);
    expect_nested_clone<MobileVit>(small_mobilevit_options(), reset_head);
    expect_nested_clone<MobileVit>(small_mobilevit_options().version(2), reset_head);
  }
}

}  // namespace
}  // namespace vitrine

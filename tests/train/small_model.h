#pragma once

#include <torch/nn.h>

#include <cstdint>
#include <string>

#include "vitrine/models/classifier.h"

namespace vitrine {

/// The smallest classifier with what matters to training: weights, a norm with buffers, and
/// dropout.
class SmallModel final : public Classifier {
 public:
  explicit SmallModel(int64_t classes)
      : conv(register_module(
            "conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 4).stride(4)))),
        norm(register_module("norm", torch::nn::BatchNorm2d(8))),
        drop(register_module("drop", torch::nn::Dropout(0.1))),
        head(register_module("head", torch::nn::Linear(32, classes))) {}

  torch::Tensor forward_features(const torch::Tensor& images) override {
    return torch::relu(norm(conv(images)));
  }
  torch::Tensor forward_head(const torch::Tensor& features, bool pre_logits) override {
    const auto pooled = drop(features.flatten(1));
    return pre_logits ? pooled : head(pooled);
  }
  void reset_classifier(int64_t classes) override {
    head = replace_module("head", torch::nn::Linear(32, classes));
  }
  int64_t num_classes() const override { return head->options.out_features(); }
  int64_t num_features() const override { return 32; }
  int64_t in_chans() const override { return 3; }
  std::vector<std::string> classifier_names() const override { return {"head"}; }
  ModelOptions model_options() const override { return {}; }

  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d norm;
  torch::nn::Dropout drop;
  torch::nn::Linear head;
};

}  // namespace vitrine

#pragma once

#include <torch/nn/module.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/models/intermediates.h"
#include "vitrine/models/model_options.h"

namespace vitrine {

/// A vision transformer that classifies images: what every family of the zoo has in common.
class VITRINE_API Classifier : public torch::nn::Module {
 public:
  using torch::nn::Module::Module;
  ~Classifier() override;

  /// Images [B, C, H, W] to the features before pooling: tokens [B, N, C] of a ViT, a map [B, H, W,
  /// C] of a Swin, a map [B, C, H, W] of a MobileViT.
  virtual torch::Tensor forward_features(const torch::Tensor& images) = 0;

  /// Features to logits [B, K]; with `pre_logits`, or without a head, to pooled features [B, C].
  virtual torch::Tensor forward_head(const torch::Tensor& features, bool pre_logits = false) = 0;

  /// Features to the logits of each head, each [B, K], the one that learns from labels first: what
  /// a loss with several targets needs. Most models have one head; a distilled DeiT has a second
  /// for its teacher's answers, and `forward_head` gives their mean. Without a head, pooled
  /// features.
  virtual std::vector<torch::Tensor> forward_heads(const torch::Tensor& features);

  /// Images [B, C, H, W] to the features of blocks or stages on the way, and the last ones. Throws
  /// c10::ValueError on an index beyond them; c10::NotImplementedError where a model of one's own
  /// does not define it.
  virtual Intermediates forward_intermediates(
      const torch::Tensor& images, const IntermediatesOptions& options = {});

  /// Images [B, C, H, W] to logits [B, K].
  torch::Tensor forward(const torch::Tensor& images) {
    return forward_head(forward_features(images));
  }
  torch::Tensor operator()(const torch::Tensor& images) { return forward(images); }

  /// Replaces each head by a new, random one for `num_classes` classes; 0 leaves none.
  virtual void reset_classifier(int64_t num_classes) = 0;

  /// Classes of the head; 0 without one.
  virtual int64_t num_classes() const = 0;
  /// Channels of the pooled features.
  virtual int64_t num_features() const = 0;
  /// Channels of the images.
  virtual int64_t in_chans() const = 0;
  /// Key of each head's module, such as "head" or "head.fc", in the order of `forward_heads`.
  virtual std::vector<std::string> classifier_names() const = 0;
  /// Beginnings of the keys of the parameters in each layer, as layer-wise decay counts layers: the
  /// embedding first, then block after block, the last one with the norm or convolution that
  /// follows it. A parameter that none begins belongs to the head. Empty for a model that is one
  /// layer.
  virtual std::vector<std::vector<std::string>> layer_prefixes() const { return {}; }
  /// Every option of the model, by timm's names.
  virtual ModelOptions model_options() const = 0;

  /// A tensor of a checkpoint brought to this model's size where the family has a rule for it
  /// (position embeddings of another image size); any other is given back as it is.
  virtual torch::Tensor adapt_weight(const std::string& key, const torch::Tensor& value) const;
};

}  // namespace vitrine

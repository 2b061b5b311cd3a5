#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"
#include "vitrine/models/model_card.h"
#include "vitrine/precision.h"

namespace vitrine {

/// One class of an answer.
struct Prediction {
  int64_t index;       // class, as in the head
  std::string label;   // its name, or the index as text where the card has no names
  double probability;  // softmax over all classes
  double logit;
};

/// A model with its preprocessing and class names: images in, classes or features out. Calls from
/// several threads at once are safe.
class VITRINE_API Predictor {
 public:
  /// Takes a model (put into evaluation mode and moved to `device`) and its card. Answers are
  /// float32 at any precision.
  Predictor(
      std::shared_ptr<Classifier> model,
      ModelCard card,
      torch::Device device = torch::kCPU,
      Precision precision = Precision::Fp32);

  /// Opens a model file that carries a card. Throws CheckpointError.
  static Predictor from_file(const std::string& path, torch::Device device = torch::kCPU);

  /// The `top_k` likeliest classes of an image, best first; `top_k` 0 gives every class in index
  /// order. A file (ImageError when it cannot be read), encoded bytes, or uint8 [H, W, 3] RGB.
  std::vector<Prediction> classify(const std::string& path, int64_t top_k = 5) const;
  std::vector<Prediction> classify(const std::vector<std::uint8_t>& bytes, int64_t top_k = 5) const;
  std::vector<Prediction> classify(const torch::Tensor& image, int64_t top_k = 5) const;

  /// The same for a batch of preprocessed images, float32 [B, C, H, W].
  std::vector<std::vector<Prediction>> classify_batch(
      const torch::Tensor& batch, int64_t top_k = 5) const;

  /// Logits [B, K], on the CPU, of preprocessed images [B, C, H, W].
  torch::Tensor logits(const torch::Tensor& batch) const;

  /// Pooled features [B, C], on the CPU, of preprocessed images [B, C, H, W]: what stands before
  /// the head, of models without one too. Throws Error where one is infinite or NaN.
  torch::Tensor features(const torch::Tensor& batch) const;

  const ModelCard& card() const { return card_; }
  const std::shared_ptr<Classifier>& model() const { return model_; }

 private:
  torch::Tensor to_model(const torch::Tensor& batch) const;

  std::shared_ptr<Classifier> model_;
  ModelCard card_;
  torch::Device device_;
  Precision precision_;
};

}  // namespace vitrine

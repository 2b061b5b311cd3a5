#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"

namespace vitrine {

/// One module of a model.
struct ModuleSummary {
  std::string name;             // key of the module, "" for the model itself
  std::string type;             // class, such as "SwinBlock" or "Linear"
  int64_t depth = 0;            // 0 for the model itself
  std::vector<int64_t> output;  // shape of its result
  int64_t parameters = 0;       // its own and those below it
  int64_t macs = 0;             // multiply-accumulates of one image, its own and those below it
};

/// One stop on the way from image to logits.
struct StepSummary {
  std::string name;  // module, or step inside the model such as "class token"
  std::vector<int64_t> shape;
};

/// What a model is made of and what it computes.
struct ModelSummary {
  std::vector<ModuleSummary> modules;  // the tree, parents before their children
  std::vector<StepSummary> walk;       // from the images to the logits
};

/// Runs `images` [B, C, H, W] through `model` in evaluation mode, without gradients, and tells what
/// each module gave. Counted are linear layers, convolutions and the products of attention.
/// Dropouts are left out.
VITRINE_API ModelSummary summarize(Classifier& model, const torch::Tensor& images);

}  // namespace vitrine

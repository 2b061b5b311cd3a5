#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vitrine/image/preprocess.h"
#include "vitrine/models/model_options.h"

namespace vitrine {

/// What one must know of a model to use it, beside its tensors.
struct ModelCard {
  std::string architecture;      // name in the zoo
  std::string family;            // "vit", "swin" or "mobilevit"
  std::string paper;             // title and address
  int64_t parameters = 0;        // with the head that the name stands for
  double gmacs = 0;              // multiply-accumulates of one image, in 1e9; 0 where unpublished
  ModelOptions options;          // what differs from the named architecture
  PreprocessOptions preprocess;  // of one image file
  std::vector<std::string> labels;                // class index -> name; empty where unknown
  std::map<std::string, std::string> provenance;  // free text: data, accuracy, command, licence
};

}  // namespace vitrine

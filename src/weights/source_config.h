#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vitrine/image/preprocess.h"
#include "vitrine/models/model_options.h"

namespace vitrine::detail {

/// What timm and Hugging Face write beside a checkpoint that tensors do not tell.
struct SourceConfig {
  std::string architecture;  // timm's name, from timm alone
  std::string model_type;    // Hugging Face's family, such as "deit", from there alone
  ModelOptions options;      // by timm's names
  std::optional<PreprocessOptions> preprocess;
  std::vector<std::string> labels;  // class index -> name; empty where unknown
};

/// Reads config.json and preprocessor_config.json in the folder of the checkpoint at `path`;
/// nothing where there is no such file, or none of timm's or Hugging Face's. Throws CheckpointError
/// when one of them is damaged.
std::optional<SourceConfig> read_source_config(const std::string& path);

}  // namespace vitrine::detail

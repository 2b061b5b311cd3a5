#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"
#include "vitrine/weights/state_dict.h"

#include "support/temporary_folder.h"

namespace vitrine {

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// A folder with the bare tensors of a model, as a library leaves them.
class Recognise : public testing::Test {
 protected:
  void write(const std::string& name, const ModelOptions& options = {}) {
    write_safetensors(path_, state_dict(*create_model(name, options)));
  }

  std::string refusal() const {
    try {
      const auto card = find_model_card(path_);
      return "taken as " + card.architecture;
    } catch (const CheckpointError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos);
      return message.substr(path_.size() + 2);
    }
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "model.safetensors";
};

}  // namespace vitrine

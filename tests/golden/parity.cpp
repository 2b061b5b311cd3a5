// Runs a model file on stored images, for comparisons with other libraries (compare_*.py):
//
//   vitrine_parity MODEL IN OUT COPY [HEIGHTxWIDTH|OPTION=VALUE]...
//
// IN is a checkpoint of any layout; IN.images holds the input under the key "images". OUT receives
// the logits, or the features of a model without a head, under "logits"; COPY receives the model as
// vitrine saves it. The size is that of the images; options are the model's, by timm's names.

#include <cstdio>
#include <string>

#include "vitrine/error.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

namespace {

/// A truth value, a whole number, a number or a word.
vitrine::OptionValue parse_value(const std::string& text) {
  if (text == "true" || text == "false") {
    return text == "true";
  }
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    return int64_t{std::stoll(text)};
  }
  return text.find_first_not_of("0123456789.e-") == std::string::npos
             ? vitrine::OptionValue(std::stod(text))
             : vitrine::OptionValue(text);
}

void put(vitrine::ModelOptions& options, const std::string& argument) {
  const auto equals = argument.find('=');
  if (equals == std::string::npos) {
    const auto rows = std::stoll(argument);
    options.img_size(rows, std::stoll(argument.substr(argument.find('x') + 1)));
  } else {
    options.set(argument.substr(0, equals), parse_value(argument.substr(equals + 1)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: vitrine_parity MODEL IN OUT COPY [HEIGHTxWIDTH|OPTION=VALUE]...\n", stderr);
    return 2;
  }
  try {
    vitrine::ModelFileOptions options;
    options.architecture = argv[1];
    for (int i = 5; i < argc; ++i) {
      put(options.options, argv[i]);
    }
    const torch::NoGradGuard no_grad;
    const auto loaded = vitrine::load_model(argv[2], options);
    const auto images =
        vitrine::read_safetensors(std::string(argv[2]) + ".images").tensors["images"];
    vitrine::write_safetensors(argv[3], {{"logits", loaded.model->forward(images)}});
    vitrine::save_model(argv[4], *loaded.model, loaded.card);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vitrine_parity: %s\n", error.what());
    return 1;
  }
  return 0;
}

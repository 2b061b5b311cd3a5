// Runs a model file on stored images, for comparisons with other libraries (compare_with_timm.py):
//
//   vitrine_parity MODEL IN OUT COPY [HEIGHTxWIDTH]
//
// IN is a safetensors file with timm's weights; IN.images holds the input under the key "images".
// OUT receives the logits under "logits"; COPY receives the model as vitrine saves it. The size is
// that of the images.

#include <cstdio>
#include <string>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/load.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: vitrine_parity MODEL IN OUT COPY [HEIGHTxWIDTH]\n", stderr);
    return 2;
  }
  try {
    vitrine::ModelOptions options;
    if (argc > 5) {
      const std::string size = argv[5];
      options.img_size(std::stoll(size), std::stoll(size.substr(size.find('x') + 1)));
    }
    const torch::NoGradGuard no_grad;
    auto model = vitrine::create_model(argv[1], options);
    vitrine::load_weights(*model, argv[2]);
    model->eval();
    const auto images =
        vitrine::read_safetensors(std::string(argv[2]) + ".images").tensors["images"];
    vitrine::write_safetensors(argv[3], {{"logits", model->forward(images)}});
    vitrine::save_model(argv[4], *model, vitrine::find_card(argv[1]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vitrine_parity: %s\n", error.what());
    return 1;
  }
  return 0;
}

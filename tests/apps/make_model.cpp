// Writes the small model that the tests of the program classify with: make_model FILE [headless]
#include <torch/types.h>
#include <torch/utils.h>

#include <string>

#include "vitrine/models/registry.h"
#include "vitrine/weights/model_file.h"

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    return 2;
  }
  torch::manual_seed(0);
  const auto options = vitrine::ModelOptions()
                           .num_classes(3)
                           .img_size(32)
                           .set("patch_size", int64_t{8})
                           .set("embed_dim", int64_t{32})
                           .set("depth", int64_t{1})
                           .set("num_heads", int64_t{2});
  const auto model = vitrine::create_model("test_vit", options);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) {
    parameter.normal_(0, 0.5);
  }
  auto card = vitrine::find_card("test_vit");
  card.options = options;
  if (argc == 3) {
    model->reset_classifier(0);
    card.options.num_classes(0);
  } else {
    card.labels = {"cat", "dog, \"big\"", "hen"};
  }
  card.preprocess.height(32).width(32);
  vitrine::save_model(argv[1], *model, card);
  return 0;
}

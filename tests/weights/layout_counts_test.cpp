#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/models/registry.h"
#include "vitrine/weights/state_dict.h"

#include "layers/skip_init.h"
#include "weights/hugging_face.h"
#include "weights/key_export.h"
#include "weights/key_map.h"

// What the checkpoints of each library hold: tensors and values as counted in its own files, and
// names that lead back to the model. Models are built without their values, whose memory is never
// touched.

namespace vitrine {
namespace {

using detail::SourceTensor;
using Tensors = std::vector<SourceTensor>;

struct Row {
  std::string model;
  std::string layout;
  std::int64_t tensors;
  std::int64_t values;  // in all of them; 0 where no count is known
  ModelOptions options = {};
};

std::shared_ptr<Classifier> build(const Row& row) {
  const detail::SkipInit values_do_not_matter;
  return create_model(row.model, row.options);
}

Tensors outline(const StateDict& tensors) {
  Tensors all;
  for (const auto& item : tensors) {
    all.push_back({item.key(), item.value().sizes().vec()});
  }
  return all;
}

std::int64_t count_values(const Tensors& tensors) {
  std::int64_t sum = 0;
  for (const auto& tensor : tensors) {
    std::int64_t product = 1;
    for (const auto size : tensor.shape) {
      product *= size;
    }
    sum += product;
  }
  return sum;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The derived tables of `model` called so, which some libraries save.
Tensors tables(const Classifier& model, const std::vector<std::string>& names) {
  Tensors found;
  for (const auto& buffer : model.named_buffers()) {
    for (const auto& name : names) {
      if (ends_with(buffer.key(), name)) {
        found.push_back({buffer.key(), buffer.value().sizes().vec()});
      }
    }
  }
  return found;
}

void append(Tensors& tensors, const Tensors& more) {
  tensors.insert(tensors.end(), more.begin(), more.end());
}

/// Counts, and leads the names back.
void expect(const Row& row, const Classifier& model, const Tensors& tensors) {
  EXPECT_EQ(static_cast<std::int64_t>(tensors.size()), row.tensors);
  if (row.values > 0) {
    EXPECT_EQ(count_values(tensors), row.values);
  }
  const auto map = detail::map_keys(tensors, "file");
  EXPECT_EQ(map.layout, row.layout);
  EXPECT_TRUE(map.unknown.empty());
  using ShapesByName = std::map<std::string, std::vector<std::int64_t>>;
  ShapesByName expected;
  for (const auto& tensor : outline(state_dict(model))) {
    expected.emplace(tensor.name, tensor.shape);
  }
  ShapesByName found;
  for (const auto& tensor : map.tensors) {
    found.emplace(tensor.name, tensor.shape);
  }
  EXPECT_EQ(found, expected);
}

template <typename Make>
void expect_all(const std::vector<Row>& rows, const Make& tensors_of) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.layout + ": " + row.model);
    const auto model = build(row);
    expect(row, *model, tensors_of(row, *model));
  }
}

Tensors of_layout(const Row& row, const Classifier& model) {
  return outline(detail::to_layout(state_dict(model), row.layout));
}

Tensors of_hugging_face(const Row& row, const Classifier& model) {
  return outline(detail::to_hugging_face(model, find_card(row.model)).tensors);
}

TEST(LayoutCounts, AreTorchvisions) {
  const std::string vit = "torchvision ViT";
  expect_all(
      {{"vit_base_patch16_224", vit, 152, 86'567'656},
       {"vit_base_patch32_224", vit, 152, 88'224'232},
       {"vit_large_patch16_224", vit, 296, 304'326'632},
       {"vit_large_patch32_224", vit, 296, 306'535'400},
       {"vit_huge_patch14_224", vit, 392, 632'045'800}},
      of_layout);
}

TEST(LayoutCounts, AreThoseOfTorchvisionsSwin) {
  const std::string first = "torchvision Swin";
  const std::string second = "torchvision Swin V2";
  // The second version's parameters include a bias of the keys that is always zero.
  const std::map<std::string, std::int64_t> parameters = {
      {"swin_tiny_patch4_window7_224", 28'288'354},
      {"swin_small_patch4_window7_224", 49'606'258},
      {"swin_base_patch4_window7_224", 87'768'224},
      {"swinv2_tiny_window8_256", 28'351'570},
      {"swinv2_small_window8_256", 49'737'442},
      {"swinv2_base_window8_256", 87'930'848}};
  expect_all(
      {{"swin_tiny_patch4_window7_224", first, 185, 28'317'166},
       {"swin_small_patch4_window7_224", first, 353, 0},
       {"swin_base_patch4_window7_224", first, 353, 0},
       {"swinv2_tiny_window8_256", second, 233, 0},
       {"swinv2_small_window8_256", second, 449, 0},
       {"swinv2_base_window8_256", second, 449, 0}},
      [&](const Row& row, const Classifier& model) {
        auto tensors = of_layout(row, model);
        EXPECT_EQ(count_values(tensors), parameters.at(row.model));
        append(tensors, tables(model, {"relative_position_index", "relative_coords_table"}));
        return tensors;
      });
}

TEST(LayoutCounts, AreMicrosofts) {
  const std::string layout = "Microsoft Swin";
  expect_all(
      {{"swin_tiny_patch4_window7_224", layout, 190, 28'538'058},
       {"swin_small_patch4_window7_224", layout, 364, 0},
       {"swin_base_patch4_window7_224", layout, 364, 0},
       {"swin_base_patch4_window12_384", layout, 364, 0},
       {"swin_large_patch4_window7_224", layout, 364, 0},
       {"swin_large_patch4_window12_384", layout, 364, 0},
       {"swinv2_tiny_window8_256", layout, 250, 0},
       {"swinv2_tiny_window16_256", layout, 247, 30'341'546},
       {"swinv2_small_window8_256", layout, 484, 0},
       {"swinv2_base_window8_256", layout, 484, 0}},
      [](const Row& /*row*/, const Classifier& model) {
        auto tensors = outline(state_dict(model));
        for (auto& [name, shape] : tensors) {
          const auto merging = name.find(".downsample.");
          if (merging != std::string::npos) {
            const auto stage = std::stoi(name.substr(std::string("layers.").size()));
            name = "layers." + std::to_string(stage - 1) + name.substr(merging);
          } else if (name.compare(0, 8, "head.fc.") == 0) {
            name = "head." + name.substr(8);
          }
        }
        append(
            tensors,
            tables(model, {"relative_position_index", "relative_coords_table", "attn_mask"}));
        return tensors;
      });
}

TEST(LayoutCounts, AreHuggingFaces) {
  const std::string vit = "Hugging Face ViT";
  const std::string dinov2 = "Hugging Face DINOv2";
  const std::string registers = "Hugging Face DINOv2 with registers";
  expect_all(
      {{"vit_tiny_patch16_224", vit, 200, 5'717'416},
       {"vit_base_patch16_224", vit, 200, 86'567'656},
       {"vit_base_patch32_384", vit, 200, 88'297'192},
       {"vit_large_patch16_224", vit, 392, 304'326'632},
       {"vit_huge_patch14_224", vit, 520, 632'045'800},
       {"deit_base_distilled_patch16_224", vit, 203, 87'338'192},
       {"vit_small_patch8_224", vit, 198, 21'670'272},
       {"vit_base_patch16_224.dino", vit, 198, 85'798'656},
       {"vit_small_patch14_dinov2", dinov2, 223, 22'056'192 + 384},
       {"vit_base_patch14_dinov2", dinov2, 223, 86'579'712 + 768},
       {"vit_large_patch14_dinov2", dinov2, 439, 304'367'616 + 1024},
       {"vit_giant_patch14_dinov2", dinov2, 727, 1'136'480'768},
       {"vit_small_patch14_reg4_dinov2", registers, 224, 22'058'112},
       {"vit_large_patch14_reg4_dinov2", registers, 440, 0},
       {"swin_tiny_patch4_window7_224", "Hugging Face Swin", 221, 28'288'354},
       {"swin_base_patch4_window12_384", "Hugging Face Swin", 425, 87'903'584},
       {"swin_large_patch4_window7_224", "Hugging Face Swin", 425, 196'532'476},
       {"swinv2_tiny_window8_256", "Hugging Face Swin V2", 245, 28'347'154},
       {"swinv2_small_window16_256", "Hugging Face Swin V2", 473, 49'728'418},
       {"swinv2_large_window12_192", "Hugging Face Swin V2", 473, 196'739'932},
       {"mobilevit_xxs", "Hugging Face MobileViT", 347, 1'276'168},
       {"mobilevit_s", "Hugging Face MobileViT", 347, 5'590'920},
       {"mobilevitv2_050", "Hugging Face MobileViT V2", 269, 1'378'394},
       {"mobilevitv2_200", "Hugging Face MobileViT V2", 269, 18'480'458}},
      of_hugging_face);
  expect_all(
      {{"deit_base_patch16_224",
        "Hugging Face DeiT with one head",
        201,
        86'569'192,
        ModelOptions().set("reg_tokens", int64_t{1})}},
      of_layout);
}

TEST(LayoutCounts, AreHuggingFacesWithWhatNoModelNeeds) {
  const Row vit{"vit_base_patch16_224.dino", "Hugging Face ViT", 200, 86'389'248};
  expect_all({vit}, [](const Row& row, const Classifier& model) {
    auto tensors = of_hugging_face(row, model);
    append(tensors, {{"pooler.dense.weight", {768, 768}}, {"pooler.dense.bias", {768}}});
    return tensors;
  });
  const auto with_index = [](const Row& row, const Classifier& model) {
    auto tensors = of_hugging_face(row, model);
    const auto kept = tensors;
    for (const auto& [name, shape] : kept) {
      const auto at = name.find("relative_position_bias_table");
      if (at != std::string::npos) {
        tensors.push_back({name.substr(0, at) + "relative_position_index", {49, 49}});
      }
    }
    return tensors;
  };
  expect_all(
      {{"swin_tiny_patch4_window7_224", "Hugging Face Swin", 233, 28'288'354 + 12 * 49 * 49},
       {"swin_small_patch4_window7_224", "Hugging Face Swin", 449, 0}},
      with_index);
  // In memory the two halves of a gated MLP's first layer are two layers.
  const Row giant{"vit_giant_patch14_dinov2", "Hugging Face DINOv2", 807, 1'136'480'768};
  expect_all({giant}, [](const Row& row, const Classifier& model) {
    Tensors tensors;
    for (auto& [name, shape] : of_hugging_face(row, model)) {
      const auto rename = [&, old = name](const std::string& from, const std::string& to) {
        auto result = old;
        return result.replace(result.find(from), from.size(), to);
      };
      if (name.find("weights_in") != std::string::npos) {
        shape[0] /= 2;
        append(
            tensors,
            {{rename("weights_in", "gate_proj"), shape}, {rename("weights_in", "up_proj"), shape}});
      } else if (name.find("weights_out") != std::string::npos) {
        tensors.push_back({rename("weights_out", "down_proj"), shape});
      } else {
        tensors.push_back({name, shape});
      }
    }
    return tensors;
  });
}

TEST(LayoutCounts, AreThoseOfDinov2) {
  const auto original = [](const Row& /*row*/, const Classifier& model) {
    Tensors tensors;
    std::int64_t dim = 0;
    const auto own = outline(state_dict(model));
    const bool registers = std::any_of(
        own.begin(), own.end(), [](const auto& tensor) { return tensor.name == "reg_token"; });
    for (auto [name, shape] : own) {
      if (name == "cls_token") {
        dim = shape[2];
      } else if (name == "reg_token") {
        name = "register_tokens";
      } else if (name == "pos_embed" && registers) {
        shape[1] += 1;
      }
      tensors.push_back({name, shape});
    }
    append(tensors, {{"mask_token", {1, dim}}});
    return tensors;
  };
  expect_all(
      {{"vit_small_patch14_dinov2", "DINOv2", 175, 22'056'192 + 384},
       {"vit_base_patch14_dinov2", "DINOv2", 175, 86'579'712 + 768},
       {"vit_large_patch14_dinov2", "DINOv2", 343, 304'367'616 + 1024},
       {"vit_small_patch14_reg4_dinov2", "DINOv2 with registers", 176, 22'058'112},
       {"vit_giant_patch14_reg4_dinov2", "DINOv2 with registers", 568, 0}},
      original);
}

}  // namespace
}  // namespace vitrine

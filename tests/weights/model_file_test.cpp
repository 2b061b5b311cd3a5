#include "vitrine/weights/model_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/safetensors.h"

#include "hostile_file.h"
#include "same_weights.h"
#include "support/cost_limit.h"
#include "support/refusal.h"
#include "support/temporary_folder.h"

namespace vitrine {
namespace {

const char* const kVit = "vitrine_vit_patch4_32";
const std::vector<std::string> kSmall = {
    "vitrine_vit_patch4_32", "vitrine_swin_patch2_window4_32", "vitrine_mobilevit_32", "test_vit"};

ModelCard card_of(const std::string& architecture) {
  auto card = find_card(architecture);
  card.provenance = {{"data", "digits"}, {"note", "é\n\"quoted\""}};
  return card;
}

/// A file of its own for each test, and what is done with it.
class ModelFile : public testing::Test {
 protected:
  void SetUp() override { torch::manual_seed(0); }

  /// Writes the bare tensors of a model, as another library would.
  std::shared_ptr<Classifier> write_bare(
      const std::string& architecture, const ModelOptions& options = {}) {
    auto model = create_model(architecture, options);
    write_safetensors(path_, state_dict(*model));
    return model;
  }

  /// Writes `json` as the card of a file that holds the small ViT.
  void write_with_card(const std::string& json) {
    write_safetensors(path_, state_dict(*create_model(kVit)), {{"vitrine", json}});
  }

  std::string refusal(const ModelFileOptions& options = {}) const {
    try {
      load_model(path_, options);
      ADD_FAILURE() << "not refused";
      return "";
    } catch (const CheckpointError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.substr(0, path_.size() + 2), path_ + ": ") << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      return message.substr(std::min(path_.size() + 2, message.size()));
    }
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "model.safetensors";
};

TEST_F(ModelFile, BringsTheModelBack) {
  for (const auto& name : kSmall) {
    SCOPED_TRACE(name);
    const auto model = create_model(name);
    auto card = card_of(name);
    for (int64_t i = 0; i < model->num_classes(); ++i) {
      card.labels.push_back("class " + std::to_string(i));
    }
    save_model(path_, *model, card);
    const auto loaded = load_model(path_);
    expect_same_weights(*loaded.model, *model);
    EXPECT_FALSE(loaded.model->is_training());
    EXPECT_EQ(loaded.card.architecture, name);
    EXPECT_EQ(loaded.card.family, card.family);
    EXPECT_EQ(loaded.card.labels, card.labels);
    EXPECT_EQ(loaded.card.provenance, card.provenance);
    EXPECT_EQ(loaded.card.options.values(), model->model_options().values());
    EXPECT_EQ(loaded.card.preprocess.height(), card.preprocess.height());
  }
}

TEST_F(ModelFile, BringsTheVariantsOfEachFamilyBack) {
  using List = std::vector<int64_t>;
  const auto vit = ModelOptions()
                       .num_classes(3)
                       .img_size(28)
                       .set("patch_size", int64_t{14})
                       .set("depth", int64_t{2})
                       .set("embed_dim", int64_t{24})
                       .set("num_heads", int64_t{2});
  const auto swin = ModelOptions()
                        .num_classes(3)
                        .img_size(32)
                        .set("depths", List{1, 1, 1, 2})
                        .set("embed_dim", int64_t{8})
                        .set("num_heads", List{1, 1, 2, 2});
  const std::vector<std::pair<std::string, ModelOptions>> variants = {
      {"deit_tiny_distilled_patch16_224", vit},
      {"deit3_small_patch16_224", vit},
      {"vit_giant_patch14_reg4_dinov2", vit},
      {"simple_vit_small_patch16_224", vit},
      {"simple_vit_small_patch16_224",
       ModelOptions(vit).set("qkv_bias", false).set("proj_bias", false)},
      {"swin_s3_tiny_224", swin},
      {"swinv2_base_window12to16_192to256", swin},
      {"mobilevitv2_050", ModelOptions().num_classes(3)}};
  for (const auto& [name, options] : variants) {
    SCOPED_TRACE(name);
    const auto model = create_model(name, options);
    save_model(path_, *model, card_of(name));
    const auto loaded = load_model(path_);
    expect_same_weights(*loaded.model, *model);
    EXPECT_EQ(loaded.card.options.values(), model->model_options().values());
  }
}

TEST_F(ModelFile, KeepsItsCardUnderAnotherLibrarysName) {
  const auto options = ModelOptions().num_classes(3).set("depth", int64_t{1});
  auto card = card_of("vit_base_patch32_224");
  card.labels = {"a", "b", "c"};
  save_model(path_, *create_model("vit_base_patch32_224", options), card);
  ModelFileOptions asked;
  asked.architecture = "vit_b_32";
  EXPECT_EQ(load_model(path_, asked).card.labels, card.labels);
}

TEST_F(ModelFile, KeepsEveryOptionOfTheModel) {
  const auto options = ModelOptions()
                           .num_classes(7)
                           .in_chans(1)
                           .img_size(16, 24)
                           .drop_path_rate(0.25)
                           .set("embed_dim", int64_t{32})
                           .set("global_pool", std::string("avg"))
                           .set("qkv_bias", false);
  const auto model = create_model(kVit, options);
  save_model(path_, *model, card_of(kVit));
  const auto loaded = load_model(path_);
  EXPECT_EQ(loaded.model->model_options().values(), model->model_options().values());
  EXPECT_EQ(loaded.card.options.values(), model->model_options().values());
  expect_same_weights(*loaded.model, *model);
}

TEST_F(ModelFile, CanBeReadAsPlainTensors) {
  const auto model = create_model("vitrine_swin_patch2_window4_32");
  save_model(path_, *model, card_of("vitrine_swin_patch2_window4_32"));
  const auto file = read_safetensors(path_);
  EXPECT_EQ(file.metadata.at("format"), "pt");
  for (const auto& item : file.tensors) {
    EXPECT_FALSE(is_derived_key(item.key())) << item.key();
  }
}

TEST_F(ModelFile, GivesItsCardAlone) {
  write_bare(kVit);
  EXPECT_FALSE(read_card(path_).has_value());
  save_model(path_, *create_model(kVit), card_of(kVit));
  EXPECT_EQ(read_card(path_)->architecture, kVit);
}

TEST_F(ModelFile, WithoutACardIsRecognisedOrNamed) {
  const auto model = write_bare(kVit);
  ModelFileOptions options;
  for (const auto* name : {"", kVit}) {
    options.architecture = *name == '\0' ? std::nullopt : std::make_optional<std::string>(name);
    const auto loaded = load_model(path_, options);
    expect_same_weights(*loaded.model, *model);
    EXPECT_EQ(loaded.card.architecture, kVit);
    EXPECT_EQ(loaded.card.preprocess.height(), 32);
    EXPECT_EQ(loaded.card.options.values(), model->model_options().values());
  }
  options.architecture = "vitrine_vit_patch4_23";
  EXPECT_THROW(load_model(path_, options), UnknownNameError);
}

TEST_F(ModelFile, WithoutACardHasTheClassesOfItsHead) {
  for (const auto& name : kSmall) {
    const auto model = write_bare(name, ModelOptions().num_classes(13));
    ModelFileOptions options;
    options.architecture = name;
    const auto loaded = load_model(path_, options);
    EXPECT_EQ(loaded.model->num_classes(), 13);
    expect_same_weights(*loaded.model, *model);
    options.options.num_classes(5);
    EXPECT_NE(
        refusal(options).find("the file's head has 13 classes, the model's 5"), std::string::npos);
  }
}

TEST_F(ModelFile, GivesWayToTheCallersOptions) {
  auto card = card_of(kVit);
  card.labels.assign(10, "digit");
  save_model(path_, *create_model(kVit), card);
  ModelFileOptions options;
  options.options.img_size(48, 64);
  const auto loaded = load_model(path_, options);
  EXPECT_EQ(loaded.report.resampled, std::vector<std::string>{"pos_embed"});
  EXPECT_EQ(loaded.card.preprocess.height(), 48);
  EXPECT_EQ(loaded.card.preprocess.width(), 64);
  EXPECT_EQ(loaded.card.labels, card.labels);
  EXPECT_EQ(loaded.model->forward(torch::zeros({1, 3, 48, 64})).size(1), 10);
}

TEST_F(ModelFile, DropsTheLabelsWithTheHead) {
  auto card = card_of(kVit);
  card.labels.assign(10, "digit");
  save_model(path_, *create_model(kVit), card);
  ModelFileOptions options;
  options.reset_head = true;
  EXPECT_EQ(load_model(path_, options).card.labels, card.labels);
  options.options.num_classes(4);
  const auto loaded = load_model(path_, options);
  EXPECT_EQ(loaded.model->num_classes(), 4);
  EXPECT_TRUE(loaded.card.labels.empty());
  EXPECT_EQ(loaded.report.reset, (std::vector<std::string>{"head.weight", "head.bias"}));
  const auto head = state_dict(*loaded.model);
  EXPECT_NEAR(head["head.weight"].std().item<double>(), 0.02, 0.005);  // as one newly made
  EXPECT_TRUE(head["head.bias"].equal(torch::zeros({4})));
}

TEST_F(ModelFile, UsesNothingOfACardOfAnotherArchitecture) {
  auto card = card_of(kVit);
  card.labels.assign(10, "digit");
  save_model(path_, *create_model(kVit), card);
  ModelFileOptions options;
  options.architecture = "test_vit";
  EXPECT_NE(refusal(options).find("does not fit the model"), std::string::npos);
}

TEST_F(ModelFile, RefusesToSaveACardThatContradictsTheModel) {
  const auto model = create_model(kVit);
  auto card = card_of(kVit);
  card.labels.assign(9, "digit");
  EXPECT_THROW(save_model(path_, *model, card), c10::ValueError);
  EXPECT_THROW(save_model(path_, *model, {}), c10::ValueError);
}

TEST_F(ModelFile, RefusesLabelsOfAnotherNumberThanClasses) {
  write_with_card(R"({"architecture":"vitrine_vit_patch4_32","labels":["a","b"]})");
  EXPECT_EQ(refusal(), "the card has 2 labels for 10 classes");
}

TEST_F(ModelFile, BlamesTheCardForItsOptions) {
  write_with_card(R"({"architecture":"vitrine_vit_patch4_23"})");
  EXPECT_EQ(refusal().find("the card: unknown model 'vitrine_vit_patch4_23'"), 0U);
  write_with_card(R"({"architecture":"vitrine_vit_patch4_32","options":{"depht":3}})");
  EXPECT_EQ(refusal().find("the card: unknown option"), 0U);
  write_with_card(R"({"architecture":"vitrine_vit_patch4_32","options":{"qkv_bias":3}})");
  EXPECT_NE(refusal().find("qkv_bias"), std::string::npos);
}

TEST_F(ModelFile, RefusesACardThatIsNone) {
  for (const auto* json : {"", "{", "{\"architecture\":\"\xFF\"}", "<html>"}) {
    expect_refusal<CheckpointError>(
        [&] { card_from_json(json); }, "the card: ", {"is no valid JSON"});
  }
  expect_refusal<CheckpointError>([] { card_from_json("null"); }, "the card: ", {"is null"});
  write_with_card("[]");
  EXPECT_EQ(refusal(), "the card: is a list, expected a JSON object");
}

TEST_F(ModelFile, RefusesACardOfAModelFarLargerThanItself) {
  const auto expect_cheap_refusal = [&](const std::string& card, const std::string& cause) {
    write_with_card(card);
    std::string message;
    expect_cheap([&] { message = refusal(); });
    EXPECT_NE(message.find(cause), std::string::npos) << message;
  };
  expect_cheap_refusal(
      R"({"architecture":"vit_gigantic_patch14_224"})", "describes a model of about");
  expect_cheap_refusal(
      R"({"architecture":"vitrine_vit_patch4_32","options":{"embed_dim":1000000}})",
      "the card sets embed_dim but not");
  const auto options = [](int64_t dim, int64_t depth) {
    return R"({"architecture":"vitrine_vit_patch4_32","options":{"num_heads":1,"head_dim":0,)"
           R"("mlp_ratio":4,"embed_dim":)" +
           std::to_string(dim) + ",\"depth\":" + std::to_string(depth) + "}}";
  };
  expect_cheap_refusal(options(1'000'000, 1), "describes a model of about");
  expect_cheap_refusal(options(4, 1000), "describes a model of at least 10000 tensors");
  expect_cheap_refusal(
      R"({"architecture":"vitrine_swin_patch2_window4_32","options":{"num_heads":[1,1],"window_size":7,)"
      R"("mlp_ratio":1,"embed_dim":16,"depths":[2,2],"patch_size":4,"img_size":[100000,100000]}})",
      "derives tables");
  const auto repeated = [](const std::string& text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      all += text;
    }
    return all;
  };
  expect_cheap_refusal(
      R"({"x":[)" + repeated("{},", 100'000) + "{}]}",
      "the card: has 100003 objects and lists, expected at most 100000");
  expect_cheap_refusal(
      R"({"x":[)" + repeated("{},", 90'000) + R"({}],"architecture":"none"})",
      "unknown model 'none'");
  expect_cheap_refusal(
      R"({"x":)" + repeated("[", 100'000) + repeated("]", 100'000) + "}",
      "the card: has 65 objects and lists within each other, expected at most 64");
}

TEST(ModelCardJson, ComesBackAsItWas) {
  ModelCard card;
  card.architecture = "vit_tiny_patch16_224";
  card.family = "vit";
  card.paper = "a paper";
  card.parameters = 5717416;
  card.gmacs = 1.26;
  card.options.num_classes(3).set("qkv_bias", false).set("depths", std::vector<int64_t>{2, 4});
  card.options.set("mlp_ratio", 4.0).set("global_pool", std::string("avg"));
  card.preprocess.height(160).width(224).crop_pct(0.875).crop_mode(CropMode::Border);
  card.preprocess.interpolation(Interpolation::Bilinear).mean({0.1, 0.2, 0.3}).std({1, 0.5, 2});
  card.labels = {"cat", "é", "\"dog\"\n"};
  card.provenance = {{"licence", "Apache-2.0"}};
  const auto back = card_from_json(card_to_json(card));
  EXPECT_EQ(back.architecture, card.architecture);
  EXPECT_EQ(back.family, card.family);
  EXPECT_EQ(back.paper, card.paper);
  EXPECT_EQ(back.parameters, card.parameters);
  EXPECT_EQ(back.gmacs, card.gmacs);
  EXPECT_EQ(back.options.values(), card.options.values());
  EXPECT_EQ(back.preprocess.height(), 160);
  EXPECT_EQ(back.preprocess.width(), 224);
  EXPECT_EQ(back.preprocess.crop_pct(), 0.875);
  EXPECT_EQ(back.preprocess.crop_mode(), CropMode::Border);
  EXPECT_EQ(back.preprocess.interpolation(), Interpolation::Bilinear);
  EXPECT_EQ(back.preprocess.mean(), card.preprocess.mean());
  EXPECT_EQ(back.preprocess.std(), card.preprocess.std());
  EXPECT_EQ(back.labels, card.labels);
  EXPECT_EQ(back.provenance, card.provenance);
}

TEST(ModelCardJson, IsNotLostOverALabelThatIsNotUtf8) {
  ModelCard card;
  card.labels = {"caf\xE9", "tea"};
  const auto back = card_from_json(card_to_json(card));
  ASSERT_EQ(back.labels.size(), 2U);
  EXPECT_EQ(back.labels[0], "caf\xEF\xBF\xBD");
}

TEST(ModelCardJson, LeavesOutWhatItDoesNotKnow) {
  const auto card = card_from_json(
      R"({"architecture":"a","future":{"x":[[[[1]]]]},"preprocessing":{"new":1,"crop_pct":1}})");
  EXPECT_EQ(card.architecture, "a");
  EXPECT_EQ(card.preprocess.crop_pct(), 1.0);
}

TEST(ModelCardJson, NamesTheFieldOfTheWrongKind) {
  const auto expect_refused = [](const std::string& json, const std::string& message) {
    expect_refusal<CheckpointError>([&] { card_from_json(json); }, "the card: ", {message});
  };
  expect_refused(R"({"architecture":3})", "the card: architecture is 3, expected a string");
  expect_refused(R"({"num_classes":"3"})", "num_classes is a string, expected a whole number");
  expect_refused(R"({"num_classes":1.5})", "num_classes is 1.5, expected a whole number");
  expect_refused(R"({"num_classes":18446744073709551615})", "num_classes is 18446744073709551615");
  expect_refused(R"({"labels":{}})", "labels is an object, expected a list");
  expect_refused(R"({"labels":["a",null]})", "labels[1] is null, expected a string");
  expect_refused(R"({"options":[]})", "options is a list, expected an object");
  expect_refused(R"({"options":{"depths":[1,"2"]}})", "options.depths[1] is a string");
  expect_refused(R"({"options":{"depths":null}})", "options.depths is null");
  expect_refused(R"({"preprocessing":{"mean":[1,2]}})", "preprocessing.mean has 2 values");
  expect_refused(R"({"preprocessing":{"std":[1,0,1]}})", "preprocessing.std is not positive");
  expect_refused(R"({"preprocessing":{"crop_pct":0}})", "preprocessing.crop_pct is 0");
  expect_refused(
      R"({"preprocessing":{"crop_mode":"round"}})", "preprocessing.crop_mode is 'round'");
  expect_refused(R"({"preprocessing":{"interpolation":7}})", "preprocessing.interpolation is 7");
  expect_refused(
      R"({"preprocessing":{"input_size":[3,0,5]}})", "preprocessing.input_size is [3,0,5]");
  expect_refused(R"({"preprocessing":{"input_size":[3,1e9,5]}})", "input_size[1] is 1000000000.0");
  expect_refused(R"({"provenance":{"a":1}})", "provenance.a is 1, expected a string");
}

}  // namespace
}  // namespace vitrine

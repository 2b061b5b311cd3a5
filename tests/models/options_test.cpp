#include <gtest/gtest.h>

#include <cmath>

#include "vitrine/error.h"
#include "vitrine/models/model_options.h"
#include "vitrine/models/registry.h"

#include "small_models.h"
#include "support/value_error.h"

namespace vitrine {
namespace {

using List = std::vector<int64_t>;

template <typename Options>
std::string error_of(const Options& base, const ModelOptions& overrides) {
  try {
    apply(base, overrides);
  } catch (const UnknownNameError& error) {
    return error.what();
  }
  return "[no error]";
}

TEST(ModelOptions, OverrideWhatTheModelHas) {
  const auto options = apply(
      small_vit_options(),
      ModelOptions().num_classes(20).drop_rate(0.1).set("depth", 6).set("global_pool", "avg"));
  EXPECT_EQ(options.num_classes(), 20);
  EXPECT_EQ(options.drop_rate(), 0.1);
  EXPECT_EQ(options.depth(), 6);
  EXPECT_EQ(options.global_pool(), "avg");
  EXPECT_EQ(options.embed_dim(), small_vit_options().embed_dim());
}

TEST(ModelOptions, TakeOneNumberForBothSides) {
  const VisionTransformerOptions base;
  EXPECT_EQ(apply(base, ModelOptions().set("img_size", 96)).img_size(), (Size2{96, 96}));
  EXPECT_EQ(apply(base, ModelOptions().set("img_size", List{64})).img_size(), (Size2{64, 64}));
  EXPECT_EQ(apply(base, ModelOptions().img_size(64, 96)).img_size(), (Size2{64, 96}));
}

TEST(ModelOptions, TakeAWholeNumberWhereAnyNumberFits) {
  EXPECT_EQ(apply(small_vit_options(), ModelOptions().set("mlp_ratio", 2)).mlp_ratio(), 2.0);
  EXPECT_EQ(apply(small_swin_options(), ModelOptions().set("depths", 2)).depths(), List{2});
}

TEST(ModelOptions, RefuseAnUnknownNameWithTheNearest) {
  const auto typo = ModelOptions().set("drop_pathrate", 0.1);
  for (const auto& text :
       {error_of(small_vit_options(), typo),
        error_of(small_swin_options(), typo),
        error_of(small_mobilevit_options(), typo)}) {
    EXPECT_PRED_FORMAT2(testing::IsSubstring, "'drop_pathrate'", text);
    EXPECT_PRED_FORMAT2(testing::IsSubstring, "drop_path_rate", text);
  }
  // An option of one family is none of another.
  EXPECT_PRED_FORMAT2(
      testing::IsSubstring,
      "unknown option of a mobilevit model 'img_size'",
      error_of(small_mobilevit_options(), ModelOptions().img_size(64)));
}

TEST(ModelOptions, RefuseAValueOfAnotherKind) {
  const auto base = small_vit_options();
  const auto set = [&](const char* name, OptionValue value) {
    return apply(base, ModelOptions().set(name, std::move(value)));
  };
  EXPECT_VALUE_ERROR(set("depth", 2.5), "'depth' of a vit model: expected a whole number, got 2.5");
  EXPECT_VALUE_ERROR(set("depth", true), "expected a whole number, got true");
  EXPECT_VALUE_ERROR(set("qkv_bias", 1), "expected true or false, got 1");
  EXPECT_VALUE_ERROR(set("fc_norm", 1), "expected true or false");
  EXPECT_VALUE_ERROR(set("mlp_ratio", "big"), "expected a number, got 'big'");
  EXPECT_VALUE_ERROR(set("mlp_ratio", "big\n"), "got 'big\\x0a'");
  EXPECT_VALUE_ERROR(set("global_pool", 1), "expected a word");
  EXPECT_VALUE_ERROR(set("img_size", List{1, 2, 3}), "one or two whole numbers, got 3");
  EXPECT_VALUE_ERROR(set("img_size", List{}), "one or two whole numbers, got 0");
  EXPECT_VALUE_ERROR(
      apply(small_swin_options(), ModelOptions().set("depths", 2.0)), "a list of whole numbers");
}

TEST(ModelOptions, OfAModelBuildItAgain) {
  for (const auto* name :
       {"vitrine_vit_patch4_32", "vitrine_swin_patch2_window4_32", "vitrine_mobilevit_32"}) {
    SCOPED_TRACE(name);
    auto model = create_model(name, ModelOptions().num_classes(3).drop_path_rate(0.25));
    const auto written = model->model_options();
    const auto again = create_model(name, written);
    EXPECT_EQ(again->model_options().values(), written.values());
    EXPECT_EQ(std::get<double>(written.values().at("drop_path_rate")), 0.25);
    const auto theirs = again->named_parameters();
    for (const auto& item : model->named_parameters()) {
      EXPECT_EQ(item.value().sizes(), theirs[item.key()].sizes()) << item.key();
    }
  }
}

TEST(ModelOptions, OfEveryFamilyAreCheckedForTheirRanges) {
  const auto make = [](const char* name, const char* option, OptionValue value) {
    return create_model(name, ModelOptions().set(option, std::move(value)));
  };
  for (const auto* name :
       {"vitrine_vit_patch4_32", "vitrine_swin_patch2_window4_32", "vitrine_mobilevit_32"}) {
    SCOPED_TRACE(name);
    for (const auto* rate : {"drop_rate", "proj_drop_rate", "attn_drop_rate", "drop_path_rate"}) {
      EXPECT_VALUE_ERROR(make(name, rate, 1.0), "[0, 1)");
      EXPECT_VALUE_ERROR(make(name, rate, -0.1), "[0, 1)");
      EXPECT_VALUE_ERROR(make(name, rate, NAN), "[0, 1)");
    }
    EXPECT_VALUE_ERROR(make(name, "num_classes", -1), "num_classes");
    EXPECT_VALUE_ERROR(make(name, "in_chans", 0), "in_chans");
    EXPECT_VALUE_ERROR(make(name, "patch_size", 0), "patch_size");
  }
}

TEST(ModelOptions, BeyondAnySenseAreRefusedBeforeMemoryIsTaken) {
  const auto make = [](const char* name, const char* option, OptionValue value) {
    return create_model(name, ModelOptions().set(option, std::move(value)));
  };
  const auto huge = int64_t{1} << 62;
  for (const auto* option : {"embed_dim", "depth", "num_heads", "head_dim", "in_chans"}) {
    EXPECT_VALUE_ERROR(make("vitrine_vit_patch4_32", option, huge), option);
  }
  EXPECT_VALUE_ERROR(make("vitrine_vit_patch4_32", "num_classes", huge), "num_classes");
  EXPECT_VALUE_ERROR(make("vitrine_vit_patch4_32", "img_size", huge), "img_size");
  EXPECT_VALUE_ERROR(make("vitrine_vit_patch4_32", "mlp_ratio", 1e30), "mlp_ratio");
  for (const auto* option : {"embed_dim", "window_size"}) {
    EXPECT_VALUE_ERROR(make("vitrine_swin_patch2_window4_32", option, huge), option);
  }
  EXPECT_VALUE_ERROR(make("vitrine_swin_patch2_window4_32", "depths", List{huge, huge}), "depth");
  EXPECT_VALUE_ERROR(
      create_model(
          "vitrine_swin_patch2_window4_32",
          ModelOptions().set("depths", List(80, 1)).set("num_heads", List(80, 1))),
      "depths");
  EXPECT_VALUE_ERROR(make("vitrine_mobilevit_32", "blocks", List{huge, 1, 1, 1}), "blocks");
  EXPECT_VALUE_ERROR(make("vitrine_mobilevit_32", "expansion", 1e30), "expansion");
}

}  // namespace
}  // namespace vitrine

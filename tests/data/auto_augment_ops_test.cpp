#include "data/auto_augment_ops.h"

#include <gtest/gtest.h>

#include <string>

#include "golden_json.h"
#include "support/picture.h"

namespace vitrine::detail {
namespace {

TEST(AugmentOps, TurnLevelsIntoTheArgumentsOfTimm) {
  const auto levels = augment_golden()["levels"];
  ASSERT_EQ(levels.size(), 27U);
  for (const auto& [name, rows] : levels.items()) {
    const auto& op = find_augment_op(name);
    for (const auto& [drawn, values] : rows.items()) {
      for (std::size_t half = 0; half < values.size(); ++half) {
        const double level = static_cast<double>(half) / 2;
        EXPECT_DOUBLE_EQ(op.argument(level, std::stod(drawn), /*side=*/224), values[half])
            << name << " at level " << level << " by " << drawn;
      }
    }
  }
}

TEST(AugmentOps, DrawANumberOnlyWhereItMatters) {
  for (const auto& [name, rows] : augment_golden()["levels"].items()) {
    EXPECT_EQ(find_augment_op(name).random, rows["0.25"] != rows["0.75"]) << name;
  }
}

TEST(AugmentOps, EqualTrivialAugmentOfTorchvision) {
  const auto cases = augment_golden()["trivial"];
  ASSERT_GT(cases.size(), 100U);
  for (const auto& one : cases) {
    const auto& op = find_augment_op("Trivial" + one[0].get<std::string>());
    const auto& size = one[3];
    auto values = draw_picture(size[0], size[1], size[2]);
    const cv::Mat image(size[0].get<int>(), size[1].get<int>(), CV_8UC3, values.data());
    const double drawn = one[2] == 1 ? 0.25 : 0.75;
    const auto argument = op.argument(one[1], drawn, /*side=*/33);
    const auto result = op.apply(image, argument, {Sampling::Nearest, {0, 0, 0}});
    EXPECT_EQ(std::to_string(picture_hash(result.data, values.size())), one[4]) << one.dump();
  }
}

TEST(AugmentOps, KnowNoOthers) {
  EXPECT_THROW(find_augment_op("Cutout"), std::out_of_range);
}

}  // namespace
}  // namespace vitrine::detail

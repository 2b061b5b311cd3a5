#pragma once

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "vitrine/data/augment.h"
#include "vitrine/data/image_folder.h"
#include "vitrine/models/registry.h"
#include "vitrine/train/trainer.h"

#include "support/drawn_data.h"
#include "support/temporary_folder.h"
#include "train/small_model.h"

namespace vitrine {

/// Small models, and images drawn for them: 30 of three classes.
class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() { draw_class_folders(folder_.path(), /*classes=*/3, /*count=*/10); }

  ImageDataset data() const {
    const auto size = PreprocessOptions().height(8).width(8);
    const auto still = AugmentOptions().scale({0.8, 1}).hflip(0);
    return {scan_image_folder(folder_.path()).samples, TrainTransform(still, size), 1};
  }

  static std::shared_ptr<SmallModel> model() {
    torch::manual_seed(1);
    return std::make_shared<SmallModel>(3);
  }

  /// Without anything random nor statistics of a batch.
  static std::shared_ptr<Classifier> vit() {
    torch::manual_seed(1);
    return create_model(
        "vitrine_vit_patch4_32",
        ModelOptions()
            .set("depth", int64_t{1})
            .set("embed_dim", int64_t{8})
            .set("num_heads", int64_t{1})
            .img_size(8, 8)
            .num_classes(3));
  }

  static TrainerOptions options() {
    return TrainerOptions()
        .schedule(ScheduleOptions().sched(ScheduleKind::Constant).lr(0.01))
        .loader(LoaderOptions().batch_size(8).workers(1));
  }

  TemporaryFolder folder_;
};

}  // namespace vitrine

#include "knn_evaluation.h"

#include <ATen/Functions.h>
#include <torch/data/samplers/sequential.h>

#include <iostream>
#include <string>
#include <vector>

#include "vitrine/data/image_dataset.h"
#include "vitrine/data/loader.h"
#include "vitrine/error.h"
#include "vitrine/image/preprocess.h"
#include "vitrine/infer/knn.h"
#include "vitrine/text.h"

#include "bad_images.h"
#include "common_options.h"
#include "feature_writer.h"
#include "json_text.h"
#include "percent.h"
#include "progress.h"

namespace vitrine {
namespace {

/// The features of those images of `part` that can be read; `status` becomes 1 where some cannot.
LabelledFeatures extract(
    const Arguments& arguments,
    const Predictor& predictor,
    const ImageSet& set,
    const std::string& part,
    int& status) {
  ImageDataset data(
      set.samples, [p = predictor.card().preprocess](const at::Tensor& image, at::Generator&) {
        return preprocess(image, p);
      });
  BadImageLines bad_images;
  bad_images.watch(data);
  const auto size = set.samples.size();
  BatchLoader loader(
      data,
      torch::data::samplers::SequentialSampler(size),
      LoaderOptions()
          .batch_size(arguments.whole("batch-size"))
          .workers(arguments.whole("workers")));
  Progress progress(
      std::cerr,
      standard_error_progress(arguments.flag("quiet")),
      part,
      static_cast<int64_t>(size),
      "images");
  FeatureMatrix matrix(static_cast<int64_t>(size));
  std::vector<at::Tensor> targets;
  int64_t done = 0;
  while (auto batch = loader.next()) {
    const auto read = batch->target.ge(0).nonzero().squeeze(1);  // without bad images
    if (read.numel() > 0) {
      const auto features = predictor.features(batch->data.index_select(0, read));  // [B, C]
      for (int64_t i = 0; i < read.numel(); ++i) {
        matrix.add(features[i]);
      }
      targets.push_back(batch->target.index_select(0, read));
    }
    bad_images.write(progress);
    progress.update(done += batch->target.size(0));
  }
  progress.hide();
  if (targets.empty()) {
    throw Error(
        printable(arguments.text("knn")) + ": none of the images of " + part + " can be read");
  }
  status = bad_images.any() ? 1 : status;
  return {matrix.tensor(), at::cat(targets)};
}

}  // namespace

int evaluate_neighbours(const Arguments& arguments, const Predictor& predictor) {
  const auto splits = find_splits(arguments, arguments.text("knn"));
  const auto options =
      KnnOptions().k(arguments.whole("neighbours")).temperature(arguments.real("temperature"));
  int status = 0;
  const auto references = extract(arguments, predictor, splits.train, "train", status);
  const auto queries = extract(arguments, predictor, splits.val, "val", status);
  const auto classes = static_cast<int64_t>(splits.train.classes.size());
  const auto accuracy = knn_accuracy(queries, references, classes, options);
  const auto images = queries.targets.size(0);
  const auto known = references.targets.size(0);
  if (arguments.text("format") == "json") {
    std::cout << to_line(
                     {{"top1", accuracy.top1},
                      {"top5", accuracy.top5},
                      {"k", options.k()},
                      {"temperature", options.temperature()},
                      {"images", images},
                      {"train_images", known}})
              << '\n';
  } else {
    std::cout << "top-1 " << percent(accuracy.top1) << ", top-5 " << percent(accuracy.top5)
              << ", k " << options.k() << ", temperature " << float_text(options.temperature())
              << ", " << images << " images by " << known << " of train\n";
  }
  return status;
}

}  // namespace vitrine

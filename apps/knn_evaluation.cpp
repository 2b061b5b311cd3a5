#include "knn_evaluation.h"

#include <ATen/Functions.h>

#include <iostream>
#include <string>
#include <vector>

#include "vitrine/data/image_folder.h"
#include "vitrine/error.h"
#include "vitrine/infer/knn.h"
#include "vitrine/text.h"

#include "feature_writer.h"
#include "image_loop.h"
#include "json_text.h"
#include "percent.h"

namespace vitrine {
namespace {

/// The features of those images of `part` that can be read; `status` becomes 1 where some cannot.
LabelledFeatures extract(
    const Arguments& arguments,
    const Predictor& predictor,
    const ImageFolder& folder,
    const std::string& part,
    int& status) {
  std::vector<Input> inputs;
  inputs.reserve(folder.samples.size());
  for (const auto& sample : folder.samples) {
    inputs.push_back({sample.path, ""});
  }
  FeatureMatrix matrix(static_cast<int64_t>(inputs.size()));
  std::vector<int64_t> targets;
  at::Tensor features;  // [B, C]
  ImageHandler handler;
  handler.compute = [&](const at::Tensor& batch) { features = predictor.features(batch); };
  handler.write = [&](std::size_t index, std::size_t row) {
    matrix.add(features[static_cast<int64_t>(row)]);
    targets.push_back(folder.samples[index].label);
  };
  handler.write_error = [&](std::size_t, const std::string&) { status = 1; };
  for_each_image(arguments, inputs, predictor.card().preprocess, part, handler);
  if (targets.empty()) {
    throw Error(
        printable(arguments.text("knn")) + ": none of the images in " + part + "/ can be read");
  }
  return {matrix.tensor(), at::tensor(targets, at::kLong)};
}

}  // namespace

int evaluate_neighbours(const Arguments& arguments, const Predictor& predictor) {
  const auto splits = scan_image_splits(arguments.text("knn"));
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
              << ", " << images << " images by " << known << " of train/\n";
  }
  return status;
}

}  // namespace vitrine

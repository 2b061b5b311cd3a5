// Times the loading of images (loader.py):
//
//   vitrine_loader_time DATA WORKERS train|eval
//
// DATA is as for 'vitrine train', of which the images to train on are taken. Prints the images per
// second of one pass over them in batches of 32 at 224 pixels, for each line on standard input.

#include "vitrine/data/loader.h"

#include <torch/data/samplers/sequential.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "vitrine/data/augment.h"
#include "vitrine/data/image_data.h"
#include "vitrine/data/image_dataset.h"
#include "vitrine/image/preprocess.h"

namespace {

vitrine::ImageDataset open_data(const std::string& path, bool augment) {
  const vitrine::PreprocessOptions size;
  auto samples = vitrine::scan_image_part(path, "train").samples;
  if (augment) {
    return {std::move(samples), vitrine::TrainTransform(vitrine::AugmentOptions(), size)};
  }
  return {std::move(samples), [size](const torch::Tensor& image, at::Generator&) {
            return vitrine::preprocess(image, size);
          }};
}

double images_per_second(const vitrine::ImageDataset& data, int64_t workers) {
  const auto size = data.size().value();
  const auto start = std::chrono::steady_clock::now();
  vitrine::BatchLoader loader(
      data,
      torch::data::samplers::SequentialSampler(size),
      vitrine::LoaderOptions().batch_size(32).workers(workers));
  while (loader.next()) {
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return static_cast<double>(size) / seconds.count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: vitrine_loader_time DATA WORKERS train|eval\n", stderr);
    return 2;
  }
  try {
    const auto data = open_data(argv[1], argv[3] == std::string("train"));
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << images_per_second(data, std::atoi(argv[2])) << std::endl;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vitrine_loader_time: %s\n", error.what());
    return 1;
  }
  return 0;
}

#include "vitrine/infer/image_stream.h"

#include <torch/data.h>

#include <exception>
#include <new>
#include <utility>

#include "vitrine/data/loader.h"
#include "vitrine/error.h"
#include "vitrine/image/image.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

/// The first line of an error, without the path that may stand before it.
std::string reason(const std::string& path, const std::string& message) {
  auto text = message.substr(0, message.find('\n'));
  const auto prefix = printable(path) + ": ";
  return text.rfind(prefix, 0) == 0 ? text.substr(prefix.size()) : text;
}

}  // namespace

namespace detail {

/// What the worker threads share.
struct StreamFiles {
  std::vector<std::string> paths;
  PreprocessOptions preprocess;
  bool by_workers = false;  // whether threads of the stream decode them, not the caller's
};

class StreamDataset final : public torch::data::Dataset<StreamDataset, StreamedImage> {
 public:
  explicit StreamDataset(std::shared_ptr<const StreamFiles> files) : files_(std::move(files)) {}

  StreamedImage get(std::size_t index) override {
    StreamedImage result;
    result.index = index;
    result.path = files_->paths[index];
    if (files_->by_workers) {
      enter_worker();
    }
    // An exception that leaves here would end the whole stream.
    try {
      result.image = preprocess(read_image(result.path), files_->preprocess);
    } catch (const Error& error) {
      result.error = reason(result.path, error.what());
    } catch (const c10::Error& error) {
      result.error = reason(result.path, error.what_without_backtrace());
    } catch (const std::bad_alloc&) {
      result.error = "there is not enough memory to decode it";
    } catch (const std::exception& error) {
      result.error = reason(result.path, error.what());
    }
    return result;
  }

  std::optional<std::size_t> size() const override { return files_->paths.size(); }

 private:
  std::shared_ptr<const StreamFiles> files_;
};

}  // namespace detail

class ImageStream::Loader {
 public:
  Loader(std::shared_ptr<const detail::StreamFiles> files, const ImageStreamOptions& options)
      : loader_(torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(
            detail::StreamDataset(std::move(files)),
            torch::data::DataLoaderOptions(options.batch_size()).workers(options.workers()))),
        current_(loader_->begin()) {}

  std::optional<std::vector<StreamedImage>> next() {
    if (started_ && current_ != loader_->end()) {
      ++current_;
    }
    started_ = true;
    if (current_ == loader_->end()) {
      return std::nullopt;
    }
    return std::move(*current_);
  }

 private:
  using Data = torch::data::
      StatelessDataLoader<detail::StreamDataset, torch::data::samplers::SequentialSampler>;

  std::unique_ptr<Data> loader_;
  torch::data::Iterator<detail::StreamDataset::BatchType> current_;
  bool started_ = false;
};

ImageStream::ImageStream(
    std::vector<std::string> paths,
    const PreprocessOptions& preprocess,
    const ImageStreamOptions& options) {
  TORCH_CHECK_VALUE(
      options.batch_size() > 0, "an image stream takes at least 1 file a step, got 0");
  auto files = std::make_shared<detail::StreamFiles>();
  files->paths = std::move(paths);
  files->preprocess = preprocess;
  files->by_workers = options.workers() > 0;
  loader_ = std::make_unique<Loader>(std::move(files), options);
}

ImageStream::ImageStream(ImageStream&&) noexcept = default;
ImageStream& ImageStream::operator=(ImageStream&&) noexcept = default;
ImageStream::~ImageStream() = default;

std::optional<std::vector<StreamedImage>> ImageStream::next() {
  return loader_->next();
}

}  // namespace vitrine

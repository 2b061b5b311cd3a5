#include "feature_writer.h"

#include <ATen/Functions.h>

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/file.h"
#include "vitrine/infer/npy.h"
#include "vitrine/text.h"
#include "vitrine/weights/safetensors.h"

#include "json_text.h"

namespace vitrine {
namespace {

class JsonFeatureWriter final : public FeatureWriter {
 public:
  explicit JsonFeatureWriter(const std::string& output) {
    if (!output.empty()) {
      file_.emplace(output, File::Mode::Write);
    }
  }

  void write(const std::string& file, const at::Tensor& features) override {
    const auto* values = features.const_data_ptr<float>();
    auto line = "{\"file\":" + to_line(file) + ",\"features\":[";
    for (std::int64_t i = 0; i < features.size(0); ++i) {
      line += (i == 0 ? "" : ",") + float_text(values[i]);
    }
    put(line + "]}\n");
  }

  void write_error(const std::string& file, const std::string& error) override {
    put(to_line({{"file", file}, {"error", error}}) + "\n");
  }

 private:
  void put(const std::string& line) {
    if (file_) {
      file_->write(line);
    } else {
      std::cout << line;
    }
  }

  std::optional<File> file_;
};

/// Fails now rather than after hours of work.
void check_writable(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    throw FileError(
        printable(path) + ": is a folder, a device or a pipe, expected a file to replace");
  }
  if (::access(parent.empty() ? "." : parent.c_str(), W_OK | X_OK) != 0) {
    throw FileError(printable(path) + ": cannot write: " + std::generic_category().message(errno));
  }
}

/// Keeps the features of all inputs, to write them as one matrix.
class MatrixWriter : public FeatureWriter {
 public:
  MatrixWriter(std::string output, const std::vector<Input>& inputs)
      : output_(std::move(output)), matrix_(static_cast<std::int64_t>(inputs.size())) {
    check_writable(output_);
  }

  void write(const std::string& file, const at::Tensor& features) override {
    matrix_.add(features);
    files_.push_back(file);
  }

  void write_error(const std::string& /*file*/, const std::string& /*error*/) override {}

  void finish() override {
    if (files_.empty()) {
      throw Error(printable(output_) + ": not written, for none of the images can be read");
    }
    save(output_, matrix_.tensor(), files_);
  }

 private:
  virtual void save(
      const std::string& output,
      const at::Tensor& matrix,
      const std::vector<std::string>& files) = 0;

  std::string output_;
  FeatureMatrix matrix_;
  std::vector<std::string> files_;
};

class NpyWriter final : public MatrixWriter {
 public:
  NpyWriter(const std::string& output, const std::vector<Input>& inputs)
      : MatrixWriter(output, inputs) {
    check_writable(output + kNames);
  }

 private:
  static constexpr const char* kNames = ".txt";

  void save(
      const std::string& output,
      const at::Tensor& matrix,
      const std::vector<std::string>& files) override {
    // The names come first: where the matrix is new, so are they.
    write_file_atomically(output + kNames, [&](File& names) {
      std::string text;
      for (const auto& file : files) {
        for (const char c : file) {
          text += c == '\n' ? "\\x0a" : c == '\r' ? "\\x0d" : std::string(1, c);
        }
        text += '\n';
      }
      names.write(text);
    });
    write_npy(output, matrix);
  }
};

class SafetensorsWriter final : public MatrixWriter {
 public:
  SafetensorsWriter(const std::string& output, const std::vector<Input>& inputs)
      : MatrixWriter(output, inputs) {
    constexpr std::size_t kMostBytes = 80'000'000;  // the format allows 100 MB for its header
    constexpr std::size_t kPunctuation = 5;
    std::size_t bytes = 0;
    for (const auto& input : inputs) {
      bytes += input.path.size() + kPunctuation;
    }
    if (bytes > kMostBytes) {
      throw Error(
          printable(output) + ": the names of " + std::to_string(inputs.size()) +
          " files are too long for the header of a safetensors file; npy keeps them beside");
    }
  }

 private:
  void save(
      const std::string& output,
      const at::Tensor& matrix,
      const std::vector<std::string>& files) override {
    // "pt" is what the format's Python library asks for.
    write_safetensors(
        output, {{"features", matrix}}, {{"format", "pt"}, {"files", to_line(files)}});
  }
};

}  // namespace

void FeatureMatrix::add(const at::Tensor& row) {
  if (rows_ == 0) {
    matrix_ = at::empty({most_rows_, row.size(0)}, row.options());
  }
  matrix_[rows_++].copy_(row);
}

std::unique_ptr<FeatureWriter> make_feature_writer(
    const std::string& format, const std::string& output, const std::vector<Input>& inputs) {
  if (format == "npy") {
    return std::make_unique<NpyWriter>(output, inputs);
  }
  if (format == "safetensors") {
    return std::make_unique<SafetensorsWriter>(output, inputs);
  }
  return std::make_unique<JsonFeatureWriter>(output);
}

}  // namespace vitrine

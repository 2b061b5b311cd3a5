#include "predictions.h"

#include <charconv>
#include <cstdio>

#include "vitrine/text.h"

#include "inputs.h"
#include "json_text.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

/// `float_text` as a number of JSON.
double json_float(double value) {
  const auto text = float_text(value);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// `text` with U+FFFD in place of bytes that are not UTF-8.
std::string utf8(const std::string& text) {
  return ordered_json::parse(to_line(text)).get<std::string>();
}

/// A field of a CSV row, quoted where it must be.
std::string csv_field(const std::string& text) {
  auto valid = utf8(text);
  if (valid.find_first_of("\",\r\n") == std::string::npos) {
    return valid;
  }
  std::string field = "\"";
  for (const char c : valid) {
    field += c == '"' ? "\"\"" : std::string(1, c);
  }
  return field + '"';
}

class JsonPredictionWriter final : public PredictionWriter {
 public:
  using PredictionWriter::PredictionWriter;

  void write(const std::string& file, const std::vector<Prediction>& predictions) override {
    auto list = ordered_json::array();
    for (const auto& prediction : predictions) {
      list.push_back(
          {{"index", prediction.index},
           {"label", prediction.label},
           {"probability", json_float(prediction.probability)},
           {"logit", json_float(prediction.logit)}});
    }
    stream_ << to_line({{"file", file}, {"predictions", std::move(list)}}) << '\n';
  }

  void write_error(const std::string& file, const std::string& error) override {
    stream_ << to_line({{"file", file}, {"error", error}}) << '\n';
  }
};

class CsvWriter final : public PredictionWriter {
 public:
  explicit CsvWriter(std::ostream& stream) : PredictionWriter(stream) {
    stream_ << "file,rank,index,label,probability,logit,error\n";
  }

  void write(const std::string& file, const std::vector<Prediction>& predictions) override {
    int rank = 0;
    for (const auto& prediction : predictions) {
      stream_ << csv_field(file) << ',' << ++rank << ',' << prediction.index << ','
              << csv_field(prediction.label) << ',' << float_text(prediction.probability) << ','
              << float_text(prediction.logit) << ",\n";
    }
  }

  void write_error(const std::string& file, const std::string& error) override {
    stream_ << csv_field(file) << ",,,,,," << csv_field(error) << '\n';
  }
};

class TableWriter final : public PredictionWriter {
 public:
  using PredictionWriter::PredictionWriter;

  void write(const std::string& file, const std::vector<Prediction>& predictions) override {
    stream_ << path_text(file) << '\n';
    for (const auto& prediction : predictions) {
      char numbers[96];
      std::snprintf(
          numbers,
          sizeof(numbers),
          "  %6.2f %%  %8.3f  %5lld  ",
          prediction.probability * 100,
          prediction.logit,
          static_cast<long long>(prediction.index));
      stream_ << numbers << printable(prediction.label) << '\n';
    }
  }

  void write_error(const std::string&, const std::string&) override {}
};

}  // namespace

std::unique_ptr<PredictionWriter> make_prediction_writer(
    const std::string& format, std::ostream& stream) {
  if (format == "jsonl") {
    return std::make_unique<JsonPredictionWriter>(stream);
  }
  if (format == "csv") {
    return std::make_unique<CsvWriter>(stream);
  }
  return std::make_unique<TableWriter>(stream);
}

}  // namespace vitrine

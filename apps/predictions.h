#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "vitrine/infer/predictor.h"

namespace vitrine {

/// Writes answers, one input after the other, in one format.
class PredictionWriter {
 public:
  explicit PredictionWriter(std::ostream& stream) : stream_(stream) {}
  PredictionWriter(const PredictionWriter&) = delete;
  PredictionWriter& operator=(const PredictionWriter&) = delete;
  virtual ~PredictionWriter() = default;

  virtual void write(const std::string& file, const std::vector<Prediction>& predictions) = 0;
  /// What the format has to say of an input that failed; standard error tells it anyway.
  virtual void write_error(const std::string& file, const std::string& error) = 0;

 protected:
  std::ostream& stream_;
};

/// The writer for "table", "jsonl" or "csv".
///
/// jsonl: one object an input, {"file", "predictions": [{"index", "label", "probability", "logit"},
/// ...]} or {"file", "error"}. csv (RFC 4180): file,rank,index,label,probability,logit,error, one
/// row a prediction or failure. Bytes of a name that are not UTF-8 become U+FFFD in both. table:
/// one block an input, for people.
std::unique_ptr<PredictionWriter> make_prediction_writer(
    const std::string& format, std::ostream& stream);

}  // namespace vitrine

#include "safetensors_header.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine::detail {
namespace {

constexpr std::size_t kMaxJsonDepth = 127;    // as the reference reader
constexpr std::size_t kMaxMetadata = 100000;  // entries of a map cost far more memory than bytes

/// Receives the parser's events and builds the entries, refusing anything out of place at once, so
/// that memory grows only with what has passed.
class HeaderHandler {
 public:
  explicit HeaderHandler(const std::string& subject) : subject_(subject) {}

  SafetensorsHeader take() { return std::move(header_); }

  [[noreturn]] void fail(const std::string& message) const {
    throw CheckpointError(subject_ + ": " + message);
  }

  // The parser's events, under the names that it calls.
  bool null() {
    if (place_ == Place::Header && name_ == kMetadataKey) {
      return true;
    }
    return other("null");
  }
  bool boolean(bool value) { return other(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) {
    // Only numbers with a minus sign come here.
    return other(value == 0 ? "-0" : std::to_string(value));
  }
  bool number_unsigned(std::uint64_t value);
  bool number_float(double /*value*/, const std::string& text) {
    return other(printable(text, 40));
  }
  bool string(std::string& value);
  bool binary(std::vector<std::uint8_t>& /*value*/) { return other("binary data"); }
  bool start_object(std::size_t /*count*/);
  bool key(std::string& value);
  bool end_object();
  bool start_array(std::size_t /*count*/);
  bool end_array();
  bool parse_error(
      std::size_t position,
      const std::string& token,
      const nlohmann::detail::exception& /*error*/) {
    fail(
        "the header is not valid JSON, at its byte " + std::to_string(position) +
        (token.empty() ? "" : " ('" + printable(token, 40) + "')"));
  }

 private:
  enum class Place { Start, Header, Metadata, Entry, Shape, Offsets, Ignored };
  enum class Field { Dtype, Shape, Offsets, Unknown };

  static constexpr const char* kMetadataKey = "__metadata__";

  std::string entry_name() const { return "tensor '" + printable(name_) + "'"; }
  bool other(const std::string& what);
  bool enter(Place place);
  void check_new(bool seen, const char* field) const;
  void finish_entry();

  const std::string& subject_;
  SafetensorsHeader header_;
  Place place_ = Place::Start;
  std::size_t depth_ = 0;
  std::size_t ignored_depth_ = 0;  // depth at which the value that is ignored began
  bool has_metadata_ = false;

  // The entry that is being read.
  std::string name_;
  std::string metadata_name_;
  Field field_ = Field::Unknown;
  std::optional<Dtype> dtype_;
  std::vector<std::int64_t> shape_;
  std::vector<std::uint64_t> offsets_;
  bool has_shape_ = false;
  bool has_offsets_ = false;
};

/// A value that has no place where it stands.
bool HeaderHandler::other(const std::string& what) {
  switch (place_) {
    case Place::Start:
      fail("the header is " + what + ", expected a JSON object");
    case Place::Header:
      fail(
          name_ == kMetadataKey ? "__metadata__ is " + what + ", expected an object of strings"
                                : entry_name() + " is " + what + ", expected an object");
    case Place::Metadata:
      fail("metadata '" + printable(metadata_name_) + "' is " + what + ", expected a string");
    case Place::Entry:
      if (field_ == Field::Unknown) {
        return true;
      }
      fail(
          entry_name() + ": " +
          (field_ == Field::Dtype   ? "dtype is " + what + ", expected a string"
           : field_ == Field::Shape ? "shape is " + what + ", expected a list"
                                    : "data_offsets is " + what + ", expected a list"));
    case Place::Shape:
      fail(
          entry_name() + ": a dimension is " + what +
          ", expected a whole number from 0 to 2^63 - 1");
    case Place::Offsets:
      fail(
          entry_name() + ": an offset is " + what + ", expected a whole number from 0 to 2^64 - 1");
    case Place::Ignored:
      break;
  }
  return true;
}

bool HeaderHandler::enter(Place place) {
  if (++depth_ > kMaxJsonDepth) {
    fail(
        "the header nests deeper than " + std::to_string(kMaxJsonDepth) +
        " levels: recursion limit");
  }
  if (place == Place::Ignored && place_ != Place::Ignored) {
    ignored_depth_ = depth_;
  }
  place_ = place;
  return true;
}

bool HeaderHandler::number_unsigned(std::uint64_t value) {
  if (place_ == Place::Shape) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return other(std::to_string(value));
    }
    if (shape_.size() == kMaxDimensions) {
      fail(entry_name() + ": has more than " + std::to_string(kMaxDimensions) + " dimensions");
    }
    shape_.push_back(static_cast<std::int64_t>(value));
    return true;
  }
  if (place_ == Place::Offsets) {
    if (offsets_.size() == 2) {
      fail(entry_name() + ": data_offsets has more than 2 elements, expected begin and end");
    }
    offsets_.push_back(value);
    return true;
  }
  return other(std::to_string(value));
}

bool HeaderHandler::string(std::string& value) {
  if (place_ == Place::Metadata) {
    if (header_.metadata.size() == kMaxMetadata) {
      fail("the metadata has more than " + std::to_string(kMaxMetadata) + " entries");
    }
    if (header_.metadata.count(metadata_name_) != 0) {
      fail("duplicate metadata '" + printable(metadata_name_) + "'");
    }
    header_.metadata.emplace(std::move(metadata_name_), std::move(value));
    return true;
  }
  if (place_ == Place::Entry && field_ == Field::Dtype) {
    dtype_ = find_dtype(value);
    if (!dtype_) {
      fail(entry_name() + ": unknown dtype '" + printable(value, 40) + "'");
    }
    return true;
  }
  return other("the string '" + printable(value, 40) + "'");
}

bool HeaderHandler::start_object(std::size_t /*count*/) {
  switch (place_) {
    case Place::Start:
      return enter(Place::Header);
    case Place::Header:
      return enter(name_ == kMetadataKey ? Place::Metadata : Place::Entry);
    case Place::Entry:
      if (field_ == Field::Unknown) {
        return enter(Place::Ignored);
      }
      return other("an object");
    case Place::Ignored:
      return enter(Place::Ignored);
    default:
      return other("an object");
  }
}

bool HeaderHandler::key(std::string& value) {
  switch (place_) {
    case Place::Header:
      name_ = std::move(value);
      if (name_ == kMetadataKey) {
        if (has_metadata_) {
          fail("duplicate __metadata__");
        }
        has_metadata_ = true;
      }
      break;
    case Place::Metadata:
      metadata_name_ = std::move(value);
      break;
    case Place::Entry:
      field_ = value == "dtype"          ? Field::Dtype
               : value == "shape"        ? Field::Shape
               : value == "data_offsets" ? Field::Offsets
                                         : Field::Unknown;
      check_new(field_ == Field::Dtype && dtype_, "dtype");
      check_new(field_ == Field::Shape && has_shape_, "shape");
      check_new(field_ == Field::Offsets && has_offsets_, "data_offsets");
      break;
    default:
      break;
  }
  return true;
}

bool HeaderHandler::end_object() {
  if (place_ == Place::Entry) {
    finish_entry();
  }
  if (place_ != Place::Ignored) {
    place_ = place_ == Place::Header ? Place::Start : Place::Header;
  } else if (depth_ == ignored_depth_) {
    place_ = Place::Entry;
  }
  --depth_;
  return true;
}

bool HeaderHandler::start_array(std::size_t /*count*/) {
  if (place_ == Place::Entry && field_ == Field::Shape) {
    has_shape_ = true;
    return enter(Place::Shape);
  }
  if (place_ == Place::Entry && field_ == Field::Offsets) {
    has_offsets_ = true;
    return enter(Place::Offsets);
  }
  if (place_ == Place::Ignored || (place_ == Place::Entry && field_ == Field::Unknown)) {
    return enter(Place::Ignored);
  }
  return other("a list");
}

bool HeaderHandler::end_array() {
  if (place_ != Place::Ignored || depth_ == ignored_depth_) {
    place_ = Place::Entry;
  }
  --depth_;
  return true;
}

void HeaderHandler::check_new(bool seen, const char* field) const {
  if (seen) {
    fail(entry_name() + ": duplicate field " + field);
  }
}

void HeaderHandler::finish_entry() {
  if (!dtype_ || !has_shape_ || !has_offsets_) {
    fail(entry_name() + ": has no " + (!dtype_ ? "dtype" : has_shape_ ? "data_offsets" : "shape"));
  }
  if (offsets_.size() != 2) {
    fail(
        entry_name() + ": data_offsets has " + std::to_string(offsets_.size()) +
        " elements, expected begin and end");
  }
  const auto begin = offsets_[0];
  const auto end = offsets_[1];
  if (begin > end) {
    fail(
        entry_name() + ": data_offsets begin at " + std::to_string(begin) +
        ", after their end at " + std::to_string(end));
  }
  const auto bits = bits_of(shape_, *dtype_);
  if (!bits) {
    fail(entry_name() + ": the number of its elements or bytes overflows");
  }
  if (*bits % 8 != 0) {
    fail(
        entry_name() + ": its " + std::to_string(*bits) + " bits (" + dtype_name(*dtype_) +
        ") do not fill whole bytes");
  }
  if (end - begin != *bits / 8) {
    fail(
        entry_name() + ": data_offsets hold " + std::to_string(end - begin) +
        " bytes, but its shape and dtype need " + std::to_string(*bits / 8));
  }
  header_.tensors.push_back({std::move(name_), *dtype_, shape_, begin, end});
  name_.clear();
  dtype_.reset();
  shape_.clear();
  offsets_.clear();
  has_shape_ = has_offsets_ = false;
}

void check_unique_names(const HeaderHandler& handler, const std::vector<TensorEntry>& tensors) {
  std::vector<const std::string*> names;
  names.reserve(tensors.size());
  for (const auto& tensor : tensors) {
    names.push_back(&tensor.name);
  }
  const auto less = [](const auto* a, const auto* b) { return *a < *b; };
  std::sort(names.begin(), names.end(), less);
  const auto equal = [](const auto* a, const auto* b) { return *a == *b; };
  const auto twice = std::adjacent_find(names.begin(), names.end(), equal);
  if (twice != names.end()) {
    handler.fail("duplicate tensor '" + printable(**twice) + "'");
  }
}

/// Checks that the tensors, sorted by offset, fill the data without a gap or an overlap.
void check_offsets(
    const HeaderHandler& handler,
    const std::vector<TensorEntry>& tensors,
    std::uint64_t data_size) {
  std::uint64_t expected = 0;
  for (const auto& tensor : tensors) {
    if (tensor.begin != expected) {
      handler.fail(
          "invalid offset: tensor '" + printable(tensor.name) + "' begins at byte " +
          std::to_string(tensor.begin) + " of the data, expected " + std::to_string(expected) +
          (tensor.begin < expected ? ", as it overlaps another"
                                   : ", as bytes must not be left out"));
    }
    expected = tensor.end;
  }
  if (expected > data_size) {
    handler.fail(
        "cut short: its tensors need " + std::to_string(expected) + " bytes of data, but it has " +
        std::to_string(data_size) + "; is the download incomplete?");
  }
  if (expected < data_size) {
    handler.fail(
        "its data is not fully covered: the tensors end at byte " + std::to_string(expected) +
        " of " + std::to_string(data_size));
  }
}

}  // namespace

std::uint64_t parse_header_length(
    const std::uint8_t* prefix, std::uint64_t file_size, const std::string& subject) {
  std::uint64_t length = 0;
  for (std::size_t i = kHeaderPrefix; i > 0; --i) {
    length = length << 8 | prefix[i - 1];
  }
  if (length > kMaxHeader) {
    throw CheckpointError(
        subject + ": is no safetensors file: header too large, " + std::to_string(length) +
        " bytes, expected at most " + std::to_string(kMaxHeader));
  }
  if (kHeaderPrefix + length > file_size) {
    throw CheckpointError(
        subject + ": invalid header length " + std::to_string(length) + ": the file has only " +
        std::to_string(file_size) + " bytes; is the download incomplete?");
  }
  return length;
}

SafetensorsHeader parse_header(
    std::string_view json, std::uint64_t data_size, const std::string& subject) {
  HeaderHandler handler(subject);
  // The parser below would skip a byte order mark, and take a NUL for the end of the text.
  if (json.substr(0, 3) == "\xEF\xBB\xBF") {
    handler.fail("the header is not valid JSON: it begins with a byte order mark");
  }
  const auto nul = json.find('\0');
  if (nul != std::string_view::npos) {
    handler.fail("the header is not valid JSON: NUL at its byte " + std::to_string(nul));
  }
  nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
  auto header = handler.take();
  check_unique_names(handler, header.tensors);
  std::stable_sort(header.tensors.begin(), header.tensors.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.begin, a.end) < std::make_pair(b.begin, b.end);
  });
  check_offsets(handler, header.tensors, data_size);
  return header;
}

}  // namespace vitrine::detail

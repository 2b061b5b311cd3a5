#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace vitrine::detail {

/// Throws CheckpointError, beginning with `subject`, when a JSON text would take much memory or a
/// deep stack: more than 4 MiB, 100,000 objects and lists, or 64 of them within each other.
void check_json_size(const std::string& text, const std::string& subject);

/// Parses the text of a small JSON file, a card or a configuration. Throws CheckpointError,
/// beginning with `subject`, when it is no JSON object, or too large (`check_json_size`).
nlohmann::json parse_json_object(const std::string& text, const std::string& subject);

/// One object of such a JSON. Fields that it does not have are left alone, fields of another type
/// than expected are a CheckpointError.
class JsonFields {
 public:
  using Json = nlohmann::json;

  /// `object` must outlive this; messages name fields with `prefix` before them.
  JsonFields(const Json& object, std::string subject, std::string prefix)
      : object_(object), subject_(std::move(subject)), prefix_(std::move(prefix)) {}

  [[noreturn]] void fail(const std::string& field, const std::string& message) const;

  /// The value of a field, or null.
  const Json* find(const char* field) const;
  /// The object `field`, or an empty one.
  const Json& object(const char* field) const;
  /// The list `field`, or null.
  const Json* array(const char* field) const;

  // `value` as what it should be; `field` is how messages call it.
  std::string text(const std::string& field, const Json& value) const;
  std::int64_t integer(const std::string& field, const Json& value) const;
  double number(const std::string& field, const Json& value) const;

  // Sets `result` to the value of `field`, where it is there.
  void read(const char* field, std::string& result) const;
  void read(const char* field, std::int64_t& result) const;
  void read(const char* field, double& result) const;

 private:
  const Json& object_;
  std::string subject_;
  std::string prefix_;
};

}  // namespace vitrine::detail

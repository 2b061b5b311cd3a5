#include "vitrine/error.h"

#include "vitrine/text.h"

namespace vitrine {
namespace {

/// Names that a message can list where none is near.
constexpr std::size_t kFewEnough = 10;

std::string unknown_name_message(
    const std::string& kind, const std::string& name, const std::vector<std::string>& candidates) {
  const auto nearest = nearest_names(name, candidates);
  return "unknown " + kind + " '" + printable(name) + "'" +
         (!nearest.empty()                  ? "; the nearest: " + join(nearest, ", ")
          : candidates.size() <= kFewEnough ? "; there are: " + join(candidates, ", ")
                                            : "");
}

}  // namespace

// Defined here so that each class has one vtable, in this library, and can be caught across it.
Error::~Error() = default;
FileError::~FileError() = default;
ImageError::~ImageError() = default;
CheckpointError::~CheckpointError() = default;

UnknownNameError::UnknownNameError(
    const std::string& kind, const std::string& name, const std::vector<std::string>& candidates)
    : Error(unknown_name_message(kind, name, candidates)) {}

UnknownNameError::~UnknownNameError() = default;

}  // namespace vitrine

#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "vitrine/export.h"

namespace vitrine {

/// A fault of the world outside the program: a file, a checkpoint, a name that nobody knows. A
/// mistake of the calling code (an option out of range, a wrong shape) is a c10::ValueError
/// instead.
///
/// `what()` is one line: the subject, what was found, what was expected, and the likely cause or
/// the nearest valid names.
class VITRINE_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Error() override;
};

/// A file or folder that is missing, unreadable, unwritable, or not what it should be.
class VITRINE_API FileError : public Error {
 public:
  using Error::Error;
  ~FileError() override;
};

/// An image that is damaged, of an unknown kind, or beyond a limit.
class VITRINE_API ImageError : public FileError {
 public:
  using FileError::FileError;
  ~ImageError() override;
};

/// A checkpoint that is damaged, or whose tensors do not fit the model.
class VITRINE_API CheckpointError : public FileError {
 public:
  using FileError::FileError;
  ~CheckpointError() override;
};

/// A model, or an option of a model, that does not exist.
class VITRINE_API UnknownNameError : public Error {
 public:
  /// `kind` is what was looked for, such as "model"; `candidates` are the names there are, of which
  /// the message suggests the nearest.
  UnknownNameError(
      const std::string& kind, const std::string& name, const std::vector<std::string>& candidates);
  ~UnknownNameError() override;
};

}  // namespace vitrine

#pragma once

#include <string>

#include "vitrine/error.h"

namespace vitrine {

/// Text of the FileError that `action` throws, or "no error".
template <typename Action>
std::string file_error_of(const Action& action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace vitrine

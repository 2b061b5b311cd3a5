#pragma once

#include <string>

#include "byte_source.h"
#include "pth_content.h"

namespace vitrine::detail {

/// Reads the form before that, `_use_new_zipfile_serialization=False` today: five pickles (a magic
/// number, the protocol's version, the machine's, the object, the storages' keys), then for each
/// key the number of elements and their bytes, up to the end of the file. Throws CheckpointError,
/// beginning with `subject`.
PthContent read_legacy_stream(const ByteSource& source, const std::string& subject);

}  // namespace vitrine::detail

#pragma once

#include <string>

#include "byte_source.h"
#include "pth_content.h"

namespace vitrine::detail {

/// Reads the form that torch.save has written since PyTorch 1.6: a zip archive with the members
/// <folder>/data.pkl, <folder>/data/<key> for each storage and, since 2.1, <folder>/byteorder.
/// TorchScript's archives are refused. Throws CheckpointError, beginning with `subject`.
PthContent read_torch_zip(const ByteSource& source, const std::string& subject);

}  // namespace vitrine::detail

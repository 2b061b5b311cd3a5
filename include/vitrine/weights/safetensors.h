#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "vitrine/export.h"
#include "vitrine/weights/state_dict.h"

namespace vitrine {

/// Free text by name, beside the tensors of a safetensors file.
using Metadata = std::map<std::string, std::string>;

/// A safetensors file: its tensors, in file order, and its metadata.
struct Safetensors {
  StateDict tensors;
  Metadata metadata;
};

/// Reads a safetensors file after its header has been checked in full. Tensors are the caller's
/// own, on the CPU. Throws CheckpointError, naming the file, the tensor and the fault.
VITRINE_API Safetensors read_safetensors(const std::string& path);

/// The metadata alone; no tensor is read.
VITRINE_API Metadata read_safetensors_metadata(const std::string& path);

/// Writes `tensors` (any device, any strides) to `path`, atomically and durably. Throws FileError
/// when that fails, leaving the old file as it was; c10::ValueError on a dtype that the format does
/// not have.
VITRINE_API void write_safetensors(
    const std::string& path, const StateDict& tensors, const Metadata& metadata = {});

}  // namespace vitrine

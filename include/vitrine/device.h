#pragma once

#include <c10/core/Device.h>

#include <string>

#include "vitrine/export.h"

namespace vitrine {

/// Opens LibTorch's CUDA part and gives whether CUDA can be used now.
///
/// vitrine links only the CPU part, which starts faster and runs where there is no driver. Call
/// this before anything else of LibTorch, first thing in `main`: a tensor or a seed made earlier
/// leaves CUDA off for the whole process. Where there is no driver nothing is opened. Calling it
/// again does nothing.
VITRINE_API bool enable_cuda();

/// Why `enable_cuda` gave false, as one line; empty when CUDA can be used.
VITRINE_API std::string cuda_problem();

/// The device that `name` stands for: "cpu", "cuda", "cuda:N", or "auto": the first GPU, else the
/// CPU. Throws Error when the name is none of these, or the device does not exist here.
VITRINE_API c10::Device find_device(const std::string& name);

}  // namespace vitrine

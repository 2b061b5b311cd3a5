#include "vitrine/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/Allocator.h>

#include <algorithm>
#include <dlfcn.h>
#include <string>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

/// The folder that holds the LibTorch this process runs with.
std::string libtorch_folder() {
  Dl_info info{};
  // Any function that libc10 defines tells where it lies; its neighbours lie with it.
  if (::dladdr(reinterpret_cast<void*>(&c10::GetAllocator), &info) == 0 || !info.dli_fname) {
    return "";
  }
  const std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/') + 1);
}

/// Opens the CUDA part; gives the problem, or nothing.
std::string open_cuda() {
  if (::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) == nullptr) {
    return "this machine has no NVIDIA driver";
  }
  const auto path = libtorch_folder() + "libtorch_cuda.so";
  if (::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = ::dlerror();
    return "LibTorch's CUDA part does not open (" + printable(reason ? reason : path) +
           "); './dev setup --cuda' adds what it needs";
  }
  if (!at::globalContext().hasCUDA()) {
    return "LibTorch was used before its CUDA part was opened, or its driver is too old";
  }
  return at::detail::getCUDAHooks().deviceCount() > 0 ? "" : "the NVIDIA driver shows no GPU";
}

}  // namespace

std::string cuda_problem() {
  static const std::string problem = open_cuda();
  return problem;
}

bool enable_cuda() {
  return cuda_problem().empty();
}

c10::Device find_device(const std::string& name) {
  if (name == "cpu") {
    return c10::kCPU;
  }
  if (name == "auto") {
    return enable_cuda() ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
  }
  const bool numbered =
      name.rfind("cuda:", 0) == 0 && name.size() > 5 && name.size() < 9 &&
      std::all_of(name.begin() + 5, name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (name != "cuda" && !numbered) {
    throw Error("unknown device '" + printable(name) + "'; expected auto, cpu, cuda or cuda:N");
  }
  if (!enable_cuda()) {
    throw Error("device '" + name + "' cannot be used: " + cuda_problem());
  }
  const int index = numbered ? std::stoi(name.substr(5)) : 0;
  const auto count = at::detail::getCUDAHooks().deviceCount();
  if (index >= count) {
    throw Error(
        "device '" + name + "' does not exist: this machine has " + std::to_string(count) +
        " CUDA device" + (count == 1 ? "" : "s") + ", counted from cuda:0");
  }
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace vitrine

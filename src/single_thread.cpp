#include "single_thread.h"

#include <ATen/Parallel.h>

#include <dlfcn.h>

namespace vitrine::detail {

void use_single_thread() {
  // LibTorch sets a thread's number at its first use there; what is set before would be lost.
  at::get_num_threads();
  // at::set_num_threads would change MKL's number for the whole process. OpenMP keeps one a thread.
  // Its library came with LibTorch, under a name of LibTorch's own, so that it cannot be linked.
  using SetNumThreads = void (*)(int);
  auto* set = reinterpret_cast<SetNumThreads>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  if (set != nullptr) {
    set(1);
  }
}

}  // namespace vitrine::detail

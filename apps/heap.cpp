#include "heap.h"

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <malloc.h>
#include <memory>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace vitrine {

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

namespace {

/// Whether addresses cost nothing until they are used: under strict accounting they count at once.
bool overcommits() {
  std::ifstream setting("/proc/sys/vm/overcommit_memory");  // see proc_sys_vm(5)
  int value = 2;
  return setting >> value && value != 2;
}

bool is_unlimited(__rlimit_resource resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/// Gives the heap addresses of its own, half as many bytes as the machine has, and marks them for
/// huge pages. Memory comes with use.
void reserve_heap() {
  if (!overcommits() || !is_unlimited(RLIMIT_AS) || !is_unlimited(RLIMIT_DATA)) {
    return;  // others may need the addresses more
  }
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto bytes = page * static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) / 2;
  void* const block = std::malloc(bytes);
  void* begin = block;
  auto space = bytes;
  if (block != nullptr && std::align(page, page, begin, space) != nullptr) {
    ::madvise(begin, space, MADV_HUGEPAGE);
  }
  std::free(block);
}

}  // namespace

void keep_heap() {
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);
  ::mallopt(M_TOP_PAD, 64 << 20);
  reserve_heap();
}

void empty_heap() {
  ::malloc_trim(0);
  reserve_heap();
}

#else

void keep_heap() {}
void empty_heap() {}

#endif

}  // namespace vitrine

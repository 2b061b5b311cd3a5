#include "vitrine/data/loader.h"

#include "single_thread.h"

namespace vitrine::detail {

void enter_worker() {
  thread_local const bool entered = (use_single_thread(), true);
  static_cast<void>(entered);
}

}  // namespace vitrine::detail

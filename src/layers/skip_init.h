#pragma once

namespace vitrine::detail {

/// While one lives, what its thread builds gets no random values: a checkpoint will fill all of it.
/// Drawing them takes longer than reading those of a file.
class SkipInit {
 public:
  SkipInit();
  SkipInit(const SkipInit&) = delete;
  SkipInit& operator=(const SkipInit&) = delete;
  ~SkipInit();

 private:
  bool before_;
};

/// Whether this thread is to leave random values out.
bool skips_init();

}  // namespace vitrine::detail

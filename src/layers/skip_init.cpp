#include "layers/skip_init.h"

#include <utility>

namespace vitrine::detail {
namespace {

thread_local bool skips = false;

}  // namespace

SkipInit::SkipInit() : before_(std::exchange(skips, true)) {}

SkipInit::~SkipInit() {
  skips = before_;
}

bool skips_init() {
  return skips;
}

}  // namespace vitrine::detail

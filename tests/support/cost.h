#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

namespace vitrine {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

/// Time and memory that a call took.
struct Cost {
  double seconds = 0;
  std::int64_t peak_bytes = 0;  // resident memory at its highest, above that before the call
};

/// The value of a line of /proc/self/status, in bytes; 0 where there is none.
inline std::int64_t status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, name.size() + 1, name + ":") == 0) {
      return std::stoll(line.substr(name.size() + 1)) * 1024;
    }
  }
  return 0;
}

/// Runs `work` and measures it.
template <typename Work>
Cost measure(const Work& work) {
  std::ofstream("/proc/self/clear_refs") << "5";  // lowers the high-water mark to what is used now
  const auto before = status_bytes("VmRSS");
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return {seconds.count(), status_bytes("VmHWM") - before};
}

}  // namespace vitrine

#include "image/exif.h"

namespace vitrine::detail {

int exif_orientation(Bytes exif) {
  constexpr int kUpright = 1;
  constexpr std::uint64_t kTag = 0x0112;
  constexpr std::uint64_t kShort = 3;
  // Each read is preceded by `has`, so nothing here can throw.
  if (exif.is(0, {"Exif\0\0", 6})) {
    exif = exif.from(6);
  }
  const bool little = exif.is(0, {"II*\0", 4});
  if (!little && !exif.is(0, {"MM\0*", 4})) {
    return kUpright;
  }
  const auto order = little ? Bytes::Order::Little : Bytes::Order::Big;
  if (!exif.has(4, 4)) {
    return kUpright;
  }
  const std::uint64_t directory = exif.u32(4, order);
  if (!exif.has(directory, 2)) {
    return kUpright;
  }
  const std::uint64_t entries = exif.u16(directory, order);
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t entry = directory + 2 + 12 * i;
    if (!exif.has(entry, 12)) {
      return kUpright;
    }
    if (exif.u16(entry, order) == kTag) {
      const int value = exif.u16(entry + 8, order);
      const bool sound = exif.u16(entry + 2, order) == kShort && value >= 1 && value <= 8;
      return sound ? value : kUpright;
    }
  }
  return kUpright;
}

}  // namespace vitrine::detail

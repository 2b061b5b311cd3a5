#include "image/bytes.h"

#include <cstring>
#include <string>

#include "vitrine/error.h"

namespace vitrine::detail {

std::uint16_t Bytes::u16(std::uint64_t offset, Order order) const {
  require(offset, 2);
  const unsigned first = data_[offset];
  const unsigned second = data_[offset + 1];
  return static_cast<std::uint16_t>(
      order == Order::Little ? first | second << 8 : first << 8 | second);
}

std::uint32_t Bytes::u32(std::uint64_t offset, Order order) const {
  const std::uint32_t first = u16(offset, order);
  const std::uint32_t second = u16(offset + 2, order);
  return order == Order::Little ? first | second << 16 : first << 16 | second;
}

bool Bytes::is(std::uint64_t offset, std::string_view text) const {
  return has(offset, text.size()) && std::memcmp(data_ + offset, text.data(), text.size()) == 0;
}

void Bytes::throw_cut_short() const {
  throw_image_error(std::string(format_) + " is cut short");
}

void throw_image_error(const std::string_view& message) {
  throw ImageError(std::string(message));
}

}  // namespace vitrine::detail

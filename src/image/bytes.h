#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vitrine::detail {

/// A view of untrusted bytes. Every read is checked; one beyond the end throws ImageError,
/// "<format> is cut short".
class Bytes {
 public:
  enum class Order { Little, Big };

  Bytes(const std::uint8_t* data, std::size_t size, const char* format)
      : data_(data), size_(size), format_(format) {}

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  const char* format() const { return format_; }

  /// Whether the `count` bytes from `offset` on are all there; any values are allowed.
  bool has(std::uint64_t offset, std::uint64_t count) const {
    return count <= size_ && offset <= size_ - count;
  }
  /// Throws where `has` is false.
  void require(std::uint64_t offset, std::uint64_t count) const {
    if (!has(offset, count)) {
      throw_cut_short();
    }
  }
  /// The `count` bytes from `offset` on.
  Bytes part(std::uint64_t offset, std::uint64_t count) const {
    require(offset, count);
    return {data_ + offset, static_cast<std::size_t>(count), format_};
  }
  /// Everything from `offset` on.
  Bytes from(std::uint64_t offset) const {
    require(offset, 0);
    return {data_ + offset, static_cast<std::size_t>(size_ - offset), format_};
  }
  std::uint8_t u8(std::uint64_t offset) const {
    require(offset, 1);
    return data_[offset];
  }
  std::uint16_t u16(std::uint64_t offset, Order order) const;
  std::uint32_t u32(std::uint64_t offset, Order order) const;
  /// Whether `text` stands at `offset`.
  bool is(std::uint64_t offset, std::string_view text) const;

 private:
  [[noreturn]] void throw_cut_short() const;

  const std::uint8_t* data_;
  std::size_t size_;
  const char* format_;
};

inline constexpr auto kLittle = Bytes::Order::Little;
inline constexpr auto kBig = Bytes::Order::Big;

/// Throws ImageError with `message`, one line that begins with the format's name.
[[noreturn]] void throw_image_error(const std::string_view& message);

}  // namespace vitrine::detail

#include "event_file.h"

#include <array>
#include <cstring>

namespace vitrine::detail {
namespace {

std::array<std::uint32_t, 256> make_table() {
  constexpr std::uint32_t kReversedPolynomial = 0x82F63B78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    auto crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReversedPolynomial : 0);
    }
    table[i] = crc;
  }
  return table;
}

/// The lower `count` bytes of `value`, the lowest first.
std::string little_endian(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  return bytes;
}

/// The CRC as it is stored: a CRC of data that holds its own CRC would be a constant.
std::string masked_crc(std::string_view data) {
  const auto crc = crc32c(data.data(), data.size());
  return little_endian(((crc >> 15) | (crc << 17)) + 0xA282EAD8U, 4);
}

/// How the value of a field is written in a protocol buffer.
enum class Wire : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) {
    bytes += static_cast<char>((value & 0x7F) | 0x80);
  }
  return bytes + static_cast<char>(value);
}

std::string key(std::uint64_t number, Wire wire) {
  return varint(number << 3 | static_cast<std::uint64_t>(wire));
}

std::string double_field(std::uint64_t number, double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return key(number, Wire::Fixed64) + little_endian(bits, 8);
}

std::string float_field(std::uint64_t number, float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return key(number, Wire::Fixed32) + little_endian(bits, 4);
}

std::string bytes_field(std::uint64_t number, std::string_view value) {
  return key(number, Wire::Bytes) + varint(value.size()) + std::string(value);
}

}  // namespace

std::uint32_t crc32c(const void* data, std::size_t size) {
  static const auto table = make_table();
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  std::uint32_t crc = 0xFFFFFFFF;
  for (std::size_t i = 0; i < size; ++i) {
    crc = table[(crc ^ bytes[i]) & 0xFF] ^ (crc >> 8);
  }
  return ~crc;
}

std::string tf_record(std::string_view data) {
  const auto length = little_endian(data.size(), 8);
  return length + masked_crc(length) + std::string(data) + masked_crc(data);
}

// The numbers of the fields are those of tensorboard/compat/proto/{event,summary}.proto. A field of
// value 0 is left out, as proto3 does it.

std::string version_event(double wall_time) {
  return tf_record(
      double_field(/*wall_time*/ 1, wall_time) + bytes_field(/*file_version*/ 3, "brain.Event:2"));
}

std::string scalars_event(
    double wall_time,
    std::int64_t step,
    const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    // A member of a oneof, so written even where it is 0.
    summary += bytes_field(
        /*value*/ 1,
        bytes_field(/*tag*/ 1, tag) + float_field(/*simple_value*/ 2, static_cast<float>(value)));
  }
  auto event = double_field(/*wall_time*/ 1, wall_time);
  if (step != 0) {
    event += key(/*step*/ 2, Wire::Varint) + varint(static_cast<std::uint64_t>(step));
  }
  return tf_record(event + bytes_field(/*summary*/ 5, summary));
}

}  // namespace vitrine::detail

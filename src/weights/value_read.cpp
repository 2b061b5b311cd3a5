#include "value_read.h"

#include <algorithm>
#include <vector>

#include "checksum.h"
#include "finite_copy.h"

namespace vitrine::detail {
namespace {

/// Bytes read at once: enough to hide the cost of a call, few enough to stay in a cache until they
/// are copied.
constexpr std::uint64_t kReadAtOnce = std::uint64_t{128} << 10;
/// Bytes seen at once, and the fewest that are worth it; they count as memory of the process.
constexpr std::uint64_t kViewAtOnce = std::uint64_t{4} << 20;
constexpr std::uint64_t kLeastView = kReadAtOnce;

/// Looks at numbers piece by piece, and copies them where they are wanted.
class Reading {
 public:
  Reading(const ValueRead& how, void* out) : how_(how), out_(static_cast<char*>(out)) {}

  /// The numbers as they are.
  void take(const char* bytes, std::uint64_t size) {
    for (std::uint64_t done = 0; done < size; done += kReadAtOnce) {
      const auto count = std::min(kReadAtOnce, size - done);
      note_checksum(bytes + done, count);
      take_piece(bytes + done, count);
    }
  }

  /// Numbers of the file, which are made this machine's where they lie.
  void take_raw(char* bytes, std::uint64_t size) {
    note_checksum(bytes, size);
    normalize_values(how_, bytes, size);
    take_piece(bytes, size);
  }

  const ValuesFound& found() const { return found_; }

 private:
  void note_checksum(const char* bytes, std::uint64_t size) {
    if (how_.checksum) {
      found_.crc = update_crc(found_.crc, bytes, size);
    }
  }

  void take_piece(const char* bytes, std::uint64_t size) {
    if (out_ == nullptr) {
      found_.finite &= all_finite(how_.dtype, bytes, size);
    } else {
      found_.finite &= copy_finite(how_.dtype, bytes, out_, size);
      out_ += size;
    }
  }

  const ValueRead& how_;
  char* out_;
  ValuesFound found_;
};

}  // namespace

ValuesFound read_values(
    const ByteSource& source,
    std::uint64_t begin,
    std::uint64_t size,
    const ValueRead& how,
    void* out) {
  // One for each thread, as allocating costs more than reading what is in memory.
  thread_local std::vector<char> piece(kReadAtOnce);
  Reading reading(how, out);
  const bool as_they_are = !how.big_endian && how.dtype != Dtype::Bool;
  for (std::uint64_t done = 0; done < size;) {
    const auto rest = size - done;
    const auto seen = std::min(kViewAtOnce, rest);
    // What is seen spares a copy; to see little costs more than that.
    const auto view =
        as_they_are && rest >= kLeastView ? source.view(begin + done, seen) : FileView();
    if (view.data() != nullptr) {
      reading.take(view.data(), seen);
      done += seen;
    } else {
      const auto count = std::min(kReadAtOnce, rest);
      source.read_at(begin + done, piece.data(), count);
      reading.take_raw(piece.data(), count);
      done += count;
    }
  }
  return reading.found();
}

void normalize_values(const ValueRead& how, char* data, std::uint64_t size) {
  const auto number = dtype_bits(how.dtype) / 8;
  if (how.dtype == Dtype::Bool) {
    // Any byte but 0 and 1 in a bool is undefined behaviour.
    std::transform(data, data + size, data, [](char byte) { return static_cast<char>(byte != 0); });
  } else if (how.big_endian && number > 1) {
    const auto step = how.dtype == Dtype::C64 ? number / 2 : number;  // which is two numbers
    for (std::uint64_t i = 0; i < size; i += step) {
      std::reverse(data + i, data + i + step);
    }
  }
}

}  // namespace vitrine::detail

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "byte_source.h"

namespace vitrine::detail {

/// The longest pickle that is read. Those of the largest models take a few MB, as the numbers of
/// their tensors lie elsewhere.
constexpr std::uint64_t kMaxPickle = std::uint64_t{64} << 20;

/// A piece of a pickle's bytes: what a string's opcode says, without a copy of it.
struct PickleText {
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// The bytes of one pickle, read from a source as they are asked for, so that what says too much
/// about its length costs no more than what is there. Throws CheckpointError at the end.
class PickleStream {
 public:
  /// Bytes [begin, end) of `source`, which must outlive the stream. Messages begin with `subject`.
  PickleStream(
      const ByteSource& source, std::uint64_t begin, std::uint64_t end, std::string subject);

  /// The next byte, which is an opcode: the one that messages name.
  std::uint8_t opcode();
  /// The next `bytes` bytes (at most 8) as an unsigned number, the lowest byte first.
  std::uint64_t number(std::size_t bytes);
  /// The next `size` bytes.
  PickleText text(std::uint64_t size);
  /// The bytes up to the next line feed, which is skipped.
  PickleText line();

  std::string_view view(PickleText text) const;
  /// Bytes read so far, and bytes that may follow.
  std::uint64_t position() const { return next_; }
  std::uint64_t remaining() const { return size_ - next_; }
  /// The bytes read so far; the stream is of no more use.
  std::string take_bytes();

  /// Throws CheckpointError: `message` follows the name of the opcode that was read last.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  void need(std::uint64_t count);

  const ByteSource& source_;
  std::uint64_t begin_;
  std::uint64_t size_;
  std::string subject_;
  std::string bytes_;
  std::size_t next_ = 0;
  std::size_t opcode_at_ = 0;
  std::uint8_t opcode_ = 0;
};

}  // namespace vitrine::detail

#include "pickle_stream.h"

#include <algorithm>
#include <utility>

#include "vitrine/error.h"

#include "little_endian.h"
#include "pickle_opcode.h"

namespace vitrine::detail {
namespace {

constexpr std::uint64_t kFirstPiece = std::uint64_t{1} << 16;
constexpr std::size_t kMaxLine = 4096;  // names of modules and classes are short

}  // namespace

PickleStream::PickleStream(
    const ByteSource& source, std::uint64_t begin, std::uint64_t end, std::string subject)
    : source_(source), begin_(begin), size_(end - begin), subject_(std::move(subject)) {}

std::uint8_t PickleStream::opcode() {
  if (remaining() == 0) {
    throw CheckpointError(
        subject_ + " ends at its byte " + std::to_string(next_) +
        " without a STOP; is the download incomplete?");
  }
  need(1);
  opcode_at_ = next_;
  opcode_ = static_cast<std::uint8_t>(bytes_[next_++]);
  return opcode_;
}

std::uint64_t PickleStream::number(std::size_t bytes) {
  need(bytes);
  next_ += bytes;
  return little_endian(bytes_, next_ - bytes, bytes);
}

PickleText PickleStream::text(std::uint64_t size) {
  need(size);
  const PickleText result{next_, static_cast<std::size_t>(size)};
  next_ += result.size;
  return result;
}

PickleText PickleStream::line() {
  for (std::size_t size = 0; size < kMaxLine && size < remaining(); ++size) {
    need(size + 1);
    if (bytes_[next_ + size] == '\n') {
      const auto result = text(size);
      ++next_;
      return result;
    }
  }
  fail("has a line that does not end within " + std::to_string(kMaxLine) + " bytes");
}

std::string_view PickleStream::view(PickleText text) const {
  return std::string_view(bytes_).substr(text.offset, text.size);
}

std::string PickleStream::take_bytes() {
  bytes_.resize(next_);
  return std::move(bytes_);
}

void PickleStream::fail(const std::string& message) const {
  throw CheckpointError(
      subject_ + ", byte " + std::to_string(opcode_at_) + ": " + opcode_name(opcode_) + " " +
      message);
}

/// Sees to it that `count` bytes from the next one on are in memory.
void PickleStream::need(std::uint64_t count) {
  if (count <= bytes_.size() - next_) {
    return;  // nearly always
  }
  if (count > remaining()) {
    fail(
        "takes " + std::to_string(count) + " bytes, but only " + std::to_string(remaining()) +
        " are left; is the download incomplete?");
  }
  const auto wanted = next_ + count;
  if (wanted > kMaxPickle) {
    fail("goes beyond the " + std::to_string(kMaxPickle) + " bytes that a pickle may have");
  }
  const auto end = std::min(
      {size_, kMaxPickle, std::max<std::uint64_t>({wanted, 2 * bytes_.size(), kFirstPiece})});
  const auto filled = bytes_.size();
  bytes_.resize(end);
  source_.read_at(begin_ + filled, bytes_.data() + filled, bytes_.size() - filled);
}

}  // namespace vitrine::detail

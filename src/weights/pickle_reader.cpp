#include "pickle_reader.h"

#include <cstring>
#include <utility>

#include "pickle_machine.h"
#include "pickle_opcode.h"

namespace vitrine::detail {
namespace {

constexpr std::uint64_t kNewestProtocol = 5;

/// Reads opcodes with what follows them, and has the machine do what they say.
class PickleReader {
 public:
  explicit PickleReader(PickleStream& stream) : stream_(stream), machine_(stream) {}

  PickleGraph read();

 private:
  // Each evaluates its share of the opcodes; false when `code` is none of them.
  bool read_constant(PickleOpcode code);
  bool read_text(PickleOpcode code);
  bool read_container(PickleOpcode code);
  bool read_addition(PickleOpcode code);
  bool read_memo(PickleOpcode code);
  bool read_call(PickleOpcode code);
  bool read_frame(PickleOpcode code);

  void push_text(PickleKind kind, std::size_t length_bytes);
  void push_int(std::int64_t value) { machine_.push(machine_.graph().add_int(value)); }
  void push_long(std::size_t length_bytes);
  void push_float();
  PickleId string_line() { return machine_.graph().add_text(PickleKind::String, stream_.line()); }

  PickleStream& stream_;
  PickleMachine machine_;
};

PickleGraph PickleReader::read() {
  for (;;) {
    const auto code = static_cast<PickleOpcode>(stream_.opcode());
    if (code == PickleOpcode::Stop) {
      machine_.graph().finish(machine_.finish(), stream_.take_bytes());
      return std::move(machine_.graph());
    }
    const bool known = read_memo(code) || read_text(code) || read_constant(code) ||
                       read_container(code) || read_addition(code) || read_call(code) ||
                       read_frame(code);
    if (!known) {
      stream_.fail("is no opcode that PyTorch's files have, and is not evaluated");
    }
  }
}

bool PickleReader::read_constant(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::None:
      machine_.push(PickleGraph::kNone);
      return true;
    case PickleOpcode::NewTrue:
      machine_.push(PickleGraph::kTrue);
      return true;
    case PickleOpcode::NewFalse:
      machine_.push(PickleGraph::kFalse);
      return true;
    case PickleOpcode::BinInt:
      push_int(static_cast<std::int32_t>(stream_.number(4)));
      return true;
    case PickleOpcode::BinInt1:
      push_int(static_cast<std::int64_t>(stream_.number(1)));
      return true;
    case PickleOpcode::BinInt2:
      push_int(static_cast<std::int64_t>(stream_.number(2)));
      return true;
    case PickleOpcode::Long1:
      push_long(1);
      return true;
    case PickleOpcode::Long4:
      push_long(4);
      return true;
    case PickleOpcode::BinFloat:
      push_float();
      return true;
    default:
      return false;
  }
}

bool PickleReader::read_text(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::ShortBinString:  // a str of Python 2
    case PickleOpcode::ShortBinUnicode:
      push_text(PickleKind::String, 1);
      return true;
    case PickleOpcode::BinUnicode:
      push_text(PickleKind::String, 4);
      return true;
    case PickleOpcode::BinUnicode8:
      push_text(PickleKind::String, 8);
      return true;
    case PickleOpcode::ShortBinBytes:
      push_text(PickleKind::Bytes, 1);
      return true;
    case PickleOpcode::BinBytes:
      push_text(PickleKind::Bytes, 4);
      return true;
    case PickleOpcode::BinBytes8:
    case PickleOpcode::ByteArray8:  // numpy's arrays in protocol 5
      push_text(PickleKind::Bytes, 8);
      return true;
    default:
      return false;
  }
}

bool PickleReader::read_container(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::Mark:
      machine_.push_mark();
      return true;
    case PickleOpcode::EmptyTuple:
      machine_.push(PickleGraph::kEmptyTuple);
      return true;
    case PickleOpcode::Tuple1:
      machine_.push_tuple(1);
      return true;
    case PickleOpcode::Tuple2:
      machine_.push_tuple(2);
      return true;
    case PickleOpcode::Tuple3:
      machine_.push_tuple(3);
      return true;
    case PickleOpcode::Tuple:
      machine_.push_marked_tuple();
      return true;
    case PickleOpcode::EmptyList:
      machine_.push(machine_.graph().add_container(PickleKind::List));
      return true;
    case PickleOpcode::EmptyDict:
      machine_.push(machine_.graph().add_container(PickleKind::Dict));
      return true;
    case PickleOpcode::EmptySet:
      machine_.push(machine_.graph().add_container(PickleKind::Set));
      return true;
    case PickleOpcode::FrozenSet:
      machine_.push_marked_set();
      return true;
    default:
      return false;
  }
}

bool PickleReader::read_addition(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::Append:
      machine_.add(PickleKind::List, 1);
      return true;
    case PickleOpcode::Appends:
      machine_.add_marked(PickleKind::List);
      return true;
    case PickleOpcode::AddItems:
      machine_.add_marked(PickleKind::Set);
      return true;
    case PickleOpcode::SetItem:
      machine_.add(PickleKind::Dict, 2);
      return true;
    case PickleOpcode::SetItems:
      machine_.add_marked(PickleKind::Dict);
      return true;
    case PickleOpcode::Pop:
      machine_.pop_value_or_mark();
      return true;
    case PickleOpcode::PopMark:
      machine_.pop_marked();
      return true;
    default:
      return false;
  }
}

bool PickleReader::read_memo(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::BinPut:
      machine_.put(stream_.number(1));
      return true;
    case PickleOpcode::LongBinPut:
      machine_.put(stream_.number(4));
      return true;
    case PickleOpcode::Memoize:
      machine_.put_next();
      return true;
    case PickleOpcode::BinGet:
      machine_.get(stream_.number(1));
      return true;
    case PickleOpcode::LongBinGet:
      machine_.get(stream_.number(4));
      return true;
    default:
      return false;
  }
}

bool PickleReader::read_call(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::Global: {
      const auto module = string_line();
      machine_.push_symbol(module, string_line());
      return true;
    }
    case PickleOpcode::StackGlobal: {
      const auto name = machine_.pop();
      machine_.push_symbol(machine_.pop(), name);
      return true;
    }
    case PickleOpcode::Reduce:
    case PickleOpcode::NewObj:
      machine_.push_object(/*has_keywords=*/false);
      return true;
    case PickleOpcode::NewObjEx:
      machine_.push_object(/*has_keywords=*/true);
      return true;
    case PickleOpcode::Build:
      machine_.set_state();
      return true;
    case PickleOpcode::BinPersId:
      machine_.push(machine_.graph().add_persistent(machine_.pop()));
      return true;
    default:
      return false;
  }
}

bool PickleReader::read_frame(PickleOpcode code) {
  if (code == PickleOpcode::Proto) {
    const auto protocol = stream_.number(1);
    if (protocol > kNewestProtocol) {
      stream_.fail("names protocol " + std::to_string(protocol) + ", expected at most 5");
    }
    return true;
  }
  if (code == PickleOpcode::Frame) {
    const auto length = stream_.number(8);
    if (length > stream_.remaining()) {
      stream_.fail(
          "announces " + std::to_string(length) + " bytes, but only " +
          std::to_string(stream_.remaining()) + " are left; is the download incomplete?");
    }
    return true;
  }
  return false;
}

void PickleReader::push_text(PickleKind kind, std::size_t length_bytes) {
  machine_.push(machine_.graph().add_text(kind, stream_.text(stream_.number(length_bytes))));
}

void PickleReader::push_long(std::size_t length_bytes) {
  // A negative length of LONG4 is one of more than 2 GiB, which is not there.
  const auto text = stream_.text(stream_.number(length_bytes));
  if (text.size > sizeof(std::int64_t)) {
    machine_.push(machine_.graph().add_text(PickleKind::Long, text));
    return;
  }
  const auto digits = stream_.view(text);
  const bool negative = !digits.empty() && (digits.back() & 0x80) != 0;
  auto value = negative ? ~std::uint64_t{0} : 0;
  for (auto i = digits.size(); i > 0; --i) {
    value = value << 8 | static_cast<std::uint8_t>(digits[i - 1]);
  }
  push_int(static_cast<std::int64_t>(value));
}

void PickleReader::push_float() {
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) {
    bits = bits << 8 | stream_.number(1);  // the only number whose highest byte comes first
  }
  double value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  machine_.push(machine_.graph().add_float(value));
}

}  // namespace

PickleGraph read_pickle(
    const ByteSource& source, std::uint64_t begin, std::uint64_t end, const std::string& subject) {
  PickleStream stream(source, begin, end, subject);
  return PickleReader(stream).read();
}

}  // namespace vitrine::detail

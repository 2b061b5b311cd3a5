// Entropy-coded data of a JPEG: ITU-T T.81, annexes F (sequential) and G (progressive).
//
// libjpeg warns on standard error about damage here and then makes up what is missing. So that
// neither happens, each code is followed first; this costs a quarter of the decoding.
#include "image/jpeg_entropy.h"

#include <algorithm>
#include <bitset>
#include <string>

namespace vitrine::detail {

void throw_damaged_jpeg(const std::string& what) {
  throw_image_error("JPEG is damaged: " + what);
}

namespace {

/// The bits of entropy-coded data up to the next marker, then zeros.
class BitReader {
 public:
  BitReader(const std::uint8_t* data, const std::uint8_t* end) : next_(data), end_(end) {}

  /// Makes at least 33 bits ready.
  void fill() {
    while (count_ <= 32) {
      if (end_ - next_ >= 4) {
        const std::uint32_t word = std::uint32_t{next_[0]} << 24 | std::uint32_t{next_[1]} << 16 |
                                   std::uint32_t{next_[2]} << 8 | std::uint32_t{next_[3]};
        const std::uint32_t inverse = ~word;
        const bool has_ff = ((inverse - 0x01010101U) & ~inverse & 0x80808080U) != 0;
        if (!has_ff) {
          push(word, 32);
          next_ += 4;
          return;
        }
      }
      fill_byte();
    }
  }

  /// The next symbol, consumed with the bits of the value behind it, whose number the symbol's
  /// lower half tells.
  unsigned symbol(const HuffmanTable& table) {
    fill();
    const std::uint16_t entry = table.look[bits_ >> (64 - HuffmanTable::kLookBits)];
    if (entry != 0) {
      skip((entry >> 8) + (entry & 15U));
      return entry & 0xffU;
    }
    const auto code = static_cast<std::uint32_t>(bits_ >> 48);
    for (unsigned length = HuffmanTable::kLookBits + 1; length <= 16; ++length) {
      if (code < table.limit[length]) {
        const auto index = static_cast<std::int32_t>(code >> (16 - length)) + table.offset[length];
        const unsigned symbol = table.symbol(index);
        skip(length + (symbol & 15U));
        return symbol;
      }
    }
    throw_damaged_jpeg("it holds a code that does not exist");
  }

  /// `count` bits, at most 16, of those that are ready.
  unsigned take(unsigned count) {
    if (count == 0) {
      return 0;
    }
    const auto value = static_cast<unsigned>(bits_ >> (64 - count));
    skip(count);
    return value;
  }

  /// Passes over any number of bits.
  void skip_many(unsigned count) {
    for (; count > 0; count -= std::min(count, 32U)) {
      fill();
      skip(std::min(count, 32U));
    }
  }

  /// Whether more bits were used than there are.
  bool overrun() const { return count_ < made_up_; }

  /// The first byte of which no bit was used.
  const std::uint8_t* position() const {
    const std::uint8_t* position = next_;
    for (int unused = (count_ - made_up_) / 8; unused > 0; --unused) {
      --position;
      // A zero after 0xff is no data of its own.
      if (*position == 0 && position > start_ && position[-1] == 0xff) {
        --position;
      }
    }
    return position;
  }

 private:
  void skip(unsigned count) {
    bits_ <<= count;
    count_ -= static_cast<int>(count);
  }

  void push(std::uint64_t value, int count) {
    bits_ |= value << (64 - count_ - count);
    count_ += count;
  }

  void fill_byte() {
    if (next_ == end_ || (*next_ == 0xff && (end_ - next_ < 2 || next_[1] != 0))) {
      made_up_ += 8;
      push(0, 8);
      return;
    }
    push(*next_, 8);
    next_ += *next_ == 0xff ? 2 : 1;
  }

  const std::uint8_t* next_;
  const std::uint8_t* end_;
  const std::uint8_t* start_ = next_;
  std::uint64_t bits_ = 0;
  int count_ = 0;
  int made_up_ = 0;
};

class ScanCheck {
 public:
  ScanCheck(const Bytes& data, const JpegScan& scan, std::vector<std::uint8_t>& clean)
      : data_(data), scan_(scan), clean_(clean), reader_(data.data(), data.data() + data.size()) {}

  std::size_t run() {
    const std::uint64_t units = scan_.units();
    const std::uint64_t interval = scan_.restart_interval == 0 ? units : scan_.restart_interval;
    unsigned restart = 0;
    std::size_t end = 0;
    for (std::uint64_t unit = 0; unit < units;) {
      const std::uint64_t stop = std::min(units, unit + interval);
      run_length_ = 0;
      for (; unit < stop; ++unit) {
        check_unit(unit);
        if (reader_.overrun()) {
          throw_damaged_jpeg("its image data ends too early");
        }
      }
      end = close_interval();
      if (unit < units) {
        if (data_.u8(end + 1) != 0xd0 + restart) {
          throw_damaged_jpeg("a restart marker is missing");
        }
        clean_.push_back(0xff);
        clean_.push_back(static_cast<std::uint8_t>(0xd0 + restart));
        restart = (restart + 1) % 8;
        begin_ = end + 2;
        reader_ = BitReader(data_.data() + begin_, data_.data() + data_.size());
      }
    }
    return end;
  }

 private:
  /// Copies the data used since the last marker and gives the offset of the next one.
  std::size_t close_interval() {
    const auto used = static_cast<std::size_t>(reader_.position() - data_.data());
    clean_.insert(clean_.end(), data_.data() + begin_, data_.data() + used);
    std::size_t end = used;
    bool zeros = true;
    while (true) {
      if (!data_.has(end, 2)) {
        throw_image_error("JPEG is cut short: no end marker");
      }
      const std::uint8_t next = data_.u8(end + 1);
      if (data_.u8(end) == 0xff && next != 0 && next != 0xff) {
        break;
      }
      zeros = zeros && data_.u8(end) == 0;
      ++end;
    }
    // Some writers pad their data; more than a little of anything else means that codes were lost.
    constexpr std::size_t kFewBytes = 16;
    if (end - used > kFewBytes && !zeros) {
      throw_damaged_jpeg("it has more image data than blocks");
    }
    return end;
  }

  void check_unit(std::uint64_t unit) {
    if (scan_.parts.size() == 1) {
      const auto& part = scan_.parts.front();
      check_block(part, unit / part.component->columns, unit % part.component->columns);
      return;
    }
    const std::uint64_t row = unit / scan_.unit_columns;
    const std::uint64_t column = unit % scan_.unit_columns;
    for (const auto& part : scan_.parts) {
      const auto& component = *part.component;
      for (unsigned y = 0; y < component.vertical; ++y) {
        for (unsigned x = 0; x < component.horizontal; ++x) {
          check_block(part, row * component.vertical + y, column * component.horizontal + x);
        }
      }
    }
  }

  void check_block(const JpegScan::Part& part, std::uint64_t row, std::uint64_t column) {
    if (!scan_.progressive) {
      check_dc(*part.dc);
      check_ac(*part.ac);
      return;
    }
    if (scan_.first == 0) {
      if (scan_.high == 0) {
        check_dc(*part.dc);
      } else {
        reader_.skip_many(1);
      }
      return;
    }
    auto& nonzero = part.component->nonzero[row * part.component->padded_columns + column];
    if (scan_.high == 0) {
      check_first_ac(*part.ac, nonzero);
    } else {
      check_next_ac(*part.ac, nonzero);
    }
  }

  void check_dc(const HuffmanTable& table) {
    if (reader_.symbol(table) > 15) {
      throw_damaged_jpeg("a brightness is out of range");
    }
  }

  void check_ac(const HuffmanTable& table) {
    for (unsigned k = 1; k < 64; ++k) {
      const unsigned symbol = reader_.symbol(table);
      if ((symbol & 15U) == 0) {
        if (symbol != 0xf0) {
          return;
        }
        k += 15;
        continue;
      }
      k += symbol >> 4;
      check_index(k, 63);
    }
  }

  void check_first_ac(const HuffmanTable& table, std::uint64_t& nonzero) {
    if (run_length_ > 0) {
      --run_length_;
      return;
    }
    for (unsigned k = scan_.first; k <= scan_.last; ++k) {
      const unsigned symbol = reader_.symbol(table);
      const unsigned run = symbol >> 4;
      const bool zero = (symbol & 15U) == 0;
      if (zero && run != 15) {
        run_length_ = (1U << run) + reader_.take(run) - 1;
        return;
      }
      k += run;
      if (!zero) {
        check_index(k, scan_.last);
        nonzero |= std::uint64_t{1} << k;
      }
    }
  }

  void check_next_ac(const HuffmanTable& table, std::uint64_t& nonzero) {
    unsigned k = scan_.first;
    while (run_length_ == 0 && k <= scan_.last) {
      const unsigned symbol = reader_.symbol(table);
      unsigned run = symbol >> 4;
      const unsigned size = symbol & 15U;
      if (size == 0 && run != 15) {
        // This block is the first of the run, so the count includes it.
        run_length_ = (1U << run) + reader_.take(run);
        break;
      }
      if (size > 1) {
        throw_damaged_jpeg("a refinement adds more than one bit");
      }
      // `run` coefficients that stay zero are passed over, and a bit of each that already is not.
      unsigned bits = 0;
      for (; k <= scan_.last; ++k) {
        if ((nonzero >> k & 1U) != 0) {
          ++bits;
        } else if (run-- == 0) {
          break;
        }
      }
      reader_.skip_many(bits);
      if (size != 0) {
        check_index(k, scan_.last);
        nonzero |= std::uint64_t{1} << k;
      }
      ++k;
    }
    if (run_length_ > 0) {
      if (k <= scan_.last) {
        const std::uint64_t rest = nonzero >> k << k << (63 - scan_.last);
        reader_.skip_many(static_cast<unsigned>(std::bitset<64>(rest).count()));
      }
      --run_length_;
    }
  }

  static void check_index(unsigned index, unsigned last) {
    if (index > last) {
      throw_damaged_jpeg("a block has too many coefficients");
    }
  }

  const Bytes& data_;
  const JpegScan& scan_;
  std::vector<std::uint8_t>& clean_;
  BitReader reader_;
  std::size_t begin_ = 0;
  unsigned run_length_ = 0;  // progressive: blocks still to come that end at once
};

}  // namespace

HuffmanTable::HuffmanTable(const Bytes& counts_and_symbols) {
  const Bytes symbols = counts_and_symbols.from(16);
  symbols_.assign(symbols.data(), symbols.data() + symbols.size());
  std::uint32_t code = 0;
  std::int32_t index = 0;
  for (unsigned length = 1; length <= 16; ++length) {
    const unsigned count = counts_and_symbols.u8(length - 1);
    if (code + count > 1U << length || index + count > symbols_.size()) {
      throw_damaged_jpeg("a Huffman table makes no code");
    }
    offset[length] = index - static_cast<std::int32_t>(code);
    for (unsigned i = 0; i < count; ++i, ++code, ++index) {
      if (length <= kLookBits) {
        const auto entry =
            static_cast<std::uint16_t>(length << 8 | symbols_[static_cast<std::size_t>(index)]);
        std::fill_n(
            look.begin() + (code << (kLookBits - length)), 1 << (kLookBits - length), entry);
      }
    }
    limit[length] = code << (16 - length);
    code <<= 1;
  }
}

std::uint64_t JpegScan::units() const {
  if (parts.size() == 1) {
    return parts.front().component->columns * parts.front().component->rows;
  }
  return unit_columns * unit_rows;
}

std::size_t check_scan(const Bytes& data, const JpegScan& scan, std::vector<std::uint8_t>& clean) {
  return ScanCheck(data, scan, clean).run();
}

}  // namespace vitrine::detail

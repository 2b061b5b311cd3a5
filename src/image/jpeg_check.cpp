// JPEG: ITU-T T.81, annex B, https://www.w3.org/Graphics/JPEG/itu-t81.pdf.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "image/container.h"
#include "image/exif.h"
#include "image/jpeg_entropy.h"

namespace vitrine::detail {
namespace {

enum Marker : unsigned {
  kSof0 = 0xc0,
  kSof2 = 0xc2,
  kDht = 0xc4,
  kSoi = 0xd8,
  kEoi = 0xd9,
  kSos = 0xda,
  kDqt = 0xdb,
  kDnl = 0xdc,
  kDri = 0xdd,
  kApp0 = 0xe0,
  kApp1 = 0xe1,
  kApp14 = 0xee,
};

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

class JpegCheck {
 public:
  JpegCheck(Bytes bytes, std::uint64_t max_pixels) : bytes_(bytes), max_pixels_(max_pixels) {}

  Container run() {
    container_.kind = ImageKind::Jpeg;
    container_.stream.reserve(bytes_.size());
    put_marker(kSoi);
    position_ = 2;
    for (unsigned marker = next_marker(); marker != kEoi; marker = next_marker()) {
      take(marker);
    }
    const auto unseen = [](const JpegComponent& component) { return !component.seen; };
    if (components_.empty() || std::any_of(components_.begin(), components_.end(), unseen)) {
      throw_damaged_jpeg("it has no picture, or a colour is missing");
    }
    put_marker(kEoi);
    // Adobe's colour transform is 0 (RGB, CMYK), 1 (YCbCr) or 2 (YCCK). libjpeg takes any other for
    // the last two, but warns.
    for (const std::size_t transform : transforms_) {
      if (container_.stream[transform] != 0) {
        container_.stream[transform] = components_.size() == 4 ? 2 : 1;
      }
    }
    return std::move(container_);
  }

 private:
  void put_marker(unsigned marker) {
    container_.stream.push_back(0xff);
    container_.stream.push_back(static_cast<std::uint8_t>(marker));
  }

  void put_segment(unsigned marker, const Bytes& content) {
    put_marker(marker);
    const std::size_t length = content.size() + 2;
    container_.stream.push_back(static_cast<std::uint8_t>(length >> 8));
    container_.stream.push_back(static_cast<std::uint8_t>(length));
    container_.stream.insert(
        container_.stream.end(), content.data(), content.data() + content.size());
  }

  unsigned next_marker() {
    if (!bytes_.has(position_, 2)) {
      throw_image_error("JPEG is cut short: no end marker");
    }
    if (bytes_.u8(position_) != 0xff) {
      throw_damaged_jpeg("a marker is missing");
    }
    while (bytes_.has(position_, 2) && bytes_.u8(position_ + 1) == 0xff) {
      ++position_;  // fill bytes
    }
    if (!bytes_.has(position_, 2)) {
      throw_image_error("JPEG is cut short: no end marker");
    }
    position_ += 2;
    return bytes_.u8(position_ - 1);
  }

  Bytes segment() {
    if (!bytes_.has(position_, 2)) {
      throw_image_error("JPEG is cut short: no end marker");
    }
    const unsigned length = bytes_.u16(position_, kBig);
    if (length < 2) {
      throw_damaged_jpeg("a segment is shorter than its length field");
    }
    if (!bytes_.has(position_, length)) {
      throw_image_error("JPEG is cut short: no end marker");
    }
    const Bytes content = bytes_.part(position_ + 2, length - 2);
    position_ += length;
    return content;
  }

  void take(unsigned marker) {
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      return;  // stand-alone markers, without meaning here
    }
    if (marker < kSof0 || marker == kSoi) {
      throw_damaged_jpeg("marker " + std::to_string(marker) + " is out of place");
    }
    const Bytes content = segment();
    switch (marker) {
      case kSos:
        return take_scan(content);
      case kDht:
        return take_huffman(content);
      case kDqt:
        return take_quantization(content);
      case kDri:
        return take_restart(content);
      case kDnl:
        throw_image_error("JPEG that tells its height late (DNL) is not supported");
      case kApp0:
        return take_jfif(content);
      case kApp1:
        return take_exif(content);
      case kApp14:
        return take_adobe(content);
      default:
        break;
    }
    if (marker <= 0xcf) {
      take_frame(marker, content);
    }
    // Comments and other applications' segments are left out.
  }

  void take_jfif(const Bytes& content) {
    // Only its presence counts: it says that the colours are YCbCr.
    if (content.is(0, {"JFIF\0", 5}) && content.size() >= 14) {
      constexpr std::array<std::uint8_t, 14> kJfif = {
          'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
      put_segment(kApp0, Bytes(kJfif.data(), kJfif.size(), "JPEG"));
    }
  }

  void take_exif(const Bytes& content) {
    if (content.is(0, {"Exif\0\0", 6}) && !seen_exif_) {
      seen_exif_ = true;
      container_.orientation = exif_orientation(content);
    }
  }

  void take_adobe(const Bytes& content) {
    if (content.is(0, "Adobe") && content.size() >= 12) {
      put_segment(kApp14, content.part(0, 12));
      transforms_.push_back(container_.stream.size() - 1);
    }
  }

  void take_quantization(const Bytes& content) {
    std::uint64_t offset = 0;
    while (offset < content.size()) {
      const unsigned info = content.u8(offset);
      const unsigned size = (info >> 4) == 0 ? 64 : 128;
      if ((info & 15U) > 3 || (info >> 4) > 1 || !content.has(offset + 1, size)) {
        throw_damaged_jpeg("a quantisation table is broken");
      }
      has_quantization_[info & 15U] = true;
      offset += 1 + size;
    }
    put_segment(kDqt, content);
  }

  void take_huffman(const Bytes& content) {
    std::uint64_t offset = 0;
    while (offset < content.size()) {
      const unsigned info = content.u8(offset);
      std::uint64_t count = 0;
      for (unsigned i = 0; i < 16; ++i) {
        count += content.has(offset + 1 + i, 1) ? content.u8(offset + 1 + i) : 257U;
      }
      if ((info & 15U) > 3 || (info >> 4) > 1 || count > 256 || !content.has(offset + 17, count)) {
        throw_damaged_jpeg("a Huffman table is broken");
      }
      tables_[info >> 4][info & 15U] = HuffmanTable(content.part(offset + 1, 16 + count));
      offset += 17 + count;
    }
    put_segment(kDht, content);
  }

  void take_restart(const Bytes& content) {
    if (content.size() != 2) {
      throw_damaged_jpeg("its restart interval has the wrong length");
    }
    restart_interval_ = content.u16(0, kBig);
    put_segment(kDri, content);
  }

  void take_frame(unsigned marker, const Bytes& content) {
    if (marker > kSof2) {
      throw_image_error(
          "JPEG of a kind that is not supported: lossless, hierarchical or arithmetic coding");
    }
    if (!components_.empty()) {
      throw_damaged_jpeg("it has two headers");
    }
    progressive_ = marker == kSof2;
    if (content.u8(0) != 8) {
      throw_image_error(
          "JPEG with " + std::to_string(content.u8(0)) + " bits a colour is not supported");
    }
    set_size(container_, "JPEG", content.u16(3, kBig), content.u16(1, kBig), max_pixels_);
    const unsigned count = content.u8(5);
    if ((count != 1 && count != 3 && count != 4) || content.size() != 6 + 3 * count) {
      throw_damaged_jpeg("its header asks for " + std::to_string(count) + " colours");
    }
    for (unsigned i = 0; i < count; ++i) {
      JpegComponent component;
      component.id = content.u8(6 + 3 * i);
      component.horizontal = content.u8(7 + 3 * i) >> 4;
      component.vertical = content.u8(7 + 3 * i) & 15U;
      component.quantization = content.u8(8 + 3 * i);
      component.known.fill(-1);
      const auto sound = [](unsigned factor) { return factor >= 1 && factor <= 4; };
      if (!sound(component.horizontal) || !sound(component.vertical) ||
          component.quantization > 3) {
        throw_damaged_jpeg("its sampling factors or tables are out of range");
      }
      components_.push_back(component);
    }
    container_.channels = count;
    set_block_counts();
    put_segment(marker, content);
  }

  void set_block_counts() {
    unsigned most_horizontal = 1;
    unsigned most_vertical = 1;
    for (const auto& component : components_) {
      most_horizontal = std::max(most_horizontal, component.horizontal);
      most_vertical = std::max(most_vertical, component.vertical);
    }
    const auto width = static_cast<std::uint64_t>(container_.width);
    const auto height = static_cast<std::uint64_t>(container_.height);
    unit_columns_ = divide_up(width, std::uint64_t{8} * most_horizontal);
    unit_rows_ = divide_up(height, std::uint64_t{8} * most_vertical);
    for (auto& component : components_) {
      component.columns = divide_up(divide_up(width * component.horizontal, most_horizontal), 8);
      component.rows = divide_up(divide_up(height * component.vertical, most_vertical), 8);
      component.padded_columns = unit_columns_ * component.horizontal;
    }
  }

  void take_scan(const Bytes& content) {
    const unsigned count = content.u8(0);
    if (components_.empty() || count < 1 || count > 4 || content.size() != 4 + 2 * count) {
      throw_damaged_jpeg("a scan's header is out of place or has the wrong length");
    }
    JpegScan scan;
    scan.progressive = progressive_;
    scan.restart_interval = restart_interval_;
    scan.unit_columns = unit_columns_;
    scan.unit_rows = unit_rows_;
    if (progressive_) {
      scan.first = content.u8(1 + 2 * count);
      scan.last = content.u8(2 + 2 * count);
      scan.high = content.u8(3 + 2 * count) >> 4;
      scan.low = content.u8(3 + 2 * count) & 15U;
    }
    for (unsigned i = 0; i < count; ++i) {
      scan.parts.push_back(scan_part(scan, content.u8(1 + 2 * i), content.u8(2 + 2 * i)));
    }
    check_layout(scan);
    if (progressive_) {
      check_progression(scan);
    }
    // A sequential scan has all coefficients, whatever some writers put here; libjpeg warns about
    // it.
    std::vector<std::uint8_t> header(content.data(), content.data() + content.size());
    header[1 + 2 * count] = static_cast<std::uint8_t>(scan.first);
    header[2 + 2 * count] = static_cast<std::uint8_t>(scan.last);
    header[3 + 2 * count] = static_cast<std::uint8_t>(scan.high << 4 | scan.low);
    put_segment(kSos, Bytes(header.data(), header.size(), "JPEG"));
    position_ += check_scan(bytes_.from(position_), scan, container_.stream);
  }

  JpegScan::Part scan_part(const JpegScan& scan, unsigned id, unsigned tables) {
    const auto found =
        std::find_if(components_.begin(), components_.end(), [&](const auto& component) {
          return component.id == id &&
                 std::none_of(scan.parts.begin(), scan.parts.end(), [&](const auto& part) {
                   return part.component == &component;
                 });
        });
    if (found == components_.end() || (tables >> 4) > 3 || (tables & 15U) > 3) {
      throw_damaged_jpeg("a scan names a colour or a table that does not exist");
    }
    const JpegScan::Part part = {&*found, &tables_[0][tables >> 4], &tables_[1][tables & 15U]};
    const bool needs_dc = !scan.progressive || (scan.first == 0 && scan.high == 0);
    const bool needs_ac = !scan.progressive || scan.first > 0;
    if ((needs_dc && !part.dc->defined()) || (needs_ac && !part.ac->defined()) ||
        !has_quantization_[found->quantization]) {
      throw_damaged_jpeg("a scan lacks one of its tables");
    }
    found->seen = true;
    return part;
  }

  /// Bounds the blocks of a unit, as T.81 does, and the work that a small file can ask for.
  void check_layout(const JpegScan& scan) {
    constexpr unsigned kMaxScans = 200;
    constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 27;
    std::uint64_t blocks = 0;
    for (const auto& part : scan.parts) {
      blocks += part.component->horizontal * part.component->vertical;
    }
    if (scan.parts.size() > 1 && blocks > 10) {
      throw_damaged_jpeg("a scan has too many blocks in a unit");
    }
    blocks_ += scan.units() * (scan.parts.size() > 1 ? blocks : 1);
    if (++scans_ > kMaxScans || blocks_ > kMaxBlocks) {
      throw_image_error("JPEG has too many scans");
    }
  }

  void check_progression(JpegScan& scan) const {
    const bool sound = scan.first == 0
                           ? scan.last == 0
                           : scan.last >= scan.first && scan.last < 64 && scan.parts.size() == 1;
    if (!sound || scan.low > 13 || (scan.high != 0 && scan.low + 1 != scan.high)) {
      throw_damaged_jpeg("a scan's range makes no sense");
    }
    for (const auto& part : scan.parts) {
      auto& component = *part.component;
      for (unsigned k = scan.first; k <= scan.last; ++k) {
        const bool in_order = k == 0 || component.known[0] >= 0;
        if (!in_order || static_cast<int>(scan.high) != std::max(component.known[k], 0) ||
            (scan.high == 0 && component.known[k] >= 0)) {
          throw_damaged_jpeg("its scans are not in order");
        }
        component.known[k] = static_cast<int>(scan.low);
      }
      if (scan.first > 0 && component.nonzero.empty()) {
        component.nonzero.resize(component.padded_columns * unit_rows_ * component.vertical);
      }
    }
  }

  Bytes bytes_;
  std::uint64_t max_pixels_;
  Container container_;
  std::uint64_t position_ = 0;
  std::array<std::array<HuffmanTable, 4>, 2> tables_;  // for DC and for AC
  std::array<bool, 4> has_quantization_{};
  std::vector<JpegComponent> components_;
  std::vector<std::size_t> transforms_;  // where in the stream Adobe's colour transforms stand
  std::uint64_t unit_columns_ = 0;
  std::uint64_t unit_rows_ = 0;
  std::uint64_t restart_interval_ = 0;
  std::uint64_t blocks_ = 0;
  unsigned scans_ = 0;
  bool progressive_ = false;
  bool seen_exif_ = false;
};

}  // namespace

Container check_jpeg(Bytes bytes, std::uint64_t max_pixels) {
  return JpegCheck(bytes, max_pixels).run();
}

}  // namespace vitrine::detail

// JPEG: libjpeg-turbo decodes it, https://libjpeg-turbo.org. Where libjpeg would print a warning
// and make up what is missing, the file is refused.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>
#include <new>
#include <string>
#include <string_view>

#include "image/container.h"
#include "image/exif.h"

// After jpeglib.h, on which the numbers of its messages depend.
#include <jerror.h>

namespace vitrine::detail {
namespace {

constexpr const char* kUnsupported =
    "JPEG of a kind that is not supported: lossless, hierarchical or arithmetic coding";

/// Reads one file. Errors of libjpeg jump from within it to `run`, over frames whose variables need
/// no destructor, and become exceptions there.
class JpegReader {
 public:
  explicit JpegReader(const Bytes& bytes) : bytes_(bytes) {
    info_.err = ::jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) { of(info).stop(); };
    errors_.emit_message = [](j_common_ptr info, int level) { of(info).warn(level); };
    progress_.progress_monitor = [](j_common_ptr info) { of(info).check_scans(); };
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { ::jpeg_destroy_decompress(&info_); }

  Container header(std::uint64_t max_pixels) {
    run([&] { read_header(); });
    Container container;
    container.kind = ImageKind::Jpeg;
    set_size(container, "JPEG", info_.image_width, info_.image_height, max_pixels);
    if (info_.arith_code != 0) {
      throw_image_error(kUnsupported);
    }
    container.channels = info_.num_components;
    container.orientation = orientation();
    return container;
  }

  void picture(std::uint8_t* out) {
    run([&] {
      read_header();
      info_.out_color_space = info_.num_components == 4 ? JCS_CMYK : JCS_RGB;
      ::jpeg_start_decompress(&info_);
    });
    for (int i = 0; i < info_.num_components; ++i) {
      if (info_.comp_info[i].quant_table == nullptr) {  // which each scan of it sets
        throw_image_error("JPEG is damaged: one of its colours is missing");
      }
    }
    run([&] {
      if (info_.num_components == 4) {
        read_inks(out);
      } else {
        read_rows(out);
      }
      ::jpeg_finish_decompress(&info_);  // goes on to the end marker
    });
  }

 private:
  static JpegReader& of(j_common_ptr info) { return *static_cast<JpegReader*>(info->client_data); }

  /// Runs `work`, which calls libjpeg.
  template <typename Work>
  void run(const Work& work) {
    if (setjmp(stopped_) == 0) {
      work();
    } else {
      throw_error();
    }
  }

  [[noreturn]] void stop() {
    errors_.format_message(reinterpret_cast<j_common_ptr>(&info_), text_);
    std::longjmp(stopped_, 1);
  }

  [[noreturn]] void throw_error() const {
    switch (errors_.msg_code) {
      case JERR_OUT_OF_MEMORY:
        throw std::bad_alloc();
      case JERR_SOF_UNSUPPORTED:
        throw_image_error(kUnsupported);
      case JWRN_JPEG_EOF:
        throw_image_error("JPEG is cut short: no end marker");
      case JWRN_HIT_MARKER:
        throw_image_error("JPEG is damaged: its image data ends too early");
      case kTooManyScans:
        throw_image_error("JPEG has too many scans");
      default:
        break;
    }
    const std::string_view text = text_;
    constexpr std::string_view kDamaged = "Corrupt JPEG data: ";
    if (text.substr(0, kDamaged.size()) == kDamaged) {
      throw_image_error("JPEG is damaged: " + std::string(text.substr(kDamaged.size())));
    }
    throw_image_error("JPEG cannot be decoded: " + std::string(text));
  }

  void warn(int level) {
    if (level < 0 && !is_harmless()) {
      stop();
    }
  }

  /// Whether the picture is whole in spite of what libjpeg warns of.
  bool is_harmless() const {
    switch (errors_.msg_code) {
      case JWRN_ADOBE_XFORM:
      case JWRN_JFIF_MAJOR:
      case JWRN_NOT_SEQUENTIAL:
        return true;
      case JWRN_EXTRANEOUS_DATA:
        return is_padding(static_cast<std::size_t>(errors_.msg_parm.i[0]));
      default:
        return false;
    }
  }

  /// Some writers pad their data; more than a little of anything but zeros means that codes were
  /// lost.
  bool is_padding(std::size_t count) const {
    constexpr std::size_t kFewBytes = 16;
    const JOCTET* const end = info_.src->next_input_byte;
    const auto before = static_cast<std::size_t>(end - bytes_.data());
    return count <= kFewBytes ||
           std::all_of(end - std::min(count, before), end, [](JOCTET byte) { return byte == 0; });
  }

  /// Bounds the work that a small file of many scans can ask for.
  void check_scans() {
    constexpr int kMaxScans = 200;
    constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 27;
    if (info_.input_scan_number == scans_) {
      return;
    }
    scans_ = info_.input_scan_number;
    blocks_ += std::uint64_t{info_.MCUs_per_row} * info_.MCU_rows_in_scan *
               static_cast<std::uint64_t>(info_.blocks_in_MCU);
    if (scans_ > kMaxScans || blocks_ > kMaxBlocks) {
      errors_.msg_code = kTooManyScans;
      stop();
    }
  }

  void read_header() {
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    ::jpeg_mem_src(&info_, bytes_.data(), bytes_.size());
    constexpr unsigned kLongest = 0xffff;
    ::jpeg_save_markers(&info_, JPEG_APP0 + 1, kLongest);
    ::jpeg_read_header(&info_, TRUE);
  }

  int orientation() const {
    for (const auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const Bytes content(marker->data, marker->data_length, "JPEG");
      if (content.is(0, {"Exif\0\0", 6})) {
        return exif_orientation(content);
      }
    }
    return 1;
  }

  void read_rows(std::uint8_t* out) {
    constexpr JDIMENSION kMostRows = 4;  // that libjpeg gives at once
    std::array<JSAMPROW, kMostRows> rows{};
    const std::size_t stride = std::size_t{info_.output_width} * 3;
    while (info_.output_scanline < info_.output_height) {
      const auto count = std::min(kMostRows, info_.output_height - info_.output_scanline);
      for (std::size_t i = 0; i < count; ++i) {
        rows[i] = out + (info_.output_scanline + i) * stride;
      }
      ::jpeg_read_scanlines(&info_, rows.data(), count);
    }
  }

  /// Cyan, magenta, yellow and black, each stored inverted, as Adobe does.
  void read_inks(std::uint8_t* out) {
    JSAMPARRAY row = info_.mem->alloc_sarray(
        reinterpret_cast<j_common_ptr>(&info_), JPOOL_IMAGE, info_.output_width * 4, 1);
    while (info_.output_scanline < info_.output_height) {
      ::jpeg_read_scanlines(&info_, row, 1);
      const std::uint8_t* in = *row;
      for (JDIMENSION x = 0; x < info_.output_width; ++x, in += 4, out += 3) {
        const int light = in[3];
        for (int i = 0; i < 3; ++i) {
          out[i] = static_cast<std::uint8_t>(light - ((255 - in[i]) * light >> 8));
        }
      }
    }
  }

  static constexpr int kTooManyScans = JMSG_LASTMSGCODE;  // no message of libjpeg's own

  Bytes bytes_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf stopped_{};
  char text_[JMSG_LENGTH_MAX] = {};
  int scans_ = 0;
  std::uint64_t blocks_ = 0;
};

}  // namespace

Container read_jpeg_header(Bytes bytes, std::uint64_t max_pixels) {
  return JpegReader(bytes).header(max_pixels);
}

void read_jpeg(Bytes bytes, std::uint8_t* pixels) {
  JpegReader(bytes).picture(pixels);
}

}  // namespace vitrine::detail

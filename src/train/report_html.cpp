#include "report_html.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "vitrine/image/preprocess.h"
#include "vitrine/text.h"

#include "image/encode.h"

namespace vitrine::detail {
namespace {

constexpr int64_t kLargestPng = 64;
constexpr int kJpegQuality = 85;

std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto count = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? bytes[i + j] : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

}  // namespace

std::string escaped(std::string_view text, std::size_t limit) {
  std::string result;
  for (const char c : printable(text, limit)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string shortened(const std::string& text, std::size_t count) {
  auto whole = printable(text);
  std::size_t characters = 0;
  std::size_t end = 0;  // of all characters but the last that fits
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (begins_character(whole[i])) {
      end = characters == count - 1 ? i : end;
      if (++characters > count) {
        return whole.substr(0, end) + "…";
      }
    }
  }
  return whole;
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) {
    return "–";
  }
  char text[400];
  const auto result =
      std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed, digits);
  return {text, result.ptr};
}

std::string percent(double share) {
  return fixed(100 * share, 2) + " %";
}

std::string duration(double seconds) {
  const auto whole = std::llround(std::clamp(seconds, 0.0, 1e9));
  if (whole < 60) {
    return std::to_string(whole) + " s";
  }
  const auto minutes = (whole + 30) / 60;
  if (minutes < 60) {
    return std::to_string(minutes) + " min";
  }
  const auto rest = std::to_string(minutes % 60);
  return std::to_string(minutes / 60) + " h " + (rest.size() < 2 ? "0" : "") + rest + " min";
}

std::string label_of(const std::vector<std::string>& labels, int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  return i < labels.size() ? labels[i] : std::to_string(index);
}

std::string data_uri(const torch::Tensor& image, int64_t longest_side) {
  const auto longest = std::max(image.size(0), image.size(1));
  if (longest <= kLargestPng) {
    return "data:image/png;base64," + base64(encode_png(image));
  }
  auto picture = image;
  if (longest > longest_side) {
    const auto scaled = [&](int64_t side) {
      return std::max<int64_t>(side * longest_side / longest, 1);
    };
    picture = resize(image, scaled(image.size(0)), scaled(image.size(1)), Interpolation::Bicubic);
  }
  return "data:image/jpeg;base64," + base64(encode_jpeg(picture, kJpegQuality));
}

}  // namespace vitrine::detail

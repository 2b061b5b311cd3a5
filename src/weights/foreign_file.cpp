#include "foreign_file.h"

#include <cstdint>

namespace vitrine::detail {
namespace {

using std::string_view_literals::operator""sv;

bool has_magic(std::string_view start, std::string_view magic) {
  return start.substr(0, magic.size()) == magic;
}

/// Name of the first file in a zip archive, or as much of it as is there.
std::string_view first_zip_member(std::string_view start) {
  constexpr std::size_t kLengthAt = 26;
  constexpr std::size_t kNameAt = 30;
  if (start.size() < kNameAt) {
    return {};
  }
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(start[i]); };
  const auto length = static_cast<std::size_t>(byte(kLengthAt) | byte(kLengthAt + 1) << 8);
  return start.substr(kNameAt, length);
}

std::string zip_kind(std::string_view start) {
  const auto member = first_zip_member(start);
  if (member.find("data.pkl") != std::string_view::npos) {
    return "is a PyTorch zip checkpoint (.pth)";
  }
  if (member.find(".npy") != std::string_view::npos) {
    return "is a numpy archive (.npz)";
  }
  return "is a zip archive, such as a PyTorch checkpoint (.pth)";
}

}  // namespace

std::string foreign_kind(std::string_view start) {
  if (has_magic(start, "PK\x03\x04"sv)) {
    return zip_kind(start);
  }
  if (has_magic(start, "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"sv)) {
    return "is a PyTorch legacy checkpoint (.pth)";
  }
  if (start.size() > 1 && start[0] == '\x80' && start[1] >= 2 && start[1] <= 5) {
    return "is a Python pickle";
  }
  constexpr std::size_t kTarMagicAt = 257;
  if (start.size() > kTarMagicAt && has_magic(start.substr(kTarMagicAt), "ustar"sv)) {
    return "is a tar archive, such as an early PyTorch checkpoint";
  }
  if (has_magic(start, "version https://git-lfs"sv)) {
    return "is a Git LFS pointer, not the file itself (git lfs pull fetches it)";
  }
  if (has_magic(start, "\x93NUMPY"sv)) {
    return "is a numpy array (.npy)";
  }
  if (has_magic(start, "\x89HDF"sv)) {
    return "is an HDF5 file, such as Keras weights (.h5)";
  }
  if (has_magic(start, "GGUF"sv)) {
    return "is a GGUF file";
  }
  if (has_magic(start, "\x1F\x8B"sv)) {
    return "is a gzip archive";
  }
  if (has_magic(start, "\xEF\xBB\xBF"sv)) {
    start.remove_prefix(3);
  }
  const auto first = start.find_first_not_of(" \t\r\n"sv);
  if (first != std::string_view::npos && start[first] == '<') {
    return "is an HTML or XML page, perhaps an error page saved in the model's place";
  }
  if (start.find("\"weight_map\""sv) != std::string_view::npos ||
      start.find("\"total_size\""sv) != std::string_view::npos) {
    return "is the index of a checkpoint in several files, which vitrine joins only where they are "
           "safetensors (transformers' save_pretrained with a larger max_shard_size writes one)";
  }
  if (first != std::string_view::npos && (start[first] == '{' || start[first] == '[')) {
    return "is a JSON text, perhaps an error answer saved in the model's place";
  }
  return "";
}

}  // namespace vitrine::detail

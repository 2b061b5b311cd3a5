#include "swin_windows.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>
#include <vector>

namespace vitrine::detail {

std::optional<CoordinateTable> coordinate_table(const Source& source) {
  constexpr std::uint64_t kMostTableBytes = 1 << 20;
  const std::string name = "layers.0.blocks.0.attn.relative_coords_table";
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto& key = source.name(i);
    const auto shape = source.shape(i);
    if (key.size() >= name.size() &&
        key.compare(key.size() - name.size(), name.size(), name) == 0 && shape.size() == 4 &&
        source.bytes(i) > 0 && source.bytes(i) <= kMostTableBytes) {
      return CoordinateTable{
          (shape[1] + 1) / 2, source.read(i).to(torch::kDouble).max().item<double>()};
    }
  }
  return std::nullopt;
}

bool fits_table(const Candidate& candidate, const CoordinateTable& table) {
  const auto* of = std::get_if<SwinTransformerOptions>(&candidate.entry->options);
  if (of == nullptr) {
    return true;
  }
  const auto window = of->window_size().front();
  const auto pretrained = of->pretrained_window_sizes().front();
  const auto reach = pretrained > 0 ? static_cast<double>(window - 1) /
                                          static_cast<double>(std::max<int64_t>(pretrained - 1, 1))
                                    : 1.0;
  const auto largest = std::log2(8 * reach + 1) / 3;
  return window == table.window && std::abs(largest - table.largest) < 0.01;
}

bool fits_windows(const Candidate& candidate, const ModelOptions& options) {
  const auto* of = std::get_if<SwinTransformerOptions>(&candidate.entry->options);
  const auto& values = options.values();
  const auto window = values.find("window_size");
  const auto pretrained = values.find("pretrained_window_sizes");
  if (of == nullptr || window == values.end()) {
    return true;
  }
  const auto* wanted = std::get_if<std::int64_t>(&window->second);
  const auto* before = pretrained == values.end()
                           ? nullptr
                           : std::get_if<std::vector<std::int64_t>>(&pretrained->second);
  const auto own_before = of->pretrained_window_sizes().front();
  return (wanted == nullptr || *wanted == of->window_size().front()) &&
         (before == nullptr || before->empty() || before->front() == own_before);
}

bool same_windows(const Candidate& a, const Candidate& b) {
  const auto* first = std::get_if<SwinTransformerOptions>(&a.entry->options);
  const auto* second = std::get_if<SwinTransformerOptions>(&b.entry->options);
  return first == nullptr || second == nullptr ||
         (first->window_size() == second->window_size() &&
          first->img_size() == second->img_size() &&
          first->pretrained_window_sizes() == second->pretrained_window_sizes());
}

}  // namespace vitrine::detail

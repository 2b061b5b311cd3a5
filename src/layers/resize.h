#pragma once

#include <ATen/Context.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <vector>

namespace vitrine::detail {

/// The matrix [from, to] by which `resize` maps rows (dimension 2) or columns (3) of so many
/// places. The other side has two of them, since LibTorch 2.11 takes a map of one column for
/// another layout.
template <typename Resize>
torch::Tensor resize_matrix(
    int64_t dimension, int64_t from, int64_t to, torch::ScalarType type, const Resize& resize) {
  const bool rows = dimension == 2;
  const auto unit =
      torch::eye(from, type).unsqueeze(rows ? 2 : 1);  // [from, from, 1], [from, 1, from]
  const auto map =
      unit.repeat(rows ? std::vector<int64_t>{1, 1, 2} : std::vector<int64_t>{1, 2, 1});
  const std::array<int64_t, 2> size = {rows ? to : 2, rows ? 2 : to};
  return resize(map.unsqueeze(0), size).squeeze(0).select(rows ? 2 : 1, 0);
}

/// What `resize(map, size)` gives, a filter along rows and one along columns of map [B, C, H, W].
/// On a GPU its backward pass adds up in any order. Where LibTorch is asked for deterministic
/// algorithms the filters are products with matrices instead.
template <typename Resize>
torch::Tensor resized(
    const torch::Tensor& map, const std::array<int64_t, 2>& size, const Resize& resize) {
  if (!at::globalContext().deterministicAlgorithms()) {
    return resize(map, size);
  }
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const auto exact = torch::promote_types(map.scalar_type(), torch::kFloat);
  const auto rows = resize_matrix(2, map.size(2), size[0], exact, resize).to(map.device());
  const auto columns = resize_matrix(3, map.size(3), size[1], exact, resize).to(map.device());
  return rows.t().matmul(map.to(exact)).matmul(columns).to(map.scalar_type());
}

}  // namespace vitrine::detail

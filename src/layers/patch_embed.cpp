#include "vitrine/layers/patch_embed.h"

#include <algorithm>
#include <optional>
#include <string>

#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "layers/resize.h"

namespace vitrine {

namespace nn = torch::nn;

namespace {

std::string text(Size2 size) {
  return std::to_string(size[0]) + "x" + std::to_string(size[1]);
}

}  // namespace

void check_image_size(Size2 size, int64_t patch_size) {
  TORCH_CHECK_VALUE(patch_size > 0, "patch_size must be at least 1, got ", patch_size);
  Size2 below{};
  Size2 above{};
  for (size_t i = 0; i < 2; ++i) {
    below[i] = std::max<int64_t>(size[i], 0) / patch_size * patch_size;
    above[i] = below[i] == size[i] && size[i] > 0 ? size[i] : below[i] + patch_size;
  }
  const bool has_below = below[0] > 0 && below[1] > 0;
  TORCH_CHECK_VALUE(
      above == size,
      "image size ",
      text(size),
      " is no multiple of the patch, ",
      patch_size,
      "; the nearest: ",
      has_below ? text(below) + " and " : "",
      text(above));
}

PatchEmbedImpl::PatchEmbedImpl(const PatchEmbedOptions& options_) : options(options_) {
  reset();
}

void PatchEmbedImpl::reset() {
  const auto patch = options.patch_size();
  TORCH_CHECK_VALUE(
      patch > 0 && options.embed_dim() > 0 && options.in_chans() > 0,
      "PatchEmbed: patch_size, embed_dim and in_chans must be at least 1, got ",
      patch,
      ", ",
      options.embed_dim(),
      " and ",
      options.in_chans());
  check_image_size(options.img_size(), patch);
  detail::check_eps("PatchEmbed", options.norm_eps());
  proj = register_module(
      "proj",
      nn::Conv2d(nn::Conv2dOptions(options.in_chans(), options.embed_dim(), patch).stride(patch)));
  if (options.norm()) {
    norm = register_module(
        "norm", nn::LayerNorm(nn::LayerNormOptions({options.embed_dim()}).eps(options.norm_eps())));
  }
}

void PatchEmbedImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::PatchEmbed(img_size=" << options.img_size()[0] << "x" << options.img_size()[1]
         << ", patch_size=" << options.patch_size() << ", in_chans=" << options.in_chans()
         << ", embed_dim=" << options.embed_dim() << ")";
}

Size2 PatchEmbedImpl::grid_size() const {
  return {
      options.img_size()[0] / options.patch_size(), options.img_size()[1] / options.patch_size()};
}

torch::Tensor PatchEmbedImpl::normalise_patches(const torch::Tensor& images) const {
  const auto p = options.patch_size();
  const auto rows = images.size(2) / p;
  const auto columns = images.size(3) / p;
  auto x = images.reshape({images.size(0), images.size(1), rows, p, columns, p})
               .permute({0, 2, 4, 1, 3, 5});  // [B, H', W', C, p, p]
  x = torch::layer_norm(x, x.sizes().slice(3), {}, {}, options.norm_eps());
  return x.permute({0, 3, 1, 4, 2, 5}).reshape(images.sizes());  // [B, C, H, W]
}

torch::Tensor PatchEmbedImpl::forward(const torch::Tensor& images) {
  TORCH_CHECK_VALUE(
      images.dim() == 4 && images.size(1) == options.in_chans(),
      "PatchEmbed: expected images [B, ",
      options.in_chans(),
      ", H, W], got ",
      images.sizes());
  const auto rows = images.size(2);
  const auto columns = images.size(3);
  if (options.dynamic_img_size()) {
    check_image_size({rows, columns}, options.patch_size());
  } else {
    TORCH_CHECK_VALUE(
        rows == options.img_size()[0] && columns == options.img_size()[1],
        "PatchEmbed: expected images of ",
        options.img_size()[0],
        "x",
        options.img_size()[1],
        ", got ",
        rows,
        "x",
        columns);
  }
  auto x = proj(options.pre_norm() ? normalise_patches(images) : images);  // [B, C, H', W']
  if (options.layout() == PatchLayout::Tokens) {
    x = x.flatten(2).transpose(1, 2);  // [B, N, C]
  } else if (options.layout() == PatchLayout::Grid || norm) {
    x = x.permute({0, 2, 3, 1});  // [B, H', W', C]
  }
  if (norm) {
    x = norm(x);
    if (options.layout() == PatchLayout::Map) {
      x = x.permute({0, 3, 1, 2});  // [B, C, H', W']
    }
  }
  return observed(*this, x);
}

torch::Tensor resample_position_embedding(
    const torch::Tensor& embedding,
    Size2 old_grid,
    Size2 new_grid,
    int64_t prefix_tokens,
    PositionInterpolation how) {
  const auto tokens = old_grid[0] * old_grid[1];
  TORCH_CHECK_VALUE(
      embedding.dim() == 3 && embedding.size(1) == prefix_tokens + tokens,
      "position embedding: expected ",
      prefix_tokens + tokens,
      " tokens, got a tensor of ",
      embedding.sizes());
  TORCH_CHECK_VALUE(
      new_grid[0] > 0 && new_grid[1] > 0,
      "position embedding: expected a grid of at least 1x1, got ",
      new_grid[0],
      "x",
      new_grid[1]);
  if (old_grid == new_grid) {
    return embedding;
  }
  const auto c = embedding.size(2);
  const auto prefix = embedding.slice(/*dim=*/1, 0, prefix_tokens);
  auto grid = embedding.slice(/*dim=*/1, prefix_tokens)
                  .to(torch::kFloat)
                  .reshape({1, old_grid[0], old_grid[1], c})
                  .permute({0, 3, 1, 2});      // [1, C, h, w]
  std::array<std::optional<double>, 2> scale;  // unset: that of the sizes
  for (size_t i = 0; i < 2 && how.offset != 0; ++i) {
    scale[i] = (static_cast<double>(new_grid[i]) + how.offset) / static_cast<double>(old_grid[i]);
  }
  grid = detail::resized(grid, new_grid, [&](const torch::Tensor& map, const Size2& to) {
    return how.antialias ? torch::_upsample_bicubic2d_aa(map, to, false, scale[0], scale[1])
                         : torch::upsample_bicubic2d(map, to, false, scale[0], scale[1]);
  });
  grid = grid.permute({0, 2, 3, 1}).reshape({1, -1, c}).to(embedding.scalar_type());
  return torch::cat({prefix, grid}, /*dim=*/1);  // [1, P + h' * w', C]
}

}  // namespace vitrine

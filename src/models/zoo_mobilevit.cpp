#include <utility>

#include "zoo.h"

namespace vitrine::detail {
namespace {

MobileVitOptions mobilevit(
    std::vector<int64_t> channels,
    std::vector<int64_t> dims,
    double expansion,
    int64_t head_chans) {
  return MobileVitOptions()
      .channels(std::move(channels))
      .transformer_dims(std::move(dims))
      .expansion(expansion)
      .head_chans(head_chans);
}

/// Of `width` times the paper's channels.
MobileVitOptions mobilevit_v2(double width) {
  const auto scaled = [&](std::vector<int64_t> channels) {
    for (auto& count : channels) {
      count = static_cast<int64_t>(static_cast<double>(count) * width);
    }
    return channels;
  };
  return MobileVitOptions()
      .version(2)
      .stem_chans(scaled({32}).front())
      .channels(scaled({64, 128, 256, 384, 512}))
      .blocks({1, 2, 1, 1, 1})
      .transformer_dims(scaled({128, 192, 256}))
      .expansion(2)
      .head_chans(0);
}

std::vector<Entry> mobilevits() {
  return {
      {"mobilevit_xxs",
       mobilevit({16, 24, 48, 64, 80}, {64, 80, 96}, 2, 320),
       plain(256),
       1'272'024,
       0.42},
      {"mobilevit_xs",
       mobilevit({32, 48, 64, 80, 96}, {96, 120, 144}, 4, 384),
       plain(256),
       2'317'848,
       1.05},
      {"mobilevit_s",
       mobilevit({32, 64, 96, 128, 160}, {144, 192, 240}, 4, 640),
       plain(256),
       5'578'632,
       2.03},
      {"vitrine_mobilevit_32",
       mobilevit({16, 24, 48, 64}, {64, 80}, 2, 256)
           .blocks({1, 2, 1, 1})
           .strides({1, 2, 2, 2})
           .transformer_depths({2, 2})
           .stem_stride(1)
           .num_classes(10),
       half(32, 1),
       403'674,
       0},
  };
}

std::vector<Entry> mobilevit_v2s() {
  return {
      {"mobilevitv2_050", mobilevit_v2(0.5), plain(256, 0.888), 1'370'593, 0.48},
      {"mobilevitv2_075", mobilevit_v2(0.75), plain(256, 0.888), 2'866'009, 1.05},
      {"mobilevitv2_100", mobilevit_v2(1), plain(256, 0.888), 4'901'841, 1.84},
      {"mobilevitv2_125", mobilevit_v2(1.25), plain(256, 0.888), 7'478'089, 2.86},
      {"mobilevitv2_150", mobilevit_v2(1.5), plain(256, 0.888), 10'594'753, 4.09},
      {"mobilevitv2_175", mobilevit_v2(1.75), plain(256, 0.888), 14'251'833, 5.54},
      {"mobilevitv2_200", mobilevit_v2(2), plain(256, 0.888), 18'449'329, 7.22},
      {"mobilevitv2_150.cvnets_in22k_ft_in1k_384",
       mobilevit_v2(1.5),
       plain(384, 1),
       10'594'753,
       9.20},
      {"mobilevitv2_175.cvnets_in22k_ft_in1k_384",
       mobilevit_v2(1.75),
       plain(384, 1),
       14'251'833,
       12.47},
      {"mobilevitv2_200.cvnets_in22k_ft_in1k_384",
       mobilevit_v2(2),
       plain(384, 1),
       18'449'329,
       16.24},
  };
}

}  // namespace

std::vector<Group> mobilevit_groups() {
  return {
      {"mobilevit", "Mehta & Rastegari (2021), MobileViT, arxiv.org/abs/2110.02178", mobilevits()},
      {"mobilevit",
       "Mehta & Rastegari (2022), Separable Self-attention for Mobile Vision Transformers, "
       "arxiv.org/abs/2206.02680",
       mobilevit_v2s()},
  };
}

}  // namespace vitrine::detail

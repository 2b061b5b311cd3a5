#include "vitrine/models/mobilevit.h"

#include <numeric>

#include "vitrine/layers/drop_path.h"
#include "vitrine/layers/init.h"
#include "vitrine/layers/observe.h"

#include "layers/checks.h"
#include "option_fields.h"
#include "taken_features.h"

namespace vitrine {

namespace nn = torch::nn;

namespace {

constexpr auto kMobileVitFields = [](auto& options, auto& visit) {
  visit("version", options.version());
  visit("in_chans", options.in_chans());
  visit("num_classes", options.num_classes());
  visit("stem_chans", options.stem_chans());
  visit("stem_stride", options.stem_stride());
  visit("channels", options.channels());
  visit("blocks", options.blocks());
  visit("strides", options.strides());
  visit("expansion", options.expansion());
  visit("transformer_dims", options.transformer_dims());
  visit("transformer_depths", options.transformer_depths());
  visit("num_heads", options.num_heads());
  visit("patch_size", options.patch_size());
  visit("head_chans", options.head_chans());
  visit("drop_rate", options.drop_rate());
  visit("proj_drop_rate", options.proj_drop_rate());
  visit("attn_drop_rate", options.attn_drop_rate());
  visit("drop_path_rate", options.drop_path_rate());
};

void check(const MobileVitOptions& options) {
  const auto stages = options.channels().size();
  TORCH_CHECK_VALUE(
      options.version() == 1 || options.version() == 2,
      "MobileVit: version must be 1 or 2, got ",
      options.version());
  TORCH_CHECK_VALUE(
      stages > 0 && options.blocks().size() == stages && options.strides().size() == stages,
      "MobileVit: channels, blocks and strides must have one number for each stage, got ",
      stages,
      ", ",
      options.blocks().size(),
      " and ",
      options.strides().size());
  TORCH_CHECK_VALUE(
      options.transformer_dims().size() == options.transformer_depths().size() &&
          options.transformer_dims().size() <= stages,
      "MobileVit: transformer_dims and transformer_depths must have equal lengths, at most ",
      stages,
      ", got ",
      options.transformer_dims().size(),
      " and ",
      options.transformer_depths().size());
  for (const auto count : options.blocks()) {
    TORCH_CHECK_VALUE(
        count > 0 && count <= detail::kMostBlocks,
        "MobileVit: each of blocks must be 1 to ",
        detail::kMostBlocks,
        ", got ",
        count);
  }
}

}  // namespace

MobileVitOptions apply(MobileVitOptions base, const ModelOptions& overrides) {
  return detail::with_options(std::move(base), overrides, "mobilevit", kMobileVitFields);
}

MobileVitImpl::MobileVitImpl(const MobileVitOptions& options_) : options(options_) {
  check(options);
  const auto& channels = options.channels();
  const auto& counts = options.blocks();
  const auto plain_stages = channels.size() - options.transformer_dims().size();
  const auto total = std::accumulate(counts.begin(), counts.end(), int64_t{0}) +
                     static_cast<int64_t>(options.transformer_dims().size());
  const auto rates = drop_path_rates(options.drop_path_rate(), total);
  auto rate = rates.begin();

  stem = register_module(
      "stem",
      ConvNormAct(ConvNormActOptions(options.in_chans(), options.stem_chans(), 3)
                      .stride(options.stem_stride())));
  stages = register_module("stages", nn::ModuleList());
  auto width = options.stem_chans();
  for (size_t s = 0; s < channels.size(); ++s) {
    nn::Sequential stage;
    for (int64_t i = 0; i < counts[s]; ++i) {
      stage->push_back(InvertedResidual(InvertedResidualOptions(width, channels[s])
                                            .stride(i == 0 ? options.strides()[s] : 1)
                                            .expansion(options.expansion())
                                            .drop_path(*rate++)));
      width = channels[s];
    }
    if (s >= plain_stages) {
      push_transformer(stage, s - plain_stages, width, *rate++);
    }
    stages->push_back(stage);
  }
  if (options.head_chans() != 0) {
    final_conv = register_module(
        "final_conv", ConvNormAct(ConvNormActOptions(width, options.head_chans(), 1)));
  }
  reset_classifier(options.num_classes());
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* linear = module->as<nn::Linear>()) {
      init_mobile_(*linear);
    }
  }
}

void MobileVitImpl::push_transformer(
    nn::Sequential& stage, size_t i, int64_t chans, double drop_path) {
  const auto dim = options.transformer_dims()[i];
  const auto depth = options.transformer_depths()[i];
  if (options.version() == 2) {
    stage->push_back(MobileVitV2Block(MobileVitV2BlockOptions(chans, dim, depth)
                                          .patch_size(options.patch_size())
                                          .proj_drop(options.proj_drop_rate())
                                          .attn_drop(options.attn_drop_rate())
                                          .drop_path(drop_path)));
    return;
  }
  stage->push_back(MobileVitBlock(MobileVitBlockOptions(chans, dim, depth)
                                      .patch_size(options.patch_size())
                                      .num_heads(options.num_heads())
                                      .proj_drop(options.proj_drop_rate())
                                      .attn_drop(options.attn_drop_rate())
                                      .drop_path(drop_path)));
}

int64_t MobileVitImpl::num_features() const {
  return options.head_chans() != 0 ? options.head_chans() : options.channels().back();
}

void MobileVitImpl::pretty_print(std::ostream& stream) const {
  stream << "vitrine::MobileVit(channels=" << c10::IntArrayRef(options.channels())
         << ", transformer_dims=" << c10::IntArrayRef(options.transformer_dims())
         << ", version=" << options.version() << ", num_classes=" << options.num_classes() << ")";
}

void MobileVitImpl::check_images(const torch::Tensor& images) const {
  TORCH_CHECK_VALUE(
      images.dim() == 4 && images.size(1) == options.in_chans() && images.size(2) > 0 &&
          images.size(3) > 0,
      "MobileVit: expected images [B, ",
      options.in_chans(),
      ", H, W], got ",
      images.sizes());
}

torch::Tensor MobileVitImpl::forward_features(const torch::Tensor& images) {
  check_images(images);
  auto x = stem(images);  // [B, C, H', W']
  for (const auto& stage : *stages) {
    x = stage->as<nn::Sequential>()->forward(x);
  }
  return final_conv ? final_conv(x) : x;
}

Intermediates MobileVitImpl::forward_intermediates(
    const torch::Tensor& images, const IntermediatesOptions& wanted) {
  const detail::TakenFeatures taken("MobileVit", stages->size(), wanted);
  check_images(images);
  Intermediates result;
  auto x = stem(images);  // [B, C, H', W']
  for (size_t i = 0; i < taken.end(); ++i) {
    x = stages[i]->as<nn::Sequential>()->forward(x);
    if (final_conv && i + 1 == stages->size()) {
      x = final_conv(x);
    }
    if (taken.has(i)) {
      result.maps.push_back(taken.from_nchw(x));
    }
  }
  result.features = x;
  return result;
}

torch::Tensor MobileVitImpl::forward_head(const torch::Tensor& features, bool pre_logits) {
  return observed(*this, head(features, pre_logits));  // [B, K]
}

void MobileVitImpl::reset_classifier(int64_t num_classes) {
  ClassifierHead fresh(
      ClassifierHeadOptions(num_features(), num_classes).drop_rate(options.drop_rate()));
  if (fresh->fc) {
    init_mobile_(*fresh->fc);
  }
  if (head) {
    unregister_module("head");
  }
  head = register_module("head", fresh);
  head->to(stem->conv->weight.device(), stem->conv->weight.scalar_type());
  head->train(is_training());
  options.num_classes(num_classes);
}

std::vector<std::vector<std::string>> MobileVitImpl::layer_prefixes() const {
  std::vector<std::vector<std::string>> layers = {{"stem."}};
  size_t s = 0;
  for (const auto& stage : *stages) {
    for (size_t i = 0; i < stage->as<nn::Sequential>()->size(); ++i) {
      layers.push_back({"stages." + std::to_string(s) + "." + std::to_string(i) + "."});
    }
    ++s;
  }
  layers.back().emplace_back("final_conv.");
  return layers;
}

ModelOptions MobileVitImpl::model_options() const {
  return detail::as_model_options(options, kMobileVitFields);
}

}  // namespace vitrine

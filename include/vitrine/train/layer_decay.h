#pragma once

#include <map>
#include <string>

#include "vitrine/export.h"
#include "vitrine/models/classifier.h"

namespace vitrine {

/// Layer-wise decay: for each parameter's key the factor of its learning rate, layer_decay to the
/// power of the layers between it and the last (`Classifier::layer_prefixes`), so that the head
/// learns at the full rate and the embedding slowest. `layer_decay` is above 0 and at most 1.
///
/// Equal to timm's. Source: Bao et al. (2021), "BEiT", section 3.1,
/// https://arxiv.org/abs/2106.08254.
VITRINE_API std::map<std::string, double> layer_lr_scales(
    const Classifier& model, double layer_decay);

}  // namespace vitrine

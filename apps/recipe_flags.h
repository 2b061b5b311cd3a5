#pragma once

#include <vector>

#include "flag.h"

namespace vitrine {

// How `train` goes about it, by the groups of its help.
std::vector<Flag> optimizer_flags();
std::vector<Flag> schedule_flags();
std::vector<Flag> loss_flags();
std::vector<Flag> distillation_flags();
std::vector<Flag> mixup_flags();
std::vector<Flag> model_ema_flags();

}  // namespace vitrine

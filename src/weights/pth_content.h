#pragma once

#include "pickle_graph.h"
#include "torch_storage.h"

namespace vitrine::detail {

/// What a file of torch.save holds: the object, and where the storages' bytes lie that it names.
struct PthContent {
  PickleGraph graph;
  StorageTable storages;
  bool big_endian = false;  // the highest byte of each number comes first
};

}  // namespace vitrine::detail

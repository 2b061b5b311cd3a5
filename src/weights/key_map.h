#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::detail {

/// A tensor as a checkpoint names it.
struct SourceTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// How a tensor of a model comes from tensors of a checkpoint.
enum class Derivation {
  Copy,          // the one source
  Concat,        // the sources' rows, one source after another
  Rows,          // rows `begin` to `end` of the source
  Tokens,        // tokens `begin` to `end` of a source [1, N, C]
  AddToken,      // the first source [1, 1, C] and token 0 of the second [1, N, C]
  FlipChannels,  // a convolution's input channels in reverse: BGR for RGB
  Token,         // the source [C], [N, C] or [1, N, C] as [1, N, C]; dropped where N is 0
  Kernel,        // the source [C, P * P * I], a row for patches [P, P, I], as a convolution
                 // [C, I, P, P]; a second source [P * P * I] holds factors of the columns
  AddProduct,    // the first source [C] and the product of the second [C, D] with the third [D]
  Zeros,         // as many zeros as the source has rows
};

/// One tensor of a model, by timm's name, and where it comes from.
struct MappedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  Derivation derivation = Derivation::Copy;
  std::vector<std::size_t> sources;  // places in the checkpoint
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// A checkpoint brought to timm's names.
struct KeyMap {
  std::string layout;                 // whose names the checkpoint bears: "torchvision ViT"
  std::vector<MappedTensor> tensors;  // in the order of the checkpoint
  std::vector<std::size_t>
      dropped;  // places of what a model does not need: derived tables, poolers
  std::vector<std::size_t> unknown;  // places of names that the layout does not know
};

/// Recognises the layout of a checkpoint by its names, and maps them to timm's: those of timm
/// itself, torchvision, Hugging Face transformers (on disk and in memory), Microsoft's Swin, DINO,
/// DINOv2, DeiT III, ml-cvnets and vit-pytorch. Wrappers' prefixes (module., _orig_mod., model.,
/// backbone.) are taken off, also where a trainer put tensors of its own beside the model's, which
/// are dropped unless one of them could be the model's. A checkpoint that no layout fits is given
/// back by its own names, with an empty `layout`. Throws CheckpointError, beginning with `subject`,
/// on far more tensors than a model has, a layout that vitrine knows and cannot use, and shapes
/// that do not fit together.
KeyMap map_keys(const std::vector<SourceTensor>& tensors, const std::string& subject);

}  // namespace vitrine::detail

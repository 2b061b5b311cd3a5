#pragma once

#include <string>
#include <string_view>

namespace vitrine::detail {

/// Most bytes of a file's beginning that `foreign_kind` looks at.
constexpr std::size_t kForeignPrefix = 512;

/// What a file that is no safetensors file is instead, by its first bytes, as the end of a sentence
/// that begins with its name: "is a PyTorch zip checkpoint (.pth)"; empty where nothing is
/// recognised.
std::string foreign_kind(std::string_view start);

}  // namespace vitrine::detail

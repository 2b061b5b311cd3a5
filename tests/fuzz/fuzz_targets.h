#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine {

// What the fuzzers run on an input, and the replay test on each of their corpora. An input is sound
// or refused by an Error with one line; anything else ends the process.

/// Evaluates a pickle and looks at every value of it; then reads it as the checkpoint that a sound
/// archive holds, with two storages, "0" and "1", of 64 bytes each.
void fuzz_pickle(const std::uint8_t* data, std::size_t size);

/// Opens a PyTorch file, a zip archive or a legacy stream, and reads its state dict.
void fuzz_zip(const std::uint8_t* data, std::size_t size);

/// Checks an image file from its first byte to its last, as it is before a codec sees it.
void fuzz_image(const std::uint8_t* data, std::size_t size);

/// Parses a safetensors header; the first two bytes are the size of the data after it.
void fuzz_safetensors_header(const std::uint8_t* data, std::size_t size);

}  // namespace vitrine

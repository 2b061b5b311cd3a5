#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::pickle {

/// `value` in `size` bytes, the lowest first.
inline std::string little(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) {
    bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  return bytes;
}

/// A whole pickle of protocol 2.
inline std::string whole(const std::string& opcodes) {
  return "\x80\x02" + opcodes + ".";
}

inline std::string text(const std::string& value) {
  return "X" + little(value.size(), 4) + value;
}

inline std::string integer(std::int64_t value) {
  if (value >= 0 && value < 256) {
    return "K" + little(static_cast<std::uint64_t>(value), 1);
  }
  return "\x8A\x08" + little(static_cast<std::uint64_t>(value), 8);
}

inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

inline std::string put(std::uint64_t place) {
  return place < 256 ? "q" + little(place, 1) : "r" + little(place, 4);
}

inline std::string get(std::uint64_t place) {
  return place < 256 ? "h" + little(place, 1) : "j" + little(place, 4);
}

inline std::string joined(const std::vector<std::string>& values) {
  std::string all;
  for (const auto& value : values) {
    all += value;
  }
  return all;
}

inline std::string tuple(const std::vector<std::string>& values) {
  return "(" + joined(values) + "t";
}

inline std::string list(const std::vector<std::string>& values) {
  return "](" + joined(values) + "e";
}

/// Keys, as texts, and values in turn.
inline std::string dict(const std::vector<std::string>& keys_and_values) {
  return "}(" + joined(keys_and_values) + "u";
}

inline std::string call(
    const std::string& module, const std::string& name, const std::vector<std::string>& arguments) {
  return global(module, name) + tuple(arguments) + "R";
}

inline std::string numbers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const auto value : values) {
    items.push_back(integer(value));
  }
  return tuple(items);
}

/// A storage as torch.save identifies it in a zip archive.
inline std::string storage(
    const std::string& type,
    const std::string& key,
    std::int64_t numel,
    const std::string& location = "cpu") {
  return tuple(
             {text("storage"), global("torch", type), text(key), text(location), integer(numel)}) +
         "Q";
}

/// The same in a legacy stream.
inline std::string legacy_storage(
    const std::string& type,
    const std::string& key,
    std::int64_t numel,
    const std::string& view = "N") {
  return tuple(
             {text("storage"),
              global("torch", type),
              text(key),
              text("cpu"),
              integer(numel),
              view}) +
         "Q";
}

inline std::string tensor(
    const std::string& of,
    std::int64_t offset,
    const std::string& size,
    const std::string& stride) {
  return call(
      "torch._utils",
      "_rebuild_tensor_v2",
      {of, integer(offset), size, stride, "\x89", call("collections", "OrderedDict", {})});
}

/// A vector of a whole storage of floats.
inline std::string vector(const std::string& key, std::int64_t numel) {
  return tensor(storage("FloatStorage", key, numel), 0, numbers({numel}), numbers({1}));
}

}  // namespace vitrine::pickle

#include "fuzz/fuzz_targets.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/error.h"

#include "image/container.h"
#include "weights/checkpoint_tree.h"
#include "weights/pickle_describe.h"
#include "weights/pickle_reader.h"
#include "weights/pth_assembler.h"
#include "weights/python_object.h"
#include "weights/safetensors_header.h"

namespace vitrine {
namespace {

constexpr std::uint64_t kMostRead = std::uint64_t{1} << 22;  // so that no input takes long

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// Runs `work`, which may refuse its input with a line that begins with `subject`; returns whether
/// it did not.
template <typename Work>
bool try_input(const Work& work, const std::string& subject = "input") {
  try {
    work();
    return true;
  } catch (const Error& error) {
    const std::string message = error.what();
    require(message.compare(0, subject.size(), subject) == 0 && message.size() < 2000);
    require(message.find('\n') == std::string::npos);
    return false;
  }
}

/// Looks at everything that a graph says of a value; all must be within it.
void look_at(const detail::PickleGraph& graph, detail::PickleId id) {
  describe(graph, id);
  mapping_items(graph, id);
  set_items(graph, id);
  bytes_value(graph, id);
  for (const auto item : graph.items(id)) {
    require(item < graph.size());
  }
  for (const auto item : graph.pairs(id)) {
    require(item < graph.size());
  }
  require(graph.state(id) < graph.size() && graph.arguments(id) < graph.size());
}

/// Opens a PyTorch file, finds its state dict and reads the tensors.
void read_checkpoint(std::string_view bytes) {
  const detail::PthFile file(std::make_unique<detail::MemoryBytes>(bytes), "input");
  std::uint64_t read = 0;
  for (const auto& [name, tensor] : find_state_dict(file).tensors) {
    read += tensor.size();
    if (read > kMostRead) {
      break;
    }
    std::string elements(tensor.size(), '\0');
    file.read(tensor, elements.data());
  }
}

}  // namespace

void fuzz_pickle(const std::uint8_t* data, std::size_t size) {
  const detail::MemoryBytes source({reinterpret_cast<const char*>(data), size});
  const bool is_pickle = try_input([&] {
    const auto graph = detail::read_pickle(source, 0, size, "input");
    require(graph.byte_count() <= size && graph.root() < graph.size());
    for (detail::PickleId id = 0; id < graph.size(); ++id) {
      look_at(graph, id);
    }
  });
  if (!is_pickle) {
    return;  // an archive would be refused for the same reason, in three times as long
  }
  // As in a file whose archive is sound, with two storages.
  const std::string pickle(reinterpret_cast<const char*>(data), size);
  const std::string numbers(64, '\1');
  const auto archive = zip_bytes(torch_parts(pickle, {{"0", numbers}, {"1", numbers}}));
  try_input([&] { read_checkpoint(archive); });
}

void fuzz_zip(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_input([&] { read_checkpoint(bytes); });
}

void fuzz_image(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kMostPixels = 1 << 16;
  try_input(
      [&] {
        const auto container = detail::open_container(data, size, kMostPixels);
        const auto pixels = static_cast<std::uint64_t>(container.width * container.height);
        require(container.width > 0 && container.height > 0 && pixels <= kMostPixels);
        require(container.orientation >= 1 && container.orientation <= 8);
        if (container.kind == detail::ImageKind::Jpeg) {
          std::vector<std::uint8_t> picture(3 * pixels);
          detail::read_jpeg(detail::Bytes(data, size, "JPEG"), picture.data());
          return;
        }
        require(container.pixels.empty() != container.stream.empty());
        require(container.pixels.empty() || container.pixels.size() == 3 * pixels);
      },
      /*subject=*/"");
}

void fuzz_safetensors_header(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return;
  }
  const auto data_size = static_cast<std::uint64_t>(data[0] | data[1] << 8);
  const std::string_view json(reinterpret_cast<const char*>(data) + 2, size - 2);
  try_input([&] {
    const auto header = detail::parse_header(json, data_size, "input");
    std::uint64_t end = 0;
    for (const auto& tensor : header.tensors) {
      require(tensor.begin == end && tensor.end >= tensor.begin);
      end = tensor.end;
    }
    require(end == data_size);
  });
}

}  // namespace vitrine

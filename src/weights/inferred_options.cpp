#include "inferred_options.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "vitrine/text.h"

#include "models/option_fields.h"
#include "telling_tensors.h"

namespace vitrine::detail {
namespace {

using std::to_string;
using List = std::vector<std::int64_t>;

constexpr std::int64_t kMostBlocks = 1000;
constexpr std::int64_t kHeadDim = 64;

/// A value as --model-kwargs takes it.
struct OptionText {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return to_string(value); }
  std::string operator()(double value) const { return nlohmann::json(value).dump(); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const List& value) const {
    std::vector<std::string> numbers;
    for (const auto number : value) {
      numbers.push_back(to_string(number));
    }
    return join(numbers, "+");
  }
};

/// The multiple of `dim` that gives `width` again when it is rounded down.
double ratio(std::int64_t width, std::int64_t dim) {
  const auto exact = static_cast<double>(width) / static_cast<double>(dim);
  const auto back = static_cast<std::int64_t>(static_cast<double>(dim) * exact);
  return back == width ? exact : (static_cast<double>(width) + 0.5) / static_cast<double>(dim);
}

/// Side of a square of `count`, or 0.
std::int64_t square_side(std::int64_t count) {
  const auto side = static_cast<std::int64_t>(
      std::lround(std::sqrt(static_cast<double>(std::max<std::int64_t>(count, 0)))));
  return side * side == count ? side : 0;
}

class Inference {
 public:
  Inference(const TensorShapes& shapes, const ModelOptions& known)
      : shapes_(shapes), known_(known) {}

  InferredModel infer(const std::function<bool(const Entry&)>& accepts) {
    if (const auto* base = nearest(accepts)) {
      const bool whole =
          std::visit([&](const auto& options) { return infer_options(options); }, base->options);
      result_.base = whole ? base : nullptr;
      put_head(base);
    }
    return std::move(result_);
  }

 private:
  /// Size `dim` of a tensor; 0 where it is not there, or has not `dims` dimensions.
  std::int64_t size(const std::string& name, std::size_t dim, std::size_t dims) const {
    const auto found = shapes_.find(name);
    return found == shapes_.end() || found->second.size() != dims ? 0 : found->second[dim];
  }

  bool has(const std::string& name) const { return shapes_.count(name) > 0; }

  /// How many tensors prefix0suffix, prefix1suffix and so on there are.
  std::int64_t count(const std::string& prefix, const std::string& suffix) const {
    std::int64_t number = 0;
    while (number < kMostBlocks && has(prefix + to_string(number) + suffix)) {
      ++number;
    }
    return number;
  }

  bool is_family(const VisionTransformerOptions&) const {
    return has("patch_embed.proj.weight") && has("blocks.0.attn.qkv.weight");
  }
  bool is_family(const SwinTransformerOptions& of) const {
    return has("patch_embed.proj.weight") && has("layers.0.blocks.0.attn.qkv.weight") &&
           has("layers.0.blocks.0.attn.logit_scale") == (of.version() == 2);
  }
  bool is_family(const MobileVitOptions& of) const {
    return has("stem.conv.weight") && has("stages.0.0.conv1_1x1.conv.weight") &&
           has_separable_attention() == (of.version() == 2);
  }

  bool has_separable_attention() const {
    return std::any_of(shapes_.begin(), shapes_.end(), [](const auto& tensor) {
      return tensor.first.find(".attn.qkv_proj.weight") != std::string::npos;
    });
  }

  /// How far the file's model is from one of the zoo: first by the parts that it has, then by the
  /// width of the first layer and the patch.
  double distance(const Entry& entry) const {
    const auto telling = telling_tensors(entry.options);
    double result = has_head() == (classes(entry) > 0) ? 0 : 4;
    for (const auto& tensor : telling) {
      result += has(tensor.name) == tensor.shape.empty() ? 8 : 0;
    }
    const auto& first = telling.front();
    for (std::size_t i = 0; i < first.shape.size(); ++i) {
      const auto found = size(first.name, i, first.shape.size());
      if (first.shape[i] > 0 && found > 0) {
        result +=
            std::abs(std::log2(static_cast<double>(found) / static_cast<double>(first.shape[i])));
      }
    }
    return result;
  }

  const Entry* nearest(const std::function<bool(const Entry&)>& accepts) const {
    const Entry* best = nullptr;
    double least = 0;
    for (const auto& group : zoo()) {
      for (const auto& entry : group.entries) {
        const auto is_of = [&](const auto& options) { return is_family(options); };
        if (!std::visit(is_of, entry.options) || is_small(entry) || !accepts(entry)) {
          continue;
        }
        const auto found = distance(entry);
        if (best == nullptr || found < least) {
          best = &entry;
          least = found;
        }
      }
    }
    return best;
  }

  /// Models whose preprocessing is for tests and digits.
  static bool is_small(const Entry& entry) {
    const std::string name = entry.name;
    return name.rfind("test_", 0) == 0 || name.rfind("vitrine_", 0) == 0;
  }

  template <typename Value>
  void put(const char* name, const Value& value, const Value& of_base) {
    result_.options.set(name, value);
    if (value != of_base) {
      add(name, std::visit(OptionText(), OptionValue(value)));
    }
  }

  void add(const char* name, const std::string& value) {
    result_.differences +=
        (result_.differences.empty() ? "" : ",") + std::string(name) + "=" + value;
  }

  /// Notes that nothing tells an option.
  void miss(const char* name) {
    result_.untold.emplace_back(name);
    add(name, "?");
  }

  bool has_head() const { return has("head.weight") || has("head.fc.weight"); }

  static std::int64_t classes(const Entry& entry) {
    return std::visit([](const auto& options) { return options.num_classes(); }, entry.options);
  }

  /// Classes are told by the head's shape, once the model is there.
  void put_head(const Entry* base) {
    const auto of_base = classes(*base);
    if (!has_head()) {
      put("num_classes", std::int64_t{0}, of_base);
    } else if (of_base == 0) {
      put("num_classes",
          std::max(size("head.weight", 0, 2), size("head.fc.weight", 0, 2)),
          of_base);
    }
  }

  void put_size(std::int64_t rows, std::int64_t columns, const Size2& of_base) {
    put("img_size", List{rows, columns}, List{of_base[0], of_base[1]});
  }

  bool infer_options(const VisionTransformerOptions& base) {
    const std::string block = "blocks.0.";
    const auto dim = size("patch_embed.proj.weight", 0, 4);
    const auto patch = size("patch_embed.proj.weight", 2, 4);
    const auto inner = size(block + "attn.qkv.weight", 0, 2) / 3;
    const auto hidden = size(block + "mlp.fc1.weight", 0, 2);
    const auto projected = size(block + "mlp.fc2.weight", 1, 2);
    if (dim < 1 || patch < 1 || inner < 1 || hidden < 1 || projected < 1) {
      return false;
    }
    const bool token = has("cls_token");
    const bool distilled = has("dist_token");
    const auto registers = size("reg_token", 1, 3);
    const bool fc_norm = has("fc_norm.weight");
    put("patch_size", patch, base.patch_size());
    put("in_chans", size("patch_embed.proj.weight", 1, 4), base.in_chans());
    put("embed_dim", dim, base.embed_dim());
    put("depth", count("blocks.", ".norm1.weight"), base.depth());
    put("mlp_ratio", ratio(hidden, dim), base.mlp_ratio());
    put("mlp_layer", std::string(hidden == 2 * projected ? "swiglu" : "mlp"), base.mlp_layer());
    put("qkv_bias", has(block + "attn.qkv.bias"), base.qkv_bias());
    put("proj_bias", has(block + "attn.proj.bias"), base.proj_bias());
    const auto scale = base.init_values() != 0 ? base.init_values() : 1e-5;
    put("init_values", has(block + "ls1.gamma") ? scale : 0.0, base.init_values());
    put("class_token", token, base.class_token());
    put("distilled", distilled, base.distilled());
    put("reg_tokens", registers, base.reg_tokens());
    put("dual_patch_norm", has("patch_embed.norm.weight"), base.dual_patch_norm());
    const bool both = token && !fc_norm && size("head.weight", 1, 2) == 2 * dim;
    put("global_pool",
        std::string(
            both                ? "token_avg"
            : token && !fc_norm ? "token"
                                : "avg"),
        base.global_pool());
    put("fc_norm", fc_norm, base.fc_norm().value_or(base.global_pool() != "token"));
    put_positions(base, patch, (token ? 1 : 0) + (distilled ? 1 : 0) + registers);
    put_heads(base, dim, inner);
    return true;
  }

  /// Learned positions: of which tokens, and for an image of which size.
  void put_positions(
      const VisionTransformerOptions& base, std::int64_t patch, std::int64_t prefix) {
    const auto tokens = size("pos_embed", 1, 3);
    if (tokens < 1) {
      miss("pos_embed");  // fixed ones, none, or of another kind
      return;
    }
    put("pos_embed", std::string("learn"), base.pos_embed());
    const auto known = find_sides(known_, "img_size");
    const auto has_patches = [&](std::int64_t patches) {
      return known && (*known)[0] / patch * ((*known)[1] / patch) == patches;
    };
    // Models with registers have positions of the patches alone, others mostly of all tokens.
    const bool alone_first = has("reg_token");
    for (const bool by_known : {true, false}) {
      for (const bool alone : {alone_first, !alone_first}) {
        const auto patches = tokens - (alone ? 0 : prefix);
        const auto side = square_side(patches);
        if (by_known ? has_patches(patches) : side > 0) {
          put("no_embed_class", alone && prefix > 0, base.no_embed_class());
          put_size(
              by_known ? (*known)[0] : side * patch,
              by_known ? (*known)[1] : side * patch,
              base.img_size());
          return;
        }
      }
    }
    miss("img_size");
  }

  void put_heads(const VisionTransformerOptions& base, std::int64_t dim, std::int64_t inner) {
    const auto known = find_sizes(known_, "num_heads");
    result_.heads_assumed = known.size() != 1;
    const auto heads = result_.heads_assumed ? inner / kHeadDim : known[0];
    if (result_.heads_assumed && inner % kHeadDim != 0) {
      miss("num_heads");
      return;
    }
    put("num_heads", heads, base.num_heads());
    put("head_dim", inner == dim ? std::int64_t{0} : inner / heads, base.head_dim());
  }

  bool infer_options(const SwinTransformerOptions& base) {
    const auto dim = size("patch_embed.proj.weight", 0, 4);
    const auto patch = size("patch_embed.proj.weight", 2, 4);
    const auto hidden = size("layers.0.blocks.0.mlp.fc1.weight", 0, 2);
    const auto stages = count("layers.", ".blocks.0.norm1.weight");
    if (dim < 1 || patch < 1 || hidden < 1 || stages < 1) {
      return false;
    }
    const bool second = base.version() == 2;
    List depths;
    List heads;
    List windows;
    for (std::int64_t s = 0; s < stages; ++s) {
      const auto blocks = "layers." + to_string(s) + ".blocks.";
      const auto table = blocks + "0.attn.relative_position_bias_table";
      depths.push_back(count(blocks, ".norm1.weight"));
      heads.push_back(second ? size(blocks + "0.attn.logit_scale", 0, 3) : size(table, 1, 2));
      windows.push_back((square_side(size(table, 0, 2)) + 1) / 2);
    }
    put("version", base.version(), base.version());
    put("patch_size", patch, base.patch_size());
    put("in_chans", size("patch_embed.proj.weight", 1, 4), base.in_chans());
    put("embed_dim", dim, base.embed_dim());
    put("depths", depths, base.depths());
    put("num_heads", heads, base.num_heads());
    put("mlp_ratio", ratio(hidden, dim), base.mlp_ratio());
    put("qkv_bias",
        has(std::string("layers.0.blocks.0.attn.") + (second ? "q_bias" : "qkv.bias")),
        base.qkv_bias());
    put_windows(base, second ? find_sizes(known_, "window_size") : windows);
    if (const auto known = find_sides(known_, "img_size")) {
      put_size((*known)[0], (*known)[1], base.img_size());
    } else {
      miss("img_size");
    }
    return true;
  }

  void put_windows(const SwinTransformerOptions& base, List windows) {
    const bool same = std::all_of(
        windows.begin(), windows.end(), [&](auto side) { return side == windows.front(); });
    if (windows.empty() || *std::min_element(windows.begin(), windows.end()) < 1) {
      miss("window_size");
      return;
    }
    put("window_size", same ? List{windows.front()} : std::move(windows), base.window_size());
    if (base.version() == 2) {
      const auto pretrained = known_.values().find("pretrained_window_sizes");
      const auto* sides =
          pretrained == known_.values().end() ? nullptr : std::get_if<List>(&pretrained->second);
      put("pretrained_window_sizes",
          sides == nullptr ? List{0} : *sides,
          base.pretrained_window_sizes());
    }
  }

  bool infer_options(const MobileVitOptions& base) {
    const auto stem = size("stem.conv.weight", 0, 4);
    const auto expanded = size("stages.0.0.conv1_1x1.conv.weight", 0, 4);
    if (stem < 1 || expanded < 1) {
      return false;
    }
    List channels;
    List blocks;
    List dims;
    List depths;
    const auto stages = count("stages.", ".0.conv1_1x1.conv.weight");
    for (std::int64_t s = 0; s < stages; ++s) {
      const auto stage = "stages." + to_string(s) + ".";
      blocks.push_back(count(stage, ".conv1_1x1.conv.weight"));
      const auto last = to_string(blocks.back() - 1);
      channels.push_back(size(stage + last + ".conv3_1x1.conv.weight", 0, 4));
      const auto block = stage + to_string(blocks.back());
      if (has(block + ".conv_1x1.weight")) {
        dims.push_back(size(block + ".conv_1x1.weight", 0, 4));
        depths.push_back(count(block + ".transformer.", ".norm1.weight"));
      }
    }
    put("version", base.version(), base.version());
    put("in_chans", size("stem.conv.weight", 1, 4), base.in_chans());
    put("stem_chans", stem, base.stem_chans());
    put("channels", channels, base.channels());
    put("blocks", blocks, base.blocks());
    put("expansion", ratio(expanded, stem), base.expansion());
    put("transformer_dims", dims, base.transformer_dims());
    put("transformer_depths", depths, base.transformer_depths());
    put("head_chans", size("final_conv.conv.weight", 0, 4), base.head_chans());
    if (channels.size() != base.strides().size()) {
      miss("strides");
    }
    return true;
  }

  const TensorShapes& shapes_;
  const ModelOptions& known_;
  InferredModel result_;
};

}  // namespace

InferredModel infer_model(
    const TensorShapes& shapes,
    const ModelOptions& known,
    const std::function<bool(const Entry&)>& accepts) {
  return Inference(shapes, known).infer(accepts);
}

}  // namespace vitrine::detail

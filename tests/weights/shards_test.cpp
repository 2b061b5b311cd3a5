#include <torch/utils.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "vitrine/error.h"
#include "vitrine/models/registry.h"
#include "vitrine/weights/inspect.h"
#include "vitrine/weights/load.h"
#include "vitrine/weights/model_file.h"
#include "vitrine/weights/safetensors.h"

#include "hostile_file.h"
#include "support/cost_limit.h"
#include "support/temporary_folder.h"

// Checkpoints in several files, told by their index (model.safetensors.index.json).

namespace vitrine {
namespace {

const std::string kArchitecture = "vitrine_vit_patch4_32";

std::string index_of(const std::string& map) {
  return R"({"metadata": {"total_size": 8}, "weight_map": {)" + map + "}}";
}

class Shards : public testing::Test {
 protected:
  /// Files "a" and "b" with a tensor of that name each.
  void SetUp() override {
    for (const auto* name : {"a", "b"}) {
      StateDict tensors;
      tensors.insert(name, torch::ones({2}));
      write_safetensors(folder_ / name, tensors);
    }
  }

  /// The one line with which the index is refused.
  std::string refusal(const std::string& json) {
    const auto path = folder_ / "index.json";
    write_bytes(path, json);
    std::string message;
    expect_cheap([&] {
      try {
        inspect_checkpoint(path);
      } catch (const Error& error) {
        message = error.what();
      }
    });
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_EQ(message.find(folder_.path()), 0U) << message;
    return message;
  }

  void expect_refused(const std::string& map, const std::string& cause) {
    const auto message = refusal(index_of(map));
    EXPECT_NE(message.find(cause), std::string::npos) << message;
  }

  TemporaryFolder folder_;
};

TEST_F(Shards, AreOneModel) {
  torch::manual_seed(0);
  const auto model = create_model(kArchitecture);
  StateDict first;
  StateDict second;
  std::string map;
  for (const auto& item : state_dict(*model)) {
    const bool odd = (first.size() + second.size()) % 2 == 1;
    (odd ? first : second).insert(item.key(), item.value().detach());
    map += (map.empty() ? "\"" : ", \"") + item.key() + "\": \"" + (odd ? "one" : "two") + "\"";
  }
  write_safetensors(folder_ / "one", first);
  write_safetensors(folder_ / "elsewhere", second);
  std::filesystem::create_symlink("elsewhere", folder_ / "two");
  const auto path = folder_ / "model.safetensors.index.json";
  write_bytes(path, index_of(map));
  const auto loaded = load_model(path);
  EXPECT_EQ(loaded.card.architecture, kArchitecture);
  const auto found = state_dict(*loaded.model);
  for (const auto& item : state_dict(*model)) {
    EXPECT_TRUE(torch::equal(found[item.key()], item.value())) << item.key();
  }
  const auto inspection = inspect_checkpoint(path);
  EXPECT_EQ(inspection.kind, "safetensors in several files");
  EXPECT_EQ(inspection.tensors.size(), first.size() + second.size());
  EXPECT_EQ(inspection.architecture, kArchitecture);
  EXPECT_EQ(
      inspection.bytes,
      std::filesystem::file_size(folder_ / "one") + std::filesystem::file_size(folder_ / "two"));
}

TEST_F(Shards, LieBesideTheIndex) {
  for (const auto* file : {"../a", "/etc/passwd", "x/a", "..", ".", "", "x\\\\a", "a\\u0000"}) {
    expect_refused(
        R"("a": ")" + std::string(file) + "\"", "expected the plain name of a file beside it");
  }
}

TEST_F(Shards, AreThereAndSound) {
  expect_refused(R"("a": "a", "c": "c")", "No such file");
  write_bytes(folder_ / "c", "not safetensors");
  expect_refused(R"("c": "c")", "c: ");
  write_bytes(folder_ / "d", "PK\x03\x04" + std::string(40, 'x'));
  expect_refused(R"("d": "d")", "expected a safetensors file");
}

TEST_F(Shards, AgreeWithTheIndex) {
  expect_refused(R"("a": "b", "b": "b")", "the index has tensor 'a' in 'b', which has none");
  expect_refused(R"("a": "b", "b": "a")", "'a' has a tensor 'a', which the index has in 'b'");
  expect_refused(R"("a": "a", "c": "a")", "the index has tensor 'c' in 'a', which has none");
  StateDict both;
  both.insert("a", torch::ones({2}));
  both.insert("b", torch::ones({2}));
  write_safetensors(folder_ / "b", both);
  expect_refused(R"("a": "a", "b": "b")", "'b' has a tensor 'a', which the index has in 'a'");
  expect_refused(R"("b": "b")", "'b' has a tensor 'a', which the index does not name");
}

TEST_F(Shards, HaveAnIndexOfSoundSize) {
  expect_refused("", "has no tensor in its weight_map");
  expect_refused(R"("a": 1)", "weight_map.a");
  EXPECT_NE(refusal(R"({"weight_map": [)" + std::string(1000, '[')).find(": "), std::string::npos);
  EXPECT_NE(refusal(R"({"weight_map": ["a"]})").find("weight_map"), std::string::npos);
  EXPECT_NE(
      refusal(index_of("\"a\": \"" + std::string(5 << 20, 'a') + "\"")).find("index.json"),
      std::string::npos);
  std::string many;
  for (int i = 0; i < 200; ++i) {
    const auto name = "\"" + std::to_string(i) + "\"";
    many += (many.empty() ? "" : ", ") + name + ": " + name;
  }
  expect_refused(many, "names 200 files, expected at most 128");
}

}  // namespace
}  // namespace vitrine

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hostile_pth.h"
#include "pth_assembler.h"

namespace vitrine {
namespace {

using detail::CheckpointTree;
using pickle::call;
using pickle::dict;
using pickle::get;
using pickle::global;
using pickle::integer;
using pickle::list;
using pickle::put;
using pickle::text;
using pickle::tuple;
using pickle::vector;

/// A file of `object` with the storage "0" of one float.
std::string file_of(const std::string& object) {
  return torch_zip(object, {{"0", "abcd"}});
}

CheckpointTree tree_of(const std::string& object, const std::string& key = "") {
  const auto bytes = file_of(object);
  return find_state_dict(open_bytes(bytes), key);
}

void expect_tree_refused(
    const std::string& object, const std::string& cause, const std::string& key = "") {
  expect_pth_refused(file_of(object), cause, key);
}

std::vector<std::string> names_of(const CheckpointTree& tree) {
  std::vector<std::string> names;
  for (const auto& entry : tree.tensors) {
    names.push_back(entry.name);
  }
  return names;
}

using Names = std::vector<std::string>;

/// A scalar, for a tensor that matters by its name alone.
std::string one() {
  return pickle::tensor(pickle::storage("FloatStorage", "0", 1), 0, ")", ")");
}

std::string state(const std::string& name) {
  return dict({text(name), one()});
}

std::string module(
    const std::string& parameters,
    const std::string& buffers,
    const std::string& modules,
    const std::string& more = "") {
  return global("m", "Net") + ")\x81}(" + text("training") + "\x88" + text("_parameters") +
         parameters + text("_buffers") + buffers + text("_modules") + modules + more + "ub";
}

TEST(CheckpointTree, KeepsTheOrderOfABareStateDict) {
  const auto tree = tree_of(dict({text("b"), one(), text("a.b"), one(), text("a"), one()}));
  EXPECT_EQ(tree.path, "");
  EXPECT_EQ(names_of(tree), (Names{"b", "a.b", "a"}));
  EXPECT_TRUE(tree.skipped.empty());
}

TEST(CheckpointTree, UnderstandsOrderedDicts) {
  const auto ordered = call("collections", "OrderedDict", {}) + "(" + text("a") + one() +
                       text("b") + one() + "u" + dict({text("_metadata"), dict({})}) + "b";
  EXPECT_EQ(names_of(tree_of(ordered)), (Names{"a", "b"}));
  const auto of_pairs = call(
      "collections", "OrderedDict", {list({list({text("a"), one()}), list({text("b"), one()})})});
  EXPECT_EQ(names_of(tree_of(of_pairs)), (Names{"a", "b"}));
  EXPECT_EQ(
      names_of(tree_of(list({tuple({text("a"), one()}), tuple({text("b"), one()})}))),
      (Names{"a", "b"}));
}

TEST(CheckpointTree, LeavesOutAndNamesWhatIsNoTensor) {
  const auto tree = tree_of(dict(
      {text("a"),
       one(),
       text("epoch"),
       integer(3),
       text("args"),
       call("argparse", "Namespace", {}),
       integer(7),
       one(),
       text("list"),
       list({one()})}));
  EXPECT_EQ(names_of(tree), (Names{"a"}));
  ASSERT_EQ(tree.skipped.size(), 3U);
  EXPECT_EQ(tree.skipped[0].name, "epoch");
  EXPECT_EQ(tree.skipped[0].reason, "is the int 3");
  EXPECT_FALSE(tree.skipped[0].is_tensor);
  EXPECT_EQ(tree.skipped[1].reason, "is an object of argparse.Namespace");
  EXPECT_EQ(tree.skipped[2].reason, "is a list of 1");
}

TEST(CheckpointTree, TakesTheLastOfKeysThatComeTwice) {
  const auto tree = tree_of(
      dict({text("a"), integer(1), text("b"), one(), text("a"), one(), text("b"), integer(2)}));
  EXPECT_EQ(names_of(tree), (Names{"a"}));
  ASSERT_EQ(tree.skipped.size(), 1U);
  EXPECT_EQ(tree.skipped[0].name, "b");
}

TEST(CheckpointTree, EntersTheFirstWrapperThatHoldsTensors) {
  const std::vector<std::string> order = {
      "state_dict_ema",
      "model_ema",
      "ema_state_dict",
      "ema",
      "teacher",
      "state_dict",
      "model",
      "model_state_dict",
      "student",
      "net",
      "module"};
  for (std::size_t first = 0; first < order.size(); ++first) {
    std::vector<std::string> entries = {text("optimizer"), state("x")};
    for (auto i = order.size(); i > first; --i) {
      entries.push_back(text(order[i - 1]));
      entries.push_back(state(order[i - 1]));
    }
    if (first > 0) {
      entries.push_back(text(order[first - 1]));
      entries.push_back(first % 2 == 0 ? "N" : dict({text("a"), integer(1)}));
    }
    const auto tree = tree_of(dict(entries));
    EXPECT_EQ(tree.path, order[first]);
    EXPECT_EQ(names_of(tree), Names{order[first]});
  }
}

TEST(CheckpointTree, EntersWrappersInWrappers) {
  const auto tree = tree_of(
      dict({text("model"), dict({text("state_dict"), state("a")}), text("net"), state("b")}));
  EXPECT_EQ(tree.path, "model.state_dict");
  EXPECT_EQ(names_of(tree), Names{"a"});
}

TEST(CheckpointTree, TakesAnAverageInAWrapperOfItsOwn) {
  const auto average = dict({text("module"), state("a"), text("updates"), integer(3)});
  const auto tree = tree_of(dict({text("model"), state("b"), text("model_ema"), average}));
  EXPECT_EQ(tree.path, "model_ema.module");
  EXPECT_EQ(names_of(tree), Names{"a"});
}

TEST(CheckpointTree, StaysWhereTensorsAreNamedLikeWrappers) {
  const auto tree = tree_of(dict({text("model"), one(), text("net"), one()}));
  EXPECT_EQ(tree.path, "");
  EXPECT_EQ(names_of(tree), (Names{"model", "net"}));
}

TEST(CheckpointTree, PrefersAWrapperToATensorBesideIt) {
  EXPECT_EQ(tree_of(dict({text("best"), one(), text("model"), state("a")})).path, "model");
}

TEST(CheckpointTree, EntersTheKeyThatIsAskedFor) {
  const auto object = dict(
      {text("model"),
       state("a"),
       text("model_ema"),
       state("b"),
       text("extra"),
       dict({text("net.1"), dict({text("weights"), state("c")})})});
  EXPECT_EQ(names_of(tree_of(object)), Names{"b"});
  EXPECT_EQ(names_of(tree_of(object, "model")), Names{"a"});
  const auto tree = tree_of(object, "extra.net.1.weights");
  EXPECT_EQ(tree.path, "extra.net.1.weights");
  EXPECT_EQ(names_of(tree), Names{"c"});
  EXPECT_EQ(
      names_of(tree_of(dict({text("x"), dict({text("model"), state("a")})}), "x")), Names{"a"});
}

TEST(CheckpointTree, NamesTheKeysThereAreWhereOneIsMissing) {
  const auto object = dict({text("model"), state("a"), text("epoch"), integer(3)});
  expect_tree_refused(
      object, "there is no key 'x' but a dict of 2 with the keys 'model', 'epoch'", "x");
  expect_tree_refused(
      object, "under 'model', there is no key 'x' but a dict of 1 with the keys 'a'", "model.x");
  expect_tree_refused(object, "under 'epoch', there is no key 'x' but the int 3", "epoch.x");
  expect_tree_refused(object, "under 'epoch' holds the int 3; expected a state dict", "epoch");
  expect_tree_refused(object, "there is no key '.model'", ".model");
  expect_tree_refused(object, "there is no key 'mod", "mod");
}

TEST(CheckpointTree, RefusesWhatIsNoStateDict) {
  expect_tree_refused(one(), "holds a single tensor; expected a state dict, of names and tensors");
  expect_tree_refused(list({one(), one()}), "holds a list of 2; expected a state dict");
  expect_tree_refused("N", "holds None; expected a state dict");
  expect_tree_refused(dict({}), "holds a dict of 0; expected a state dict");
  expect_tree_refused(
      dict({text("a"), integer(1)}), "holds a dict of 1 with the keys 'a'; expected");
  expect_tree_refused(
      dict({text("epoch"), integer(1), text("weights"), dict({text("a"), one()})}),
      "with the keys 'epoch', 'weights'; expected a state dict, of names and tensors; "
      "--checkpoint-key weights takes the tensors under 'weights'");
  expect_tree_refused(
      dict({integer(0), one()}), "holds a dict of 1 with the keys the int 0; expected");
  expect_tree_refused(call("m", "Net", {}), "holds an object of m.Net; expected");
}

TEST(CheckpointTree, EndsWhereWrappersHoldThemselves) {
  const auto loop = "}" + put(0) + "(" + text("model") + get(0) + text("state_dict") + get(0) + "u";
  expect_tree_refused(loop, "holds a dict of 2 with the keys 'model', 'state_dict'; expected");
  std::string nested = state("a");
  for (int i = 0; i < 8; ++i) {
    nested = dict({text("model"), nested});
  }
  EXPECT_EQ(names_of(tree_of(nested)), Names{"a"});
  expect_tree_refused(dict({text("model"), nested}), "holds a dict of 1 with the keys 'model'");
}

TEST(CheckpointTree, WalksModulesAsTheirStateDictWould) {
  const auto inner = module(
      dict({text("weight"), one(), text("bias"), "N"}),
      dict({text("mean"), one(), text("derived"), one()}),
      dict({}),
      text("_non_persistent_buffers_set") + call("__builtin__", "set", {list({text("derived")})}));
  const auto object = module(
      dict({text("token"), one()}),
      dict({}),
      dict({text("0"), inner, text("none"), "N", text("1"), inner}));
  const Names expected = {"token", "0.weight", "0.mean", "1.weight", "1.mean"};
  EXPECT_EQ(names_of(tree_of(object)), expected);
  const auto wrapped = tree_of(dict({text("model"), object, text("epoch"), integer(1)}));
  EXPECT_EQ(wrapped.path, "model");
  EXPECT_EQ(names_of(wrapped), expected);
}

TEST(CheckpointTree, EndsWhereModulesHoldThemselves) {
  const auto loop = global("m", "Net") + ")\x81" + put(0) + "}(" + text("_parameters") + "}" +
                    text("_buffers") + "}" + text("_modules") + dict({text("x"), get(0)}) + "ub";
  expect_tree_refused(loop, "its modules nest deeper than 64 levels");
  // Each holds the one before it twice: 2^40 names.
  auto laughs = module(dict({text("a"), one()}), dict({}), dict({})) + put(0);
  for (std::uint64_t i = 0; i < 40; ++i) {
    laughs +=
        "0" + module(dict({}), dict({}), dict({text("x"), get(i), text("y"), get(i)})) + put(i + 1);
  }
  expect_tree_refused(laughs, "are too many to be a model's");
}

TEST(CheckpointTree, RefusesNamesThatAreFarTooLong) {
  auto nested = module(dict({text("a"), one()}), dict({}), dict({})) + put(0);
  const auto name = text(std::string(800'000, 'n')) + put(100) + "0";
  for (std::uint64_t i = 0; i < 40; ++i) {
    nested += "0" + module(dict({}), dict({}), "}(" + get(100) + get(i) + "u") + put(i + 1);
  }
  expect_tree_refused(name + nested, "are too many to be a model's");
}

TEST(CheckpointTree, IsRefusedCheaplyHoweverManyWaysThereAre) {
  // A large dict that no module is, behind many names of modules.
  std::string attributes = "}(";
  std::string members = "}(";
  for (int i = 0; attributes.size() < 400'000; ++i) {
    attributes += text(std::to_string(i)) + "N";
  }
  for (int i = 0; members.size() < 400'000; ++i) {
    members += text(std::to_string(i)) + get(0);
  }
  const auto shared = global("m", "Net") + ")\x81" + attributes + "ub" + put(0) + "0";
  expect_tree_refused(shared + module("}", "}", members + "u"), "are too many to be a model's");
}

}  // namespace
}  // namespace vitrine

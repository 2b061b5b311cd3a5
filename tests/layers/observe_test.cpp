#include "vitrine/layers/observe.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "vitrine/layers/mlp.h"
#include "vitrine/layers/mobilevit_block.h"

namespace vitrine {
namespace {

struct Record {
  const torch::nn::Module* module;
  std::string step;
  torch::Tensor value;
};

class Recorder : public Observer {
 public:
  void on_value(
      const torch::nn::Module& module, std::string_view step, const torch::Tensor& value) override {
    records.push_back({&module, std::string(step), value});
  }
  std::vector<Record> records;
};

TEST(Observer, IsToldTheResultOfAModule) {
  Recorder recorder;
  Mlp mlp(MlpOptions(4, 8));
  const auto quiet = mlp(torch::ones({1, 4}));
  ObserverGuard guard(recorder);
  const auto y = mlp(torch::ones({1, 4}));
  ASSERT_EQ(recorder.records.size(), 1U);
  EXPECT_EQ(recorder.records[0].module, mlp.get());
  EXPECT_EQ(recorder.records[0].step, "");
  EXPECT_TRUE(recorder.records[0].value.is_same(y));
  EXPECT_TRUE(y.equal(quiet));
}

TEST(Observer, IsToldTheStepsInside) {
  Recorder recorder;
  MobileVitBlock block(MobileVitBlockOptions(4, 8, 1));
  {
    ObserverGuard guard(recorder);
    block(torch::randn({2, 4, 4, 4}));
  }
  std::vector<std::string> steps;
  for (const auto& record : recorder.records) {
    if (record.module == block.get()) {
      steps.push_back(record.step);
    }
  }
  EXPECT_EQ(steps, (std::vector<std::string>{"unfold", "fold", ""}));
}

TEST(ObserverGuard, NestsAndEnds) {
  Recorder outer;
  Recorder inner;
  Mlp mlp(MlpOptions(4, 8));
  {
    ObserverGuard first(outer);
    {
      ObserverGuard second(inner);
      mlp(torch::ones({1, 4}));
    }
    EXPECT_EQ(outer.records.size(), 0U);
    mlp(torch::ones({1, 4}));
  }
  mlp(torch::ones({1, 4}));
  EXPECT_EQ(inner.records.size(), 1U);
  EXPECT_EQ(outer.records.size(), 1U);
}

TEST(ObserverGuard, ConcernsItsThreadAlone) {
  Recorder recorder;
  Mlp mlp(MlpOptions(4, 8));
  ObserverGuard guard(recorder);
  std::thread([&] { mlp(torch::ones({1, 4})); }).join();
  EXPECT_TRUE(recorder.records.empty());
}

}  // namespace
}  // namespace vitrine

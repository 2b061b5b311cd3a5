#include "arguments.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "vitrine/error.h"

namespace vitrine {
namespace {

CommandSpec spec() {
  CommandSpec result;
  result.name = "cook";
  result.summary = "make something of what there is";
  result.operands = "INPUT...";
  result.least_operands = 1;
  result.most_operands = 3;
  result.description = "INPUT is a thing to cook.";
  result.groups = {
      {"Heat",
       {whole_option("batch-size", "things at a time", "16", 1),
        whole_option("level", "of the stove", "", 0, 9),
        real_option("crop-pct", "share kept", "0.9", Range::above_up_to(0, 1)),
        real_option("drop", "share lost", "", Range::from_below(0, 1)),
        reals_option("mean", "R,G,B", "of the colours", "", 3, Range::any())}},
      {"Words",
       {text_option("labels", "FILE", "names"),
        choice_option("format", {"table", "json"}, "how it is served", "table"),
        flag_option("quiet", "say nothing")}}};
  result.examples = {"vitrine cook egg"};
  return result;
}

/// What the refusal of `words` says; fails the test when they are taken.
std::string refusal(const std::vector<std::string>& words) {
  try {
    const Arguments taken(spec(), words);
  } catch (const UsageError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no UsageError";
  return "";
}

TEST(Arguments, GivesValuesByType) {
  const Arguments arguments(
      spec(),
      {"--batch-size", "8", "egg", "--crop-pct=0.5", "--mean", "1,-2,3e-1", "--quiet", "ham"});
  EXPECT_EQ(arguments.whole("batch-size"), 8);
  EXPECT_EQ(arguments.real("crop-pct"), 0.5);
  EXPECT_EQ(arguments.reals("mean"), (std::vector<double>{1, -2, 0.3}));
  EXPECT_TRUE(arguments.flag("quiet"));
  EXPECT_EQ(arguments.operands(), (std::vector<std::string>{"egg", "ham"}));
}

TEST(Arguments, FallsBackOnTheDefault) {
  const Arguments arguments(spec(), {"egg"});
  EXPECT_EQ(arguments.whole("batch-size"), 16);
  EXPECT_EQ(arguments.text("format"), "table");
  EXPECT_EQ(arguments.text("labels"), "");
  EXPECT_FALSE(arguments.flag("quiet"));
  EXPECT_FALSE(arguments.given("batch-size"));
}

TEST(Arguments, CountsTheLastValueAndKeepsAll) {
  const Arguments arguments(spec(), {"egg", "--labels", "a", "--labels", "b,c"});
  EXPECT_EQ(arguments.text("labels"), "b,c");
  EXPECT_EQ(arguments.all("labels"), (std::vector<std::string>{"a", "b,c"}));
}

TEST(Arguments, LeavesFileNamesAlone) {
  const Arguments arguments(spec(), {"a,b.jpg", "-", "--", "--quiet"});
  EXPECT_EQ(arguments.operands(), (std::vector<std::string>{"a,b.jpg", "-", "--quiet"}));
  EXPECT_FALSE(arguments.flag("quiet"));
}

TEST(Arguments, NamesOptionValueAndExpectation) {
  EXPECT_EQ(
      refusal({"egg", "--batch-size", "-3"}),
      "option --batch-size: got -3, expected a whole number of at least 1");
  EXPECT_EQ(
      refusal({"egg", "--level=10"}),
      "option --level: got 10, expected a whole number from 0 to 9");
  EXPECT_EQ(
      refusal({"egg", "--crop-pct", "0"}),
      "option --crop-pct: got 0, expected a number above 0 and at most 1");
  EXPECT_EQ(
      refusal({"egg", "--drop", "1"}),
      "option --drop: got 1, expected a number at least 0 and below 1");
  EXPECT_EQ(
      refusal({"egg", "--mean", "1,2"}),
      "option --mean: got 1,2, expected 3 numbers with commas between");
  EXPECT_EQ(
      refusal({"egg", "--format", "xml"}), "option --format: got xml, expected one of table, json");
  EXPECT_EQ(refusal({"egg", "--labels", ""}), "option --labels: got nothing, expected FILE");
  EXPECT_EQ(refusal({"egg", "--quiet=no"}), "option --quiet: got no, expected true or false");
}

TEST(Arguments, RefusesWhatIsNoNumber) {
  for (const std::string text :
       {"abc", "", "3x", "3 ", " 3", "3.5", "0x3", "1e3", "+3", "99999999999999999999", "NaN"}) {
    EXPECT_NE(refusal({"egg", "--batch-size", text}), "") << text;
  }
  for (const std::string text :
       {"nan", "NaN", "inf", "-inf", "", "0.5x", "0,5", "1e999", "\x1b[2J"}) {
    const auto message = refusal({"egg", "--crop-pct", text});
    EXPECT_EQ(message.find_first_of("\x1b\n"), std::string::npos) << text;
  }
}

TEST(Arguments, SeesAMissingValue) {
  EXPECT_EQ(refusal({"egg", "--labels"}), "option --labels: its value is missing, expected FILE");
  EXPECT_EQ(
      refusal({"egg", "--labels", "--quiet"}),
      "option --labels: got --quiet, expected FILE; is its value missing?");
}

TEST(Arguments, SuggestsTheNearestOption) {
  EXPECT_EQ(
      refusal({"egg", "--batchsize", "3"}),
      "unknown option '--batchsize'; the nearest: --batch-size; 'vitrine cook --help' lists them");
  EXPECT_EQ(
      refusal({"egg", "--zzzzzz=3"}),
      "unknown option '--zzzzzz'; 'vitrine cook --help' lists them");
  for (const std::string word : {"-q", "-qx", "---", "-3", "--=", "-\xc3\xa9"}) {
    EXPECT_NE(refusal({"egg", word}).find("unknown option"), std::string::npos) << word;
  }
}

TEST(Arguments, CountsOperands) {
  EXPECT_EQ(refusal({}), "cook: INPUT... is missing; see 'vitrine cook --help'");
  EXPECT_EQ(
      refusal({"a", "b", "c", "d\n"}), "cook: unexpected 'd\\x0a'; see 'vitrine cook --help'");
}

TEST(Arguments, AsksForHelpWhateverElseIsWrong) {
  EXPECT_TRUE(Arguments(spec(), {"--nonsense", "--help"}).wants_help());
  EXPECT_TRUE(Arguments(spec(), {"-h"}).wants_help());
  EXPECT_FALSE(Arguments(spec(), {"egg", "--", "--help"}).wants_help());
}

TEST(Arguments, TakesDefaultsFromElsewhereBelowTheCommandLine) {
  Arguments arguments(spec(), {"egg", "--batch-size", "4"});
  arguments.set_default("batch-size", "5", "config.json");
  arguments.set_default("level", "6", "config.json");
  arguments.set_default("quiet", "true", "config.json");
  EXPECT_EQ(arguments.whole("batch-size"), 4);
  EXPECT_EQ(arguments.whole("level"), 6);
  EXPECT_TRUE(arguments.flag("quiet"));
  EXPECT_TRUE(arguments.given("level"));
  EXPECT_THROW(arguments.set_default("levle", "6", "config.json"), Error);
  EXPECT_THROW(arguments.set_default("level", "60", "config.json"), Error);
}

TEST(HelpText, ShowsEveryGroupOptionDefaultAndExample) {
  const auto text = help_text(spec());
  for (const auto* part :
       {"vitrine cook: make something",
        "Usage: vitrine cook [OPTION...] INPUT...\n",
        "INPUT is a thing",
        "\nHeat:\n",
        "\nWords:\n",
        "--batch-size N",
        "(default: 16)",
        "--format table|json",
        "  --quiet  ",
        "-h, --help  ",
        "Examples:\n  vitrine cook egg\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
}

TEST(HelpText, KeepsToAHundredColumns) {
  auto wordy = spec();
  wordy.groups[0].options[0].help = std::string(40, 'a') + " " + std::string(40, 'b') + " c d e f";
  std::istringstream text(help_text(wordy));
  for (std::string line; std::getline(text, line);) {
    EXPECT_LE(line.size(), 100U) << line;
  }
}

}  // namespace
}  // namespace vitrine

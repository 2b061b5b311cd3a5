#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli.h"

namespace vitrine {
namespace {

struct Case {
  std::vector<std::string> words;
  int status;
  std::string message;  // what the line holds
};

/// Expects one line on standard error, nothing on standard output, and the status.
void expect_refused(const Case& expected) {
  std::string command;
  for (const auto& word : expected.words) {
    command += " " + word;
  }
  SCOPED_TRACE("vitrine" + command);
  const auto result = vitrine_program(expected.words);
  EXPECT_EQ(result.status, expected.status);
  EXPECT_EQ(result.out, "");
  const auto lines = lines_of(result.err);
  ASSERT_EQ(lines.size(), 1U) << result.err;
  EXPECT_EQ(lines[0].rfind("vitrine: ", 0), 0U) << lines[0];
  EXPECT_NE(lines[0].find(expected.message), std::string::npos) << lines[0];
}

TEST(CommandLine, PrintsUsageAndFailsWithoutACommand) {
  const auto result = vitrine_program({});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("Usage: vitrine COMMAND"), std::string::npos);
}

TEST(CommandLine, PrintsHelpAndVersionsWhenAsked) {
  const auto help = vitrine_program({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.err, "");
  for (const auto* command : {"models", "classify"}) {
    EXPECT_NE(help.out.find(std::string("\n  ") + command + " "), std::string::npos);
  }
  const auto versions = vitrine_program({"--version"});
  EXPECT_EQ(versions.status, 0);
  EXPECT_EQ(versions.out.rfind("vitrine ", 0), 0U);
  EXPECT_NE(versions.out.find("(LibTorch "), std::string::npos);
}

TEST(CommandLine, HelpsWithEveryCommandThatItLists) {
  const auto usage = lines_of(vitrine_program({"--help"}).out);
  int commands = 0;
  for (const auto& line : usage) {
    if (line.rfind("  ", 0) != 0) {
      continue;
    }
    const auto name = line.substr(2, line.find(' ', 2) - 2);
    const auto help = vitrine_program({name, "--help"});
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_EQ(help.err, "") << name;
    EXPECT_EQ(help.out.rfind("vitrine " + name + ": ", 0), 0U) << help.out;
    EXPECT_NE(help.out.find("\nUsage: vitrine " + name), std::string::npos);
    EXPECT_NE(help.out.find("\nExamples:\n  "), std::string::npos);
    ++commands;
  }
  EXPECT_GE(commands, 2);
}

TEST(CommandLine, RefusesWrongUsageWithOneLineAndStatusTwo) {
  const std::vector<Case> cases{
      {{"clasify"}, 2, "unknown command 'clasify'; the nearest: classify"},
      {{"zzzzzzz"}, 2, "unknown command 'zzzzzzz'; there are: models, summary"},
      {{"--weights", "x"}, 2, "expected a command before '--weights'"},
      {{"models", "a", "b"}, 2, "unexpected 'b'"},
      {{"models", "--format", "xml"}, 2, "option --format: got xml, expected one of table, json"},
      {{"models", "--fromat", "json"}, 2, "unknown option '--fromat'; the nearest: --format"},
      {{"classify"}, 2, "INPUT... is missing"},
      {{"classify", "a.jpg"}, 2, "--weights FILE is missing"},
      {{"classify", "a.jpg", "--weights"}, 2, "option --weights: its value is missing"},
      {{"classify", "a.jpg", "--weights", ""}, 2, "option --weights: got nothing"},
      {{"classify", "a.jpg", "--weights", "w", "--model", "vit_tiny_patch16_223"},
       2,
       "unknown model 'vit_tiny_patch16_223'; the nearest: vit_tiny_patch16_224"},
      {{"classify", "a.jpg", "--weights", "w", "--model", "resnet50"},
       2,
       "; 'vitrine models' lists them"},
      {{"classify", "a.jpg", "--batch-size", "-3"},
       2,
       "option --batch-size: got -3, expected a whole number from 1 to 1048576"},
      {{"classify", "a.jpg", "--batch-size", "NaN"}, 2, "option --batch-size: got NaN"},
      {{"classify", "a.jpg", "--top-k", "abc"}, 2, "option --top-k: got abc"},
      {{"classify", "a.jpg", "--top-k", "-1"}, 2, "of at least 0"},
      {{"classify", "a.jpg", "--threads", "0"}, 2, "option --threads: got 0"},
      {{"classify", "a.jpg", "--workers", "2x"}, 2, "option --workers: got 2x"},
      {{"classify", "a.jpg", "--crop-pct", "nan"}, 2, "a number above 0 and at most 1"},
      {{"classify", "a.jpg", "--mean", "0.5,0.5"}, 2, "3 numbers"},
      {{"classify", "a.jpg", "--std", "1,0,1"}, 2, "each at least 1e-06"},
      {{"classify", "a.jpg", "--image-size", "0"}, 2, "option --image-size: got 0"},
      {{"summary", "vit_tiny_patch16_224", "--image-size", "225x224"},
       2,
       "image size 225x224 is no multiple of the patch, 16; the nearest: 224x224 and 240x224"},
      {{"train", "d", "--model", "swin_tiny_patch4_window7_224", "--image-size", "30"},
       2,
       "patch, 4; the nearest: 28x28 and 32x32"},
      {{"classify", "a.jpg", "--crop-mode", "middle"}, 2, "one of center, squash, border"},
      {{"classify", "a.jpg", "--device", "gpu"}, 2, "expected auto, cpu, cuda or cuda:N"},
      {{"classify", "a.jpg", "--model-kwargs", "depth"}, 2, "NAME=VALUE"},
      {{"classify", "-", "-", "--weights", "w"}, 2, "'-' stands twice"}};
  for (const auto& expected : cases) {
    expect_refused(expected);
  }
}

TEST(CommandLine, FailsWithStatusOneWhereTheWorldIsToBlame) {
  const TemporaryFolder folder;
  for (const auto* name : {"page.safetensors", "page.pth"}) {
    write_text(folder / name, "<html>\n<body>\x1b[31mNot found</body></html>\n");
  }
  std::filesystem::copy(small_model(), folder / "cut.safetensors");
  std::filesystem::resize_file(
      folder / "cut.safetensors", std::filesystem::file_size(folder / "cut.safetensors") - 1);
  const std::vector<Case> cases{
      {{"models", "no_such_*"}, 1, "no_such_*"},
      {{"models", "swin_tiny_patch4_window7_22"}, 1, "swin_tiny_patch4_window7_224"},
      {{"classify", "--weights", folder / "none.safetensors", "a.jpg"}, 1, "none.safetensors"},
      {{"classify", "--weights", folder.path(), "a.jpg"}, 1, "is a folder"},
      {{"classify", "--weights", folder / "page.safetensors", "a.jpg"}, 1, "page.safetensors"},
      {{"classify", "--weights", folder / "page.pth", "a.jpg"}, 1, "page.pth: is an HTML"},
      {{"classify", "--weights", folder / "cut.safetensors", "a.jpg"}, 1, "cut.safetensors: "},
      {{"classify", "--weights", small_model(), "--device", "cuda:99", "a.jpg"}, 1, "cuda:99"}};
  for (const auto& expected : cases) {
    expect_refused(expected);
  }
}

TEST(CommandLine, SaysThatItsOutputCannotBeWritten) {
  const auto result =
      run_process({"sh", "-c", std::string(VITRINE_PROGRAM) + " models > /dev/full"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
}

TEST(CommandLine, EndsQuietlyWhenItsReaderGoesAway) {
  const auto result = run_process(
      {"sh",
       "-c",
       "trap '' PIPE; (" + std::string(VITRINE_PROGRAM) + " models; echo $? >&2) | true"});
  EXPECT_EQ(result.err, "141\n");
}

}  // namespace
}  // namespace vitrine

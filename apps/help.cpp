#include <sstream>
#include <string>

#include "arguments.h"

namespace vitrine {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kHelpColumn = 30;  // where the phrase of an option begins

/// `text` in lines that end before `kColumns`, each but the first behind `kHelpColumn` blanks.
std::string wrapped(const std::string& text) {
  std::istringstream words(text);
  std::string result;
  std::size_t column = kHelpColumn;
  for (std::string word; words >> word;) {
    if (column > kHelpColumn && column + 1 + word.size() > kColumns) {
      result += "\n" + std::string(kHelpColumn, ' ');
      column = kHelpColumn;
    } else if (column > kHelpColumn) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

std::string option_text(const OptionSpec& option) {
  auto text = "  --" + option.name + (option.value.empty() ? "" : " " + option.value);
  text += text.size() + 1 < kHelpColumn ? std::string(kHelpColumn - text.size(), ' ')
                                        : "\n" + std::string(kHelpColumn, ' ');
  const auto fallback = option.fallback.empty() ? "" : " (default: " + option.fallback + ")";
  return text + wrapped(option.help + fallback) + "\n";
}

}  // namespace

std::string help_text(const CommandSpec& spec) {
  auto text = "vitrine " + spec.name + ": " + spec.summary + "\n\nUsage: vitrine " + spec.name +
              " [OPTION...]" + (spec.operands.empty() ? "" : " " + spec.operands) + "\n";
  if (!spec.description.empty()) {
    text += "\n" + spec.description + "\n";
  }
  for (const auto& group : spec.groups) {
    text += "\n" + group.title + ":\n";
    for (const auto& option : group.options) {
      text += option_text(option);
    }
  }
  text +=
      "\n  -h, --help                  print this help\n\nOf an option given twice, the last one "
      "counts.\n\nExamples:\n";
  for (const auto& example : spec.examples) {
    text += "  " + example + "\n";
  }
  return text;
}

}  // namespace vitrine

#include <c10/util/Exception.h>

#include <opencv2/core/utility.hpp>
#include <opencv2/core/utils/logger.hpp>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"
#include "vitrine/version.h"

#include "arguments.h"
#include "commands.h"
#include "heap.h"

namespace vitrine {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr std::size_t kLongestLine = 2000;

std::vector<Command> commands() {
  return {
      models_command(),
      summary_command(),
      classify_command(),
      train_command(),
      evaluate_command(),
      features_command(),
      check_data_command(),
      inspect_command(),
      convert_command(),
      benchmark_command()};
}

void print_usage(std::ostream& stream) {
  stream << "vitrine " << version() << ": vision transformers that classify images\n\n"
         << "Usage: vitrine COMMAND [OPTION...]\n\nCommands:\n";
  for (const auto& command : commands()) {
    stream << "  " << command.spec.name << std::string(12 - command.spec.name.size(), ' ')
           << command.spec.summary << '\n';
  }
  stream
      << "\n'vitrine COMMAND --help' tells the options of one; 'vitrine --version' the versions.\n";
}

/// LibTorch's warnings are for those who write programs with it.
class NoWarnings final : public c10::WarningHandler {
 public:
  void process(const c10::Warning&) override {}
};

/// Settings that belong to the process, not to the library.
void prepare_process() {
  // A reader that went away (`vitrine models | head`) ends the program without a word, even where
  // the parent had the signal ignored.
  std::signal(SIGPIPE, SIG_DFL);
  // A limit on the size of files (ulimit -f) is told as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  static NoWarnings no_warnings;
  c10::WarningUtils::set_warning_handler(&no_warnings);
  // Images are decoded by several threads already, and every fault is told by the command itself.
  cv::setNumThreads(0);
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  keep_heap();
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) {
    print_usage(std::cerr);
    return kWrongUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_usage(std::cout);
    return 0;
  }
  if (words[0] == "--version") {
    std::cout << "vitrine " << version() << " (LibTorch " << libtorch_version() << ")\n";
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    names.push_back(command.spec.name);
    if (command.spec.name == words[0]) {
      const Arguments arguments(command.spec, {words.begin() + 1, words.end()});
      if (arguments.wants_help()) {
        std::cout << help_text(command.spec);
        return 0;
      }
      return command.run(arguments);
    }
  }
  const bool option = words[0].rfind('-', 0) == 0;
  throw UsageError(
      option ? "expected a command before '" + printable(words[0]) + "': " + join(names, ", ")
             : std::string(UnknownNameError("command", words[0], names).what()) +
                   "; 'vitrine --help' lists them");
}

/// One line, whatever the message held.
int report(const std::string& message, int status) {
  const auto line = message.substr(0, message.find('\n'));
  std::cerr << "vitrine: " << printable(line, kLongestLine) << std::endl;
  return status;
}

int run_and_report(const std::vector<std::string>& words) {
  try {
    prepare_process();
    const int status = run(words);
    if (!std::cout.flush()) {
      return report("standard output: cannot be written; is the disk full?", kFailed);
    }
    return status;
  } catch (const UsageError& error) {
    return report(error.what(), kWrongUsage);
  } catch (const UnknownNameError& error) {
    const std::string message = error.what();
    const bool of_model = message.rfind("unknown model '", 0) == 0;
    return report(message + (of_model ? "; 'vitrine models' lists them" : ""), kWrongUsage);
  } catch (const c10::ValueError& error) {
    return report(error.what_without_backtrace(), kWrongUsage);
  } catch (const c10::Error& error) {
    return report(error.what_without_backtrace(), kFailed);
  } catch (const std::bad_alloc&) {
    return report("there is not enough memory", kFailed);
  } catch (const std::exception& error) {
    return report(error.what(), kFailed);
  }
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::run_and_report({argv + std::min(argc, 1), argv + argc});
}

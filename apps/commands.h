#pragma once

#include "arguments.h"

namespace vitrine {

/// A command of the program.
struct Command {
  CommandSpec spec;
  /// Does what the arguments say and gives the exit status; results go to standard output.
  int (*run)(const Arguments& arguments);
};

Command models_command();
Command summary_command();
Command classify_command();
Command train_command();
Command evaluate_command();
Command features_command();
Command check_data_command();
Command inspect_command();
Command convert_command();
Command benchmark_command();

}  // namespace vitrine

// Times the loading of weights (load_time.py):
//
//   vitrine_load_time MODEL FILE
//
// Prints the seconds that load_weights takes, for each line on standard input once: with
// `all_or_nothing` where the line says so, else reading each value once, as load_model does.

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "vitrine/models/registry.h"
#include "vitrine/weights/load.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: vitrine_load_time MODEL FILE\n", stderr);
    return 2;
  }
  try {
    const auto model = vitrine::create_model(argv[1]);
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      const auto options = vitrine::LoadOptions().all_or_nothing(line == "all_or_nothing");
      const auto start = std::chrono::steady_clock::now();
      vitrine::load_weights(*model, argv[2], options);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      std::cout << seconds.count() << std::endl;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vitrine_load_time: %s\n", error.what());
    return 1;
  }
  return 0;
}

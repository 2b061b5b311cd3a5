#include "stop_signals.h"

#include <csignal>
#include <unistd.h>

namespace vitrine {
namespace {

// All that a handler may touch.
volatile std::sig_atomic_t received = 0;

void remember(int signal) {
  if (received != 0) {
    ::_exit(128 + signal);
  }
  received = signal;
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    // A shell has its background jobs ignore Ctrl-C; so it stays.
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {
      ::sigaction(signal, &action, nullptr);
    }
  }
}

int stop_signal() {
  return received;
}

}  // namespace vitrine

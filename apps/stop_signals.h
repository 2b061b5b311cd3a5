#pragma once

namespace vitrine {

/// From now on the first SIGINT or SIGTERM is only remembered, so that the command can leave in
/// order; a second one ends the process at once, with status 128 + N.
void catch_stop_signals();

/// The signal that came, or 0.
int stop_signal();

}  // namespace vitrine

// The processors that are measured on: one for the server, another for what talks to it.
#pragma once

namespace bench {

// The same one where this process may use only one.
struct core_pair {
    int server = 0;
    int client = 0;
};
// The first two that this process may use.
[[nodiscard]] core_pair choose_cores();
// Keeps this process, and what it starts from now on, on one core. Where that is not allowed, the
// kernel places the processes; the figures are then less steady.
void pin(int core);

}  // namespace bench

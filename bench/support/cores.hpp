// The processors that are measured on: one for the server, another for what talks to it.
#pragma once

#include <sys/types.h>

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

// Asks for the shortest turns on its core, 0.1 ms, for a thread (0: this one) and those that it
// starts from now on. Threads that share a core only since the machine has few would else wait for
// each other for milliseconds, and latencies would be those turns. It gives no larger share of the
// core. Linux 6.12; older ones take no notice.
void take_short_turns(pid_t thread = 0);

}  // namespace bench

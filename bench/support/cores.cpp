#include "cores.hpp"

#include <sched.h>

#include <algorithm>
#include <cstddef>

namespace bench {

core_pair choose_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    core_pair chosen{.server = -1, .client = -1};
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (int core = 0; core < CPU_SETSIZE && chosen.client < 0; ++core) {
            if (CPU_ISSET(static_cast<std::size_t>(core), &set)) {
                (chosen.server < 0 ? chosen.server : chosen.client) = core;
            }
        }
    }
    chosen.server = std::max(chosen.server, 0);
    chosen.client = chosen.client < 0 ? chosen.server : chosen.client;
    return chosen;
}

void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(core), &set);
    static_cast<void>(sched_setaffinity(0, sizeof set, &set));
}

}  // namespace bench

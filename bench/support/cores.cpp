#include "cores.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

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

void take_short_turns(pid_t thread) {
    // The first version of struct sched_attr, which Debian 12's headers do not have.
    struct {
        std::uint32_t size;
        std::uint32_t policy;
        std::uint64_t flags;
        std::int32_t nice;
        std::uint32_t priority;
        std::uint64_t runtime_ns;
        std::uint64_t deadline_ns;
        std::uint64_t period_ns;
    } wanted{};
    wanted.size = sizeof wanted;
    wanted.policy = SCHED_OTHER;
    wanted.nice = getpriority(PRIO_PROCESS, static_cast<id_t>(thread));
    wanted.runtime_ns = 100'000;
    static_cast<void>(syscall(SYS_sched_setattr, thread, &wanted, 0U));
}

}  // namespace bench

#include "support/child_process.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace weir::test {
namespace {

void require(bool done, const char* what) {
    if (!done) {
        std::perror(what);
        std::_Exit(cannot_prepare);
    }
}

}  // namespace

void refuse_system_call(long number, int error) {
    const auto refusal = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
    std::array program = {
        sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number)},
        sock_filter{BPF_RET | BPF_K, 0, 0, refusal},
        sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                            .filter = program.data()};
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "PR_SET_SECCOMP");
}

void become_user_with_locked_memory(unsigned long bytes) {
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    require(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "RLIMIT_MEMLOCK");
    const auto user = static_cast<uid_t>(3'000'000 + getpid());
    require(setresuid(user, user, user) == 0, "setresuid");
}

}  // namespace weir::test

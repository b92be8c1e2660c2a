#include "isolate.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>

#include "bench_error.hpp"
#include "cores.hpp"

namespace bench {
namespace {

// Shared with the child.
struct outcome {
    bool done;
    result_bytes result;
    std::array<char, 256> error;
};

class shared_outcome {
  public:
    shared_outcome()
        : memory_(mmap(nullptr, sizeof(outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)) {
        if (memory_ == MAP_FAILED) {
            throw std::system_error(errno, std::generic_category(), "memory for a result");
        }
    }
    shared_outcome(const shared_outcome&) = delete;
    shared_outcome& operator=(const shared_outcome&) = delete;
    ~shared_outcome() { munmap(memory_, sizeof(outcome)); }

    outcome* operator->() const { return static_cast<outcome*>(memory_); }

  private:
    void* memory_;
};

void work_as_child(const shared_outcome& out, int core, std::chrono::seconds limit,
                   const std::function<result_bytes()>& work) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(core);
    alarm(static_cast<unsigned>(limit.count()));
    try {
        out->result = work();
        out->done = true;
    } catch (const std::exception& error) {
        std::snprintf(out->error.data(), out->error.size(), "%s", error.what());
    }
}

}  // namespace

result_bytes isolate_bytes(int core, std::chrono::seconds limit,
                           const std::function<result_bytes()>& work) {
    const shared_outcome out;
    // What is not yet written would be written twice.
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) {
        throw std::system_error(errno, std::generic_category(), "fork");
    }
    if (child == 0) {
        work_as_child(out, core, limit, work);
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (out->done) {
        return out->result;
    }
    if (out->error.front() != '\0') {
        throw bench_error(out->error.data());
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        throw bench_error("did not end within " + std::to_string(limit.count()) + " s");
    }
    throw bench_error(WIFSIGNALED(status)
                          ? "ended by signal " + std::to_string(WTERMSIG(status))
                          : "ended with status " + std::to_string(WEXITSTATUS(status)));
}

}  // namespace bench

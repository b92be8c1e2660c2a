#include "captured_run.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "bench_error.hpp"

namespace bench {
namespace {

double ns_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
}

}  // namespace

finished run_captured(std::vector<std::string> words) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {
        throw bench_error("no pipe for " + words.front());
    }
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        execv(argv[0], argv.data());
        _exit(127);
    }
    ::close(ends[1]);
    finished out;
    std::array<char, 4'096> part{};
    ssize_t count = 0;
    while (pid > 0 && (count = ::read(ends[0], part.data(), part.size())) > 0) {
        out.text.append(part.data(), static_cast<std::size_t>(count));
    }
    ::close(ends[0]);
    if (pid < 0) {
        throw bench_error(words.front() + " cannot be started");
    }
    int status = 0;
    rusage used{};
    while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR) {
    }
    out.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    out.cpu_ns = ns_of(used.ru_utime) + ns_of(used.ru_stime);
    return out;
}

}  // namespace bench

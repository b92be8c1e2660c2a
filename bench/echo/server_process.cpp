#include "server_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>

#include "../support/clocks.hpp"
#include "../support/proc_file.hpp"
#include "generator.hpp"

namespace echo {
namespace {

constexpr int ready_limit_ms = 5'000;
constexpr int stop_limit_ms = 4'000;
// Above the descriptors that the server expects, so that moving them there overwrites none.
constexpr int first_own_fd = 10;

[[noreturn]] void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// A closed-on-exec copy of `fd` that is out of the way; `fd` itself is closed.
int moved_up(int fd) {
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, first_own_fd);
    const int error = errno;
    ::close(fd);
    if (copy < 0) {
        errno = error;
        throw_errno("a descriptor for the server");
    }
    return copy;
}

std::string beside_this(std::string_view program) {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
}

std::string status_text(int status) {
    return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                               : "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

server_process::server_process(const server& which, std::uint64_t buffer_bytes,
                               bench::core_pair cores) {
    counters_fd_ = moved_up(memfd_create("counters", MFD_CLOEXEC));
    if (ftruncate(counters_fd_, sizeof(server_counters)) != 0) {
        throw_errno("the counters' memory");
    }
    void* const memory =
        mmap(nullptr, sizeof(server_counters), PROT_READ, MAP_SHARED, counters_fd_, 0);
    if (memory == MAP_FAILED) {
        throw_errno("mapping the counters");
    }
    counters_ = static_cast<server_counters*>(memory);
    bench::pin(cores.server);
    try {
        start(which, buffer_bytes);
    } catch (...) {
        bench::pin(cores.client);
        throw;
    }
    bench::pin(cores.client);
}

void server_process::start(const server& which, std::uint64_t buffer_bytes) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw_errno("a pipe for the server");
    }
    const int reading = moved_up(ends[0]);
    const int writing = moved_up(ends[1]);
    std::string program = beside_this(which.program);
    std::string name(which.name);
    std::string size = std::to_string(buffer_bytes);
    std::array<char*, 4> argv = {program.data(), name.data(), size.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writing, ready_fd);
    posix_spawn_file_actions_adddup2(&actions, counters_fd_, counters_fd);
    const int error = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(writing);
    if (error != 0) {
        ::close(reading);
        pid_ = 0;
        throw load_error("'" + program +
                         "' could not be started: " + std::generic_category().message(error));
    }
    pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    clock_getcpuclockid(pid_, &cpu_clock_);
    await_ready(reading);
}

void server_process::await_ready(int fd) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    const int count = poll(&wait, 1, ready_limit_ms);
    const ssize_t size = count == 1 ? ::read(fd, &port_, sizeof port_) : 0;
    ::close(fd);
    if (size == static_cast<ssize_t>(sizeof port_)) {
        return;
    }
    if (count == 0 || !ended_within(stop_limit_ms)) {
        throw load_error("the server was not ready within 5 s");
    }
    throw load_error("the server ended before it was ready (" + status_text(exit_status_) + ")");
}

server_process::~server_process() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    if (pid_fd_ >= 0) {
        ::close(pid_fd_);
    }
    if (counters_ != nullptr) {
        munmap(counters_, sizeof(server_counters));
    }
    ::close(counters_fd_);
}

std::uint64_t server_process::cpu_ns() const { return bench::clock_ns(cpu_clock_); }

std::uint64_t server_process::syscalls() const {
    return counters_->syscalls.load(std::memory_order_relaxed);
}

std::uint64_t server_process::resident_bytes() const {
    const bench::proc_file status(("/proc/" + std::to_string(pid_) + "/status").c_str());
    return bench::number_at(status.field("VmRSS:")) * 1024;
}

std::uint64_t server_process::anonymous_bytes() const {
    const bench::proc_file status(("/proc/" + std::to_string(pid_) + "/status").c_str());
    return bench::number_at(status.field("RssAnon:")) * 1024;
}

bool server_process::ended_within(int milliseconds) {
    if (pid_fd_ >= 0) {
        pollfd wait{.fd = pid_fd_, .events = POLLIN, .revents = 0};
        if (poll(&wait, 1, milliseconds) == 0) {
            return false;
        }
    }
    if (waitpid(pid_, &exit_status_, 0) == pid_) {
        pid_ = 0;
    }
    return pid_ == 0;
}

void server_process::stop() {
    kill(pid_, SIGTERM);
    if (!ended_within(stop_limit_ms)) {
        throw load_error("the server did not end within 4 s after SIGTERM");
    }
    if (exit_status_ != 0) {
        throw load_error("the server ended with " + status_text(exit_status_));
    }
}

}  // namespace echo

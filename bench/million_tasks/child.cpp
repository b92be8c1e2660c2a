#include "child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace million_tasks {
namespace {

volatile sig_atomic_t child_pid = 0;
volatile sig_atomic_t signal_seen = 0;

extern "C" void pass_on(int /*signal*/) {
    if (signal_seen == 0 && child_pid != 0) {
        kill(static_cast<pid_t>(child_pid), SIGINT);
    }
    signal_seen = 1;
}

// Passes signals on while it lives.
class signal_relay {
  public:
    signal_relay() {
        signal_seen = 0;
        struct sigaction action{};
        action.sa_handler = pass_on;
        sigemptyset(&action.sa_mask);
        for (std::size_t i = 0; i < signals.size(); ++i) {
            sigaction(signals[i], &action, &before_[i]);
        }
    }
    signal_relay(const signal_relay&) = delete;
    signal_relay& operator=(const signal_relay&) = delete;
    ~signal_relay() {
        for (std::size_t i = 0; i < signals.size(); ++i) {
            sigaction(signals[i], &before_[i], nullptr);
        }
    }

    static constexpr std::array<int, 2> signals = {SIGINT, SIGTERM};

  private:
    std::array<struct sigaction, signals.size()> before_{};
};

// Starts the child in a process group of its own: a terminal's Ctrl-C reaches only the parent, so
// the child gets one signal and not two. No signal gets lost between the start and the moment when
// the child's id is known, since they are held back meanwhile.
pid_t spawn(std::vector<char*>& argv) {
    sigset_t held;
    sigset_t before;
    sigemptyset(&held);
    for (const int signal : signal_relay::signals) {
        sigaddset(&held, signal);
    }
    pthread_sigmask(SIG_BLOCK, &held, &before);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &before);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, argv[0], nullptr, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    child_pid = static_cast<sig_atomic_t>(pid);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), argv[0]);
    }
    return pid;
}

}  // namespace

memory_file::memory_file(const char* name) : fd_(memfd_create(name, 0)) {
    if (fd_ < 0) {
        throw std::system_error(errno, std::generic_category(), "memfd_create");
    }
}

memory_file::~memory_file() { close(fd_); }

std::string memory_file::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

std::string memory_file::contents() const {
    std::string text;
    std::array<char, 16384> buffer{};
    ssize_t count = 0;
    while ((count = pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) >
           0) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
}

child_status run_child(const std::vector<std::string>& arguments) {
    std::vector<std::string> copies = arguments;
    std::vector<char*> argv;
    argv.reserve(copies.size() + 1);
    for (std::string& each : copies) {
        argv.push_back(each.data());
    }
    argv.push_back(nullptr);
    const signal_relay relay;
    const pid_t pid = spawn(argv);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    child_pid = 0;
    return {.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
            .interrupted = signal_seen != 0};
}

}  // namespace million_tasks

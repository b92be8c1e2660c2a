#include "redis_server.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

#include "bench_error.hpp"
#include "cores.hpp"
#include "find_program.hpp"
#include "redis_connection.hpp"

namespace bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds ready_limit{5};
constexpr std::chrono::milliseconds ready_pause{5};

std::string make_folder() {
    std::string path = std::filesystem::temp_directory_path() / "weir-bench-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
        throw bench_error("the folder '" + path +
                          "' cannot be made: " + std::generic_category().message(errno));
    }
    return path;
}

std::string version_in(const std::string& info) {
    constexpr std::string_view label = "redis_version:";
    const std::size_t at = info.find(label);
    if (at == std::string::npos) {
        return "redis-server";
    }
    const std::size_t begin = at + label.size();
    return "redis-server " + info.substr(begin, info.find('\r', begin) - begin);
}

}  // namespace

redis_server::redis_server(int core, append_log log)
    : folder_(make_folder()), socket_(folder_ + "/redis") {
    try {
        start(core, log);
        await_ready();
    } catch (...) {
        clean_up();
        throw;
    }
}

redis_server::~redis_server() { clean_up(); }

void redis_server::clean_up() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void redis_server::start(int core, append_log log) {
    const std::string program = find_program("redis-server");
    if (program.empty()) {
        throw bench_error("redis-server is missing in PATH (Debian: redis-server)");
    }
    const std::string append = log == append_log::everysec ? "yes" : "no";
    // The log is not rewritten, which would take another process beside what is measured.
    std::array<std::string, 19> words = {
        program, "--port",        "0",        "--unixsocket",
        socket_, "--save",        "",         "--appendonly",
        append,  "--appendfsync", "everysec", "--auto-aof-rewrite-percentage",
        "0",     "--daemonize",   "no",       "--dir",
        folder_, "--loglevel",    "warning",
    };
    std::array<char*, words.size() + 1> argv{};
    for (std::size_t index = 0; index < words.size(); ++index) {
        argv[index] = words[index].data();
    }
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) {
        throw bench_error("redis-server cannot be started: " +
                          std::generic_category().message(errno));
    }
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin(core);
        const int nowhere = open("/dev/null", O_RDWR);
        for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            dup2(nowhere, standard);
        }
        if (getppid() == parent) {
            execv(argv[0], argv.data());
        }
        _exit(127);
    }
}

void redis_server::await_ready() {
    const auto limit = clock::now() + ready_limit;
    for (;;) {
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = 0;
            throw bench_error("redis-server ended before it was ready (status " +
                              std::to_string(WEXITSTATUS(status)) + ")");
        }
        try {
            redis_connection link(socket_);
            version_ = version_in(link.reply_to({"INFO", "server"}));
            return;
        } catch (const bench_error& error) {
            if (clock::now() > limit) {
                throw bench_error("redis-server was not ready within 5 s: " +
                                  std::string(error.what()));
            }
        }
        std::this_thread::sleep_for(ready_pause);
    }
}

}  // namespace bench

#include "support/redis_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace weir::test {
namespace {

constexpr int attempts_max = 5;

std::string find_program(const std::string& name) {
    const char* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): tests set none
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string file = folder + "/" + name;
        if (::access(file.c_str(), X_OK) == 0) {
            return file;
        }
    }
    return {};
}

// In the child, between fork and exec.
[[noreturn]] void become_server(const char* program, const char* configuration, const char* mode,
                                const char* log, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(1);  // the parent died before prctl
    }
    const int output = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execl(program, program, configuration, mode, nullptr);
    ::_exit(1);
}

}  // namespace

bool redis_server_installed() {
    static const bool found = [] {
        const bool here = !find_program("redis-server").empty();
        // NOLINTNEXTLINE(concurrency-mt-unsafe): tests set no variables
        if (!here && std::getenv("CI") != nullptr) {
            throw std::runtime_error("redis-server is not installed, and CI has to have it");
        }
        return here;
    }();
    return found;
}

std::uint16_t free_port() {
    // Below those that the kernel hands out (ip_local_port_range), so that no connection of
    // anybody's takes one meanwhile; by turns, so that none is given twice.
    constexpr unsigned first = 10'000;
    constexpr unsigned count = 22'000;
    static unsigned turn = static_cast<unsigned>(::getpid()) * 61;
    for (unsigned attempt = 0; attempt < count; ++attempt) {
        const auto port = static_cast<std::uint16_t>(first + turn++ % count);
        const descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const socket_address here = socket_address::loopback_ipv4(port);
        if (::bind(probe.get(), here.data(), here.size()) == 0) {
            return port;
        }
    }
    throw std::runtime_error("no port is free");
}

bool becomes_true(const std::function<bool()>& holds, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

redis_server::redis_server(redis_settings settings)
    : settings_(std::move(settings)),
      folder_(settings_.memory ? temporary_folder::memory()
                               : std::filesystem::temp_directory_path()) {
    for (const auto& [name, content] : settings_.files) {
        std::ofstream(folder_.file(name)) << content;
    }
    // Somebody else may take the port before the server has it.
    for (int attempt = 1;; ++attempt) {
        configure();
        launch();
        try {
            if (settings_.wait) {
                wait_until_ready();
            }
            return;
        } catch (const std::runtime_error&) {
            kill();
            if (attempt == attempts_max || log_end().find("in use") == std::string::npos) {
                throw;
            }
        }
    }
}

redis_server::~redis_server() { kill(); }

void redis_server::configure() {
    const bool listens = settings_.tcp || settings_.tls;
    port_ = listens ? free_port() : 0;
    std::ofstream file(folder_.file("redis.conf"));
    file << "dir " << folder_.path() << "\n"
         << "bind 127.0.0.1\n"
         << "port " << (settings_.tls ? 0 : port_) << "\n"
         << "daemonize no\n"
         << "protected-mode no\n";
    if (settings_.tls) {
        file << "tls-port " << port_ << "\n";
    }
    if (!settings_.is_sentinel) {
        file << "unixsocket " << socket() << "\n"
             << "save \"\"\n"
             << "enable-debug-command yes\n"
             << "repl-diskless-sync-delay 0\n";
    }
    for (const std::string& line : settings_.lines) {
        if (line.starts_with("cluster-enabled")) {
            // By default 10,000 above the port, where there may be no port.
            file << "cluster-port " << free_port() << "\n";
        }
        file << line << "\n";
    }
}

void redis_server::launch() {
    const std::string program = find_program("redis-server");
    const std::string configuration = folder_.file("redis.conf");
    const std::string log = folder_.file("log");
    const char* const mode = settings_.is_sentinel ? "--sentinel" : nullptr;
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
        throw std::system_error(errno, std::system_category(), "fork");
    }
    if (pid_ == 0) {
        become_server(program.c_str(), configuration.c_str(), mode, log.c_str(), parent);
    }
}

void redis_server::wait_until_ready() {
    const auto ready = [this] {
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = -1;
            throw std::runtime_error("redis-server has ended: " + log_end());
        }
        try {
            const std::string reply = connect().command({"PING"});
            return reply == "PONG" || reply.starts_with("-NOAUTH") || reply.starts_with("-NOPERM");
        } catch (const std::exception&) {
            return false;
        }
    };
    if (!becomes_true(ready)) {
        throw std::runtime_error("redis-server does not answer: " + log_end());
    }
}

redis_admin redis_server::connect() const {
    const socket_address to = settings_.is_sentinel ? socket_address::loopback_ipv4(port_)
                                                    : socket_address::unix_path(socket()).value();
    redis_admin admin(to);
    if (!settings_.admin_password.empty()) {
        admin.command({"AUTH", settings_.admin_user, settings_.admin_password});
    }
    return admin;
}

std::string redis_server::command(const std::vector<std::string>& words) {
    return connect().command(words);
}

std::string redis_server::tcp_url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

std::string redis_server::tls_url() const { return "rediss://localhost:" + std::to_string(port_); }

void redis_server::kill() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    std::error_code ignored;
    std::filesystem::remove(socket(), ignored);
}

void redis_server::start() {
    launch();
    wait_until_ready();
}

void redis_server::stop() {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
}

void redis_server::resume() { ::kill(pid_, SIGCONT); }

std::string redis_server::log_end() const {
    constexpr std::size_t shown = 1'000;
    std::ostringstream all;
    all << std::ifstream(folder_.file("log")).rdbuf();
    const std::string text = all.str();
    return text.substr(text.size() < shown ? 0 : text.size() - shown);
}

}  // namespace weir::test

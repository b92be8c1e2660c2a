#include "embedded_server.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

#include "../runtime/event_loop.hpp"
#include "../runtime/file/descriptor.hpp"
#include "../runtime/net/unix_socket.hpp"
#include "../runtime/sleep.hpp"
#include "../runtime/thread/blocking.hpp"

namespace weir::redisq {
namespace {

// $1 is the folder. The shell outlives whatever kills the program, so it can clean up.
constexpr const char* keeper = R"(
trap '' HUP INT QUIT TERM
cd "$1" || exit 1
redis-server --port 0 --unixsocket redis --unixsocketperm 700 --dir . --appendonly yes \
    --save '' --daemonize no </dev/null >log 2>&1 &
server=$!
read -r line
kill -KILL "$server"
wait "$server"
cd / && rm -rf -- "$1"
)";

constexpr duration ready_limit = std::chrono::seconds(5);
constexpr duration ready_pause_min = std::chrono::milliseconds(1);
constexpr duration ready_pause_max = std::chrono::milliseconds(20);

[[noreturn]] void fail(int code, const std::string& what) {
    const std::error_code cause(code, std::system_category());
    throw exception(error(cause, "embedded Redis server: " + what + ": " + cause.message()));
}

bool is_in_path(const char* program) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the environment is the program's to leave alone
    const char* const path = std::getenv("PATH");
    std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
    while (!rest.empty()) {
        const std::string_view folder = rest.substr(0, rest.find(':'));
        const std::string file = std::string(folder) + "/" + program;
        if (::access(file.c_str(), X_OK) == 0) {
            return true;
        }
        rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    }
    return false;
}

// posix_spawn's lists, which free themselves.
class keeper_settings {
  public:
    explicit keeper_settings(int input) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
        posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
        posix_spawnattr_init(&attributes_);
        sigset_t signals;
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&attributes_, &signals);
        // A session of its own: Ctrl-C is for the program, which may want to drain first.
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    }
    keeper_settings(const keeper_settings&) = delete;
    keeper_settings& operator=(const keeper_settings&) = delete;
    ~keeper_settings() {
        posix_spawnattr_destroy(&attributes_);
        posix_spawn_file_actions_destroy(&actions_);
    }

    [[nodiscard]] const posix_spawn_file_actions_t* actions() const noexcept { return &actions_; }
    [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

struct embedded_server::process {
    process();
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process();

    void make_folder();
    void start();

    std::string folder;
    std::string socket;
    pid_t owner = ::getpid();
    pid_t pid = -1;
    file_descriptor alive;  // the end of this is the end of the server
};

embedded_server::process::process() {
    if (!is_in_path("redis-server")) {
        throw exception(error(make_error_code(errc::unsupported),
                              "embedded:// runs the program redis-server, which is not in PATH; "
                              "install it (Debian: apt-get install redis-server), or give the URL "
                              "of a server that runs"));
    }
    make_folder();
    try {
        start();
    } catch (...) {
        ::rmdir(folder.c_str());
        throw;
    }
}

void embedded_server::process::make_folder() {
    std::error_code code;
    folder = std::filesystem::temp_directory_path(code).string();
    if (code) {
        fail(code.value(), "the folder for temporary files (TMPDIR)");
    }
    folder += "/weir_redis_XXXXXX";
    socket = folder + "/redis";
    if (socket.size() > socket_address::unix_path_max) {
        fail(ENAMETOOLONG, "socket " + socket);
    }
    if (::mkdtemp(folder.data()) == nullptr) {
        fail(errno, "folder " + folder);
    }
    socket = folder + "/redis";
}

void embedded_server::process::start() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        fail(errno, "pipe");
    }
    const file_descriptor input(ends[0]);
    alive = file_descriptor(ends[1]);
    const keeper_settings settings(input.get());
    std::string shell = "sh";
    std::string option = "-c";
    std::string script = keeper;
    std::string name = "weir-embedded-redis";
    std::array<char*, 6> words = {shell.data(), option.data(), script.data(),
                                  name.data(),  folder.data(), nullptr};
    const int failed = ::posix_spawn(&pid, "/bin/sh", settings.actions(), settings.attributes(),
                                     words.data(), environ);
    if (failed != 0) {
        pid = -1;
        fail(failed, "/bin/sh");
    }
}

embedded_server::process::~process() {
    // A forked child is not whom the server lives for.
    if (pid < 0 || owner != ::getpid()) {
        return;
    }
    alive.reset();
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

embedded_server::embedded_server() : process_(std::make_unique<process>()) {}
embedded_server::embedded_server(embedded_server&& other) noexcept = default;
embedded_server& embedded_server::operator=(embedded_server&& other) noexcept = default;
embedded_server::~embedded_server() = default;

std::string embedded_server::url() const {
    std::string text = "unix://";
    for (const char c : socket()) {
        // What server_url::parse takes for something else.
        if (c == '%' || c == '?' || c == '#') {
            static constexpr const char* digits = "0123456789ABCDEF";
            const auto value = static_cast<unsigned char>(c);
            text += {'%', digits[value >> 4U], digits[value & 15U]};
        } else {
            text += c;
        }
    }
    return text;
}

const std::string& embedded_server::socket() const noexcept { return process_->socket; }

namespace {

// Ends in a static destructor, when no loop runs any more.
result<std::string> start_shared() {
    static std::mutex starting;
    static std::unique_ptr<embedded_server> shared;
    try {
        const std::scoped_lock lock(starting);
        if (shared == nullptr) {
            shared = std::make_unique<embedded_server>();
        }
        return shared->socket();
    } catch (const exception& thrown) {
        return std::unexpected(error(thrown.code(), thrown.what()));
    }
}

task<result<std::string>> wait_until_ready(std::string path) {
    const socket_address address = socket_address::unix_path(path).value();
    const time_point end = event_loop::current()->now() + ready_limit;
    duration pause = ready_pause_min;
    while (true) {
        const weir::result<unix_stream> reached = co_await unix_stream::connect(address);
        if (reached) {
            co_return path;
        }
        if (reached.error() == std::errc::operation_canceled) {
            co_return std::unexpected(error(reached.error()));
        }
        if (event_loop::current()->now() > end) {
            co_return std::unexpected(
                error(make_error_code(errc::connect_failed),
                      "embedded Redis server: " + path + ": " + reached.error().message()));
        }
        co_await sleep_for(pause);
        pause = std::min(2 * pause, ready_pause_max);
    }
}

}  // namespace

task<result<std::string>> embedded_server::shared_socket() {
    try {
        result<std::string> path = co_await blocking(start_shared);
        if (!path) {
            co_return path;
        }
        co_return co_await wait_until_ready(std::move(*path));
    } catch (const canceled&) {
        co_return std::unexpected(error(std::make_error_code(std::errc::operation_canceled)));
    }
}

}  // namespace weir::redisq

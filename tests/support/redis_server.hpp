// Private redis-servers for tests.
//
//     TEST(ClientTest, GetsWhatWasSet) {
//         WEIR_NEEDS_REDIS();
//         test::redis_server server;
//         client c(server.url());
//
// Each server has a folder of its own, listens on a Unix socket in it and, where asked, on a free
// port of the loopback interface; it is killed with the object, and by the kernel when the test
// dies. Nothing is saved to disk unless `lines` say so. The calls block: redis-server is ready in
// some 20 ms.
//
// Errors: std::runtime_error with the end of the server's log where it does not come up.
// Thread: one at a time; the thread that starts a server outlives it.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <weir/runtime/net/address.hpp>

#include "support/redis_admin.hpp"
#include "support/temporary_folder.hpp"

namespace weir::test {

// Whether the program can be found; a test environment with CI set has to have it.
[[nodiscard]] bool redis_server_installed();

// A port that nobody uses at the moment.
[[nodiscard]] std::uint16_t free_port();

// Asks every few milliseconds; false when it does not hold within `limit`.
[[nodiscard]] bool becomes_true(const std::function<bool()>& holds,
                                std::chrono::milliseconds limit = std::chrono::seconds(20));

struct redis_settings {
    redis_settings() = default;

    // Lines of the configuration file; paths in it are relative to the server's folder.
    redis_settings& line(std::string text) {
        lines.push_back(std::move(text));
        return *this;
    }
    // Put into the folder before the start.
    redis_settings& file(std::string name, std::string content) {
        files.emplace_back(std::move(name), std::move(content));
        return *this;
    }
    redis_settings& on_tcp() {
        tcp = true;
        return *this;
    }
    // Needs tls-cert-file and tls-key-file among the lines.
    redis_settings& on_tls() {
        tls = true;
        return *this;
    }
    // Whom command() logs in as.
    redis_settings& admin(std::string user, std::string password) {
        admin_user = std::move(user);
        admin_password = std::move(password);
        return *this;
    }
    redis_settings& sentinel() {
        is_sentinel = true;
        return *this;
    }
    // Its folder is in memory, where the system has such a place.
    redis_settings& in_memory() {
        memory = true;
        return *this;
    }
    // Does not wait until the server answers: see redis_server::wait_until_ready.
    redis_settings& without_waiting() {
        wait = false;
        return *this;
    }

    std::vector<std::string> lines;
    std::vector<std::pair<std::string, std::string>> files;
    std::string admin_user;
    std::string admin_password;
    bool tcp = false;
    bool tls = false;
    bool is_sentinel = false;
    bool memory = false;
    bool wait = true;
};

class redis_server {
  public:
    explicit redis_server(redis_settings settings = {});
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server();

    // unix://FOLDER/redis
    [[nodiscard]] std::string url() const { return "unix://" + socket(); }
    [[nodiscard]] std::string socket() const { return folder_.file("redis"); }
    // "redis://127.0.0.1:PORT", "rediss://localhost:PORT"; of a server that is on TCP or TLS.
    [[nodiscard]] std::string tcp_url() const;
    [[nodiscard]] std::string tls_url() const;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] const temporary_folder& folder() const noexcept { return folder_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    // A command on a connection of its own, as redis_admin gives its reply.
    std::string command(const std::vector<std::string>& words);
    // That connection, which is made anew after a restart.
    [[nodiscard]] redis_admin connect() const;

    // SIGKILL; returns when the process is gone.
    void kill();
    // With the same folder and ports, after kill(); returns when it answers.
    void start();
    // SIGSTOP and SIGCONT.
    void stop();
    void resume();

    // Until it answers, also when that is -NOAUTH, and has read its data.
    void wait_until_ready();

  private:
    void configure();
    void launch();
    [[nodiscard]] std::string log_end() const;

    redis_settings settings_;
    temporary_folder folder_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

}  // namespace weir::test

// Skips a test where redis-server is not installed; fails where CI is set, which installs it.
#define WEIR_NEEDS_REDIS()                       \
    if (!::weir::test::redis_server_installed()) \
    GTEST_SKIP() << "redis-server is not installed (Debian: apt-get install redis-server)"

// A private redis-server: in a temporary folder, on a Unix socket, pinned, and gone with this
// process.
//
// Thread: one; the process's affinity is changed for a moment while the server starts.
#pragma once

#include <sys/types.h>

#include <string>

#include "isolate.hpp"

namespace resp {

struct server_settings {
    bool append_only = false;  // AOF on, written out every second; otherwise nothing is kept
    bool filled = true;        // with what shape.hpp names
};

class redis_server {
  public:
    // Starts it on the pair's server core, waits until it answers, and fills it. Throws bench_error
    // that names the cause.
    explicit redis_server(core_pair cores, server_settings settings = {});
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server();

    [[nodiscard]] const std::string& socket_path() const { return socket_; }
    // "redis-server 7.0.15"
    [[nodiscard]] const std::string& version() const { return version_; }
    [[nodiscard]] pid_t process_id() const { return pid_; }

  private:
    void start(core_pair cores, server_settings settings);
    void await_ready();
    void fill();
    void clean_up();

    std::string folder_;
    std::string socket_;
    std::string version_;
    pid_t pid_ = 0;
};

// The path of a program in PATH; empty where there is none.
[[nodiscard]] std::string find_program(const std::string& name);

}  // namespace resp

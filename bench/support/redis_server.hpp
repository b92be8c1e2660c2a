// A private redis-server: in a temporary folder, on a Unix socket, pinned, and gone with this
// process.
//
// Thread: for a program with one thread, since it forks.
#pragma once

#include <sys/types.h>

#include <string>

#include "cores.hpp"

namespace bench {

// everysec: it appends to its log and brings that to the disk every second. off: nothing is kept.
enum class append_log { off, everysec };

class redis_server {
  public:
    // Starts it on a core and waits until it answers. Throws bench_error that names the cause.
    explicit redis_server(int core, append_log log = append_log::off);
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server();

    [[nodiscard]] const std::string& socket_path() const { return socket_; }
    // "redis-server 7.0.15"
    [[nodiscard]] const std::string& version() const { return version_; }
    [[nodiscard]] pid_t process_id() const { return pid_; }

  private:
    void start(int core, append_log log);
    void await_ready();
    void clean_up();

    std::string folder_;
    std::string socket_;
    std::string version_;
    pid_t pid_ = 0;
};

}  // namespace bench

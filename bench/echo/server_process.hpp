// A server as a child process on a core of its own, and what the kernel tells about it.
//
// Thread: one; the process's affinity is changed for a moment while a server starts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>

#include "../support/cores.hpp"
#include "catalog.hpp"
#include "server_link.hpp"

namespace echo {

class server_process {
  public:
    // Starts it and waits until it accepts connections. Throws load_error that names the cause.
    server_process(const server& which, std::uint64_t buffer_bytes, bench::core_pair cores);
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;
    // Kills it where stop() was not called.
    ~server_process();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] pid_t pid() const { return pid_; }

    // CPU of the server so far, user and system.
    [[nodiscard]] std::uint64_t cpu_ns() const;
    [[nodiscard]] std::uint64_t syscalls() const;
    // All of its resident memory, and the part that is no file's.
    [[nodiscard]] std::uint64_t resident_bytes() const;
    [[nodiscard]] std::uint64_t anonymous_bytes() const;

    // SIGTERM, and SIGKILL 4 s later. Throws load_error where it did not end by itself with 0.
    void stop();

  private:
    void start(const server& which, std::uint64_t buffer_bytes);
    void await_ready(int fd);
    [[nodiscard]] bool ended_within(int milliseconds);

    pid_t pid_ = 0;
    int pid_fd_ = -1;
    int counters_fd_ = -1;
    server_counters* counters_ = nullptr;
    clockid_t cpu_clock_{};
    std::uint16_t port_ = 0;
    int exit_status_ = 0;
};

}  // namespace echo

// What every echo server in this folder is given, and what it owes:
//
// 1. listen on what job.listen() gives (or on a socket of its own, set up alike), then job.ready();
// 2. send every byte back in order; close a connection at its end or at an error, never lose one
//    because its peer reads slowly;
// 3. return as soon as job.stop_fd() is readable, which SIGTERM makes it;
// 4. read with buffers of job.buffer_bytes();
// 5. count its system calls: those through libc count themselves (count_calls.cpp), a ring's enters
//    are counted by job.count_syscalls().
//
// A new server is one file with a function `void NAME(server_job&)`, declared and listed in
// registry.cpp, named in catalog.cpp of the folder above and in bench/meson.build.
// Thread: one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "../server_link.hpp"

namespace echo {

// Longer than any burst of connections that the load generator makes.
inline constexpr int backlog = 4096;

class server_job {
  public:
    // Maps the counters and installs the handler of SIGTERM. Throws std::system_error.
    explicit server_job(std::size_t buffer_bytes);
    server_job(const server_job&) = delete;
    server_job& operator=(const server_job&) = delete;
    ~server_job();

    // A socket that listens on a free port of 127.0.0.1. It has TCP_NODELAY, and what is accepted
    // from it inherits that. `flags` may be SOCK_NONBLOCK. Throws std::system_error.
    [[nodiscard]] int listen(int flags);

    // Tells the load generator to come: to the port of the socket from listen(), or to another.
    void ready();
    void ready(std::uint16_t port);

    [[nodiscard]] int stop_fd() const noexcept { return stop_fd_; }
    [[nodiscard]] std::size_t buffer_bytes() const noexcept { return buffer_bytes_; }

    void count_syscalls(std::uint64_t more) noexcept {
        // One writer, so no read-modify-write is needed.
        syscalls_->store(syscalls_->load(std::memory_order_relaxed) + more,
                         std::memory_order_relaxed);
    }
    [[nodiscard]] std::atomic<std::uint64_t>& syscalls() noexcept { return *syscalls_; }

  private:
    std::size_t buffer_bytes_;
    int listener_ = -1;
    int stop_fd_;
    std::atomic<std::uint64_t>* syscalls_;
};

// Where count_calls.cpp counts; null outside of a server.
extern std::atomic<std::uint64_t>* counted_calls;

struct server_entry {
    std::string_view name;
    void (*serve)(server_job& job);
};

// The servers that this program holds.
[[nodiscard]] std::span<const server_entry> servers();

}  // namespace echo

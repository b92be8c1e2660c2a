// A ring with the settings that serve a busy single thread best, for the servers on bare liburing
// and for the load generator.
#pragma once

#include <liburing.h>

#include <cstdint>

namespace echo {

class ring {
  public:
    // Both counts are powers of two. `files`: places for descriptors that only the ring knows.
    // Throws std::system_error.
    ring(unsigned entries, unsigned completions, unsigned files);
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;
    ~ring();

    [[nodiscard]] io_uring* get() noexcept { return &ring_; }
    [[nodiscard]] std::uint64_t enters() const noexcept { return enters_; }

    // Room for `count` entries that leave in one submission, as a chain has to.
    void reserve(unsigned count) {
        if (io_uring_sq_space_left(&ring_) < count) {
            submit();
        }
    }
    // Requires room. Returns an entry whose user_data is set by the caller after preparing it.
    [[nodiscard]] io_uring_sqe* entry() {
        reserve(1);
        return io_uring_get_sqe(&ring_);
    }

    void submit();
    // Hands over what is prepared and waits for a completion, in one call. A signal ends it early.
    void submit_and_wait();
    // The same, at most for so long.
    void submit_and_wait_for(std::uint64_t nanoseconds);
    // The same without waiting, and with deferred work done.
    void submit_and_work();

  private:
    void check(int result, const char* what);

    io_uring ring_{};
    std::uint64_t enters_ = 0;
};

// Descriptors of connections that this process may have: below its limit, at most 16,384.
[[nodiscard]] unsigned connection_limit();

}  // namespace echo

// A listening socket and the connections that it has accepted and nobody has taken yet.
//
// States of the accept:
//   idle    nothing is asked of the kernel
//   armed   the operation is in flight; where the kernel can, it accepts many connections
//   paused  the process or the system is out of descriptors or memory: tried again after a while,
//           10 ms at first and at most 1 s. Connections wait in the kernel's backlog.
// It is armed while somebody waits; when queue_max connections stand here, it is canceled until
// somebody waits again.
//
// Lifetime: abandon() instead of a destructor; frees itself when the operation has ended. Thread:
// the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <system_error>

#include "../../detail/wait_list.hpp"
#include "../../event_loop.hpp"
#include "../../file/descriptor.hpp"
#include "../../result.hpp"

namespace weir::detail {

class acceptor final : private operation, private orphan, private timer_node {
  public:
    static constexpr std::size_t queue_max = 64;

    acceptor(event_loop& loop, file_descriptor listening);

    [[nodiscard]] int fd() const noexcept { return socket_.get(); }
    [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(socket_); }

    [[nodiscard]] bool has_connection() const noexcept { return !accepted_.empty(); }
    // Requires has_connection().
    [[nodiscard]] file_descriptor take() noexcept;
    // Why no more connections come, if so.
    [[nodiscard]] std::error_code error() const noexcept { return error_; }
    // How often accepting was paused for want of descriptors or memory.
    [[nodiscard]] std::uint64_t pauses() const noexcept { return pauses_; }

    // Wakes `waiting` when there is a connection (which another may take before it runs), or an
    // error.
    void wait(listed_waiter& waiting) noexcept;

    // No more connections: those that stand here are closed, who waits gets operation_canceled.
    void close() noexcept;
    void abandon() noexcept;

    struct abandoner {
        void operator()(acceptor* one) const noexcept { one->abandon(); }
    };

  private:
    enum class accept_state : std::uint8_t { idle, armed, paused };

    ~acceptor() = default;

    void want() noexcept;
    static void on_completion(operation& op) noexcept;
    void completion() noexcept;
    void add(int fd) noexcept;
    void accept_ended(int error) noexcept;
    void pause() noexcept;
    void resume_after_pause() noexcept;
    void end_abandoned() noexcept;
    void give_up() noexcept override {}  // it was canceled when its owner went

    event_loop& loop_;
    file_descriptor socket_;
    std::deque<file_descriptor> accepted_;
    wait_list waiters_;
    std::error_code error_;
    duration pause_{};
    std::uint64_t pauses_ = 0;
    accept_state state_ = accept_state::idle;
    bool abandoned_ = false;
};

using acceptor_handle = std::unique_ptr<acceptor, acceptor::abandoner>;

}  // namespace weir::detail

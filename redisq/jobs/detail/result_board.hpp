// Who waits for the ends of jobs, and the connection on which a queue is told of them.
//
// Whoever ends a job that has a result publishes its id on the channel of the queue object that
// submitted it (envelope field o). The board listens there while somebody waits, on a connection of
// its own; some seconds after the last has gone it is closed.
//
// States: closed -> opening (open()) -> live (the server has confirmed) -> opening (lost) or
// closed. A server that refuses, and one that keeps silent when a job ends, leaves us not reliable:
// who waits then looks for itself. A board that turns live wakes all who wait, for what was
// published before is gone; one that is lost does, too, so that they look for themselves meanwhile.
//
// Lifetime: outlives those who wait. Thread: the loop's.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "../../../runtime/event.hpp"
#include "../../detail/client_core.hpp"

namespace weir::redisq::detail {

class result_board final : private push_listener {
  public:
    // One who waits, in the frame that does.
    class waiter {
      public:
        waiter(result_board& board, std::string id);
        waiter(const waiter&) = delete;
        waiter& operator=(const waiter&) = delete;
        ~waiter();

        // Until the job's end was told, or there is reason to look; false when it is `deadline`.
        [[nodiscard]] task<bool> wait_until(time_point deadline);

      private:
        friend class result_board;

        result_board& board_;
        std::string id_;
        event news_;
        waiter* next_ = nullptr;  // who waits for the same job
    };

    result_board(event_loop& loop, client_options options, std::string channel);
    result_board(const result_board&) = delete;
    result_board& operator=(const result_board&) = delete;
    ~result_board();

    // Connects, unless that was done.
    void open();
    // Ends are told: there is no need to look often.
    [[nodiscard]] bool is_reliable() const noexcept { return is_live_ && !has_missed_; }
    // An end was not told while the board was reliable. It connects anew.
    void missed() noexcept;

    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    [[nodiscard]] bool is_open() const noexcept { return core_ != nullptr; }

  private:
    struct close_timer : weir::detail::timer_node {
        using timer_node::timer_node;
        result_board* board = nullptr;
    };

    [[nodiscard]] bool on_push(const resp::reply_view& pushed) override;
    void on_ready() noexcept override;
    void on_lost(const error& why) noexcept override;

    void add(waiter& who);
    void remove(waiter& who) noexcept;
    void wake_all() noexcept;
    void close() noexcept;

    event_loop& loop_;
    client_options options_;
    std::string channel_;
    std::unordered_map<std::string_view, waiter*> by_id_;  // the first of each job's
    std::size_t waiting_ = 0;
    bool is_live_ = false;
    bool has_missed_ = false;  // and nothing was told since
    close_timer timer_;
    client_handle core_;
};

}  // namespace weir::redisq::detail

// What a subscriber is behind its handle: which names it wants, which of them the server has
// confirmed, and the messages that nobody has received yet.
//
// A name is wanted from subscribe() to unsubscribe(). Its states, and what moves them:
//   asked        by subscribe(); the server has not answered        -> confirmed, or gone (refused)
//   confirmed    by the server                                      -> interrupted
//   interrupted  by a new connection, which asks for it again, or by the server; subscribe() asks
//                for it as well                                     -> confirmed
// Whoever has subscribed waits until all its names are confirmed, or until the server refuses: an
// error reply ends all who wait, for it does not name the channel. What somebody was promised
// before stays wanted.
//
// Thread: the loop's.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../../runtime/detail/wait_list.hpp"
#include "../subscriber.hpp"
#include "client_core.hpp"

namespace weir::redisq::detail {

enum class name_kind : std::uint8_t { channel, pattern, sharded };
enum class name_state : std::uint8_t { asked, confirmed, interrupted };

class subscriber_core final : private push_listener {
  public:
    subscriber_core(event_loop& loop, client_options options, subscriber_options own);
    subscriber_core(const subscriber_core&) = delete;
    subscriber_core& operator=(const subscriber_core&) = delete;
    ~subscriber_core();

    [[nodiscard]] task<result<void>> subscribe(name_kind kind, std::vector<std::string> names);
    void unsubscribe(name_kind kind, const std::vector<std::string>& names);
    [[nodiscard]] task<result<message>> receive();
    void close() noexcept;

    [[nodiscard]] std::size_t buffered() const noexcept { return buffer_.size(); }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }
    [[nodiscard]] bool is_connected() const noexcept { return core_->is_ready(); }

  private:
    // Suspends until somebody wakes the list; false where the task was stopped.
    class list_awaiter;
    using names = std::map<std::string, name_state>;

    [[nodiscard]] bool on_push(const resp::reply_view& pushed) override;
    void on_ready() noexcept override;
    void on_lost(const error& why) noexcept override;
    void on_failed(const error& why) noexcept override;

    [[nodiscard]] names& names_of(name_kind kind) noexcept {
        return names_[static_cast<std::size_t>(kind)];
    }
    void subscribe_all();
    [[nodiscard]] task<bool> wait_for(name_kind kind, std::vector<std::string> asked,
                                      std::uint64_t refusals);
    void send(const char* command, const std::vector<std::string>& words);
    void ask_for(name_kind kind, const std::vector<std::string>& asked);
    [[nodiscard]] bool are_confirmed(name_kind kind, const std::vector<std::string>& asked);
    void confirmed(name_kind kind, std::string_view name, bool subscribed);
    void refuse(const error& why) noexcept;
    [[nodiscard]] bool keep(message fresh);

    subscriber_options own_;
    std::array<names, 3> names_;
    std::deque<message> buffer_;
    weir::detail::wait_list receivers_;
    weir::detail::wait_list subscribers_;
    std::optional<error> refusal_;
    std::uint64_t refusals_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t losses_ = 0;
    bool is_closed_ = false;
    bool is_paused_ = false;
    client_handle core_;
};

}  // namespace weir::redisq::detail

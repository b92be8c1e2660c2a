// subscriber: messages of channels and patterns, on a connection of its own.
//
//     weir::redisq::subscriber news("redis://localhost");
//     const auto subscribed = co_await news.subscribe("scores", "weather");
//     while (true) {
//         const auto next = co_await news.receive();
//         if (!next) { break; }
//         show(next->channel, next->payload);
//     }
//
// subscribe() and the others end when the server has confirmed. A connection that is lost is made
// again by itself, and everything is subscribed again; what was published meanwhile is gone, as
// always with Redis, and losses() counts such gaps.
//
// Messages that nobody has received yet stand in a buffer of a bounded number. When it is full, the
// policy says what happens: `wait` stops reading, so that messages gather at the server, which
// after a while (client-output-buffer-limit) may end the connection; drop_oldest and drop_newest
// lose messages, and dropped() counts them; `disconnect` ends the connection and begins anew.
//
// Errors: errc::closed after close(); those of the server (no_permission), of connecting, and
// timed_out where a confirmation does not come within command_timeout;
// std::errc::operation_canceled for a task that was stopped.
// Lifetime: ends before its loop; nobody waits on it when it is destroyed. Thread: the loop's.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../runtime/task.hpp"
#include "errors.hpp"
#include "options.hpp"

namespace weir::redisq {

namespace detail {
class subscriber_core;
}

// What becomes of messages when the consumer is slower than the publishers.
enum class overflow : std::uint8_t { wait, drop_oldest, drop_newest, disconnect };

struct subscriber_options {
    subscriber_options() noexcept = default;
    subscriber_options(std::size_t messages, overflow policy) noexcept
        : buffer_max(messages), when_full(policy) {}

    // Messages that nobody has received yet, 1 to 16,777,216.
    std::size_t buffer_max = 1'024;
    overflow when_full = overflow::wait;
};

struct message {
    message() = default;
    message(std::string at, std::string matched, std::string said, bool sharded)
        : channel(std::move(at)),
          pattern(std::move(matched)),
          payload(std::move(said)),
          is_sharded(sharded) {}

    std::string channel;
    std::string pattern;  // empty, but for a pattern's
    std::string payload;
    bool is_sharded = false;
};

class subscriber {
  public:
    // On the loop that runs now. Throw std::invalid_argument for options that are not sound.
    explicit subscriber(client_options options, subscriber_options own = subscriber_options());
    explicit subscriber(std::string_view url, subscriber_options own = subscriber_options());
    subscriber(subscriber&&) noexcept;
    subscriber& operator=(subscriber&&) noexcept;
    ~subscriber();

    // Channels, 1 or more.
    [[nodiscard]] task<result<void>> subscribe(std::vector<std::string> channels);
    // Patterns as the server matches them: h?llo, h*llo, h[ae]llo.
    [[nodiscard]] task<result<void>> subscribe_patterns(std::vector<std::string> patterns);
    // Sharded channels (Redis 7), which live at the node of their slot; all of one slot.
    [[nodiscard]] task<result<void>> subscribe_sharded(std::vector<std::string> channels);

    template <std::convertible_to<std::string>... Names>
    [[nodiscard]] task<result<void>> subscribe(const Names&... channels) {
        return subscribe(std::vector<std::string>{std::string(channels)...});
    }
    template <std::convertible_to<std::string>... Names>
    [[nodiscard]] task<result<void>> subscribe_patterns(const Names&... patterns) {
        return subscribe_patterns(std::vector<std::string>{std::string(patterns)...});
    }

    // Names that are not subscribed are passed over. Messages that stand in the buffer stay.
    void unsubscribe(const std::vector<std::string>& channels);
    void unsubscribe_patterns(const std::vector<std::string>& patterns);
    void unsubscribe_sharded(const std::vector<std::string>& channels);

    // The next message, in the order of their arrival. Several tasks may receive.
    [[nodiscard]] task<result<message>> receive();

    // Messages that stand in the buffer.
    [[nodiscard]] std::size_t buffered() const noexcept;
    // Messages that the policy has dropped.
    [[nodiscard]] std::uint64_t dropped() const noexcept;
    // How often the connection was lost.
    [[nodiscard]] std::uint64_t losses() const noexcept;
    [[nodiscard]] bool is_connected() const noexcept;

    // Who waits gets errc::closed, when the buffer is empty.
    void close() noexcept;

  private:
    std::unique_ptr<detail::subscriber_core> core_;
};

}  // namespace weir::redisq

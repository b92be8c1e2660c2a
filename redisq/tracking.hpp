// tracked_cache: values kept in the program, which the server tells to forget when they change
// (client-side caching, CLIENT TRACKING).
//
//     weir::redisq::tracked_cache cache(redis, 10'000);
//     const auto page = co_await cache.get("page:1");   // from the server once, then from here
//
// What is kept is what GET gave, nothing for a key that is not there. The server remembers which
// keys it was asked for, and announces each change once; then, and when the connection is lost, the
// value is forgotten here. Between the change and its announcement a read may give the old value,
// as long as a message takes.
//
// The cache is bounded: the value that was not used for the longest time goes. Reads of one key at
// the same time ask the server once each.
//
// Needs RESP3 (Redis 6) and the right to CLIENT TRACKING: where the server lacks the one or refuses
// the other, nothing is kept, and every read asks.
// Errors: those of GET. Lifetime: the client outlives the cache. Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "client.hpp"

namespace weir::redisq {

class tracked_cache final : private detail::push_listener {
  public:
    // At most `entries_max` keys, 1 or more (std::invalid_argument).
    tracked_cache(client& redis, std::size_t entries_max);
    tracked_cache(const tracked_cache&) = delete;
    tracked_cache& operator=(const tracked_cache&) = delete;
    ~tracked_cache();

    [[nodiscard]] task<result<std::optional<std::string>>> get(std::string key);

    // Forgets one, or all.
    void forget(std::string_view key);
    void clear() noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }
    [[nodiscard]] std::uint64_t misses() const noexcept { return misses_; }
    // Announcements of the server.
    [[nodiscard]] std::uint64_t invalidations() const noexcept { return invalidations_; }
    // Why the server has refused to announce changes on the present connection; none where it does,
    // or was not asked yet.
    [[nodiscard]] const std::optional<error>& refusal() const noexcept { return refusal_; }

  private:
    struct entry {
        std::string key;
        std::optional<std::string> value;
    };

    [[nodiscard]] bool on_push(const resp::reply_view& message) override;
    void on_lost(const error& why) noexcept override;
    // Asks for announcements and for the value, in this order on one connection.
    [[nodiscard]] task<result<std::optional<std::string>>> begin_tracking(std::string key);
    void keep(std::string key, std::optional<std::string> value);

    client& redis_;
    std::size_t entries_max_;
    std::list<entry> entries_;  // the one that was used last stands in front
    std::unordered_map<std::string_view, std::list<entry>::iterator> by_key_;
    // Grows with each announcement and loss: tells whether one came while a GET was under way.
    std::uint64_t changes_ = 0;
    std::uint64_t losses_ = 0;
    // Both of the present connection.
    bool is_tracking_ = false;
    std::optional<error> refusal_;
    std::uint64_t hits_ = 0;
    std::uint64_t misses_ = 0;
    std::uint64_t invalidations_ = 0;
};

}  // namespace weir::redisq

#include "tracking.hpp"

#include <stdexcept>
#include <utility>

namespace weir::redisq {

tracked_cache::tracked_cache(client& redis, std::size_t entries_max)
    : redis_(redis), entries_max_(entries_max) {
    if (entries_max == 0) {
        throw std::invalid_argument("tracked_cache: entries_max is 0; allowed: 1 or more");
    }
    redis_.core().add_listener(*this);
}

tracked_cache::~tracked_cache() { unlink(); }

task<result<std::optional<std::string>>> tracked_cache::get(std::string key) {
    if (const auto known = by_key_.find(key); known != by_key_.end()) {
        ++hits_;
        entries_.splice(entries_.begin(), entries_, known->second);
        co_return entries_.front().value;
    }
    ++misses_;
    if (!is_tracking_ && !refusal_) {
        co_return co_await begin_tracking(std::move(key));
    }
    const std::uint64_t before = changes_;
    result<std::optional<std::string>> value =
        co_await redis_.command<std::optional<std::string>>(idempotent, "GET", key);
    // An announcement that came meanwhile may have been of this very value.
    if (value && is_tracking_ && changes_ == before) {
        keep(std::move(key), *value);
    }
    co_return value;
}

task<result<std::optional<std::string>>> tracked_cache::begin_tracking(std::string key) {
    pipeline both;
    both.add("CLIENT", "TRACKING", "ON").add("GET", key);
    const std::uint64_t before = losses_;
    const std::uint64_t changes = changes_;
    const result<replies> answers = co_await redis_.execute(both, idempotent);
    if (!answers) {
        co_return std::unexpected(answers.error());
    }
    result<std::optional<std::string>> value = answers->get<std::optional<std::string>>(1);
    if (before != losses_) {
        co_return value;  // of a connection that is gone, or of the next one: nobody knows
    }
    const result<void> on = answers->get<void>(0);
    if (!on) {
        refusal_ = on.error();
    } else if (redis_.protocol() == 3) {
        is_tracking_ = true;
        if (value && changes == changes_) {
            keep(std::move(key), *value);
        }
    } else {
        refusal_ = error(make_error_code(errc::unsupported), "the server speaks no RESP3");
    }
    co_return value;
}

void tracked_cache::keep(std::string key, std::optional<std::string> value) {
    forget(key);  // another read was faster
    if (entries_.size() >= entries_max_) {
        by_key_.erase(entries_.back().key);
        entries_.pop_back();
    }
    entries_.push_front(entry{.key = std::move(key), .value = std::move(value)});
    by_key_.emplace(entries_.front().key, entries_.begin());
}

void tracked_cache::forget(std::string_view key) {
    if (const auto known = by_key_.find(key); known != by_key_.end()) {
        const auto at = known->second;
        by_key_.erase(known);
        entries_.erase(at);
    }
}

void tracked_cache::clear() noexcept {
    by_key_.clear();
    entries_.clear();
}

// "invalidate" and the keys, or a null for all of them.
bool tracked_cache::on_push(const resp::reply_view& message) {
    if (message.size() != 2 || message[0].text() != "invalidate") {
        return true;
    }
    ++invalidations_;
    ++changes_;
    const resp::reply_view keys = message[1];
    if (keys.is_null()) {
        clear();
    }
    for (const resp::reply_view key : keys) {
        forget(key.text());
    }
    return true;
}

void tracked_cache::on_lost(const error& why) noexcept {
    static_cast<void>(why);
    ++changes_;
    ++losses_;
    is_tracking_ = false;
    refusal_.reset();
    clear();
}

}  // namespace weir::redisq

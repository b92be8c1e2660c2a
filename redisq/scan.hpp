// Scanning: the keys of a server, or what a large key holds, in portions that hold nobody up.
//
//     weir::redisq::scan_options few;
//     few.match = "user:*";
//     auto keys = weir::redisq::scan_keys(redis, few);
//     while (true) {
//         const auto next = co_await keys.next();
//         if (!next || !*next) { break; }   // an error, or the end
//         show(**next);
//     }
//
// As the server promises: what is there from the beginning to the end comes at least once; what
// comes or goes meanwhile may come or not; some may come twice. next() asks for the next portion
// when the last one is used up, and repeats the question where the connection was lost.
//
// Errors: those of a command; after one, next() may be called again.
// Lifetime: the client outlives the scanner. Thread: the loop's.
// Source: SCAN, HSCAN, SSCAN, ZSCAN in https://redis.io/docs/latest/commands/scan/.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../runtime/task.hpp"
#include "detail/command_interface.hpp"

namespace weir::redisq {

struct scan_options {
    scan_options() = default;

    // Glob; empty: all.
    std::string match;
    // Only keys that hold this ("string", "hash", "list", "set", "zset", "stream"); empty: all.
    // For scan_keys alone.
    std::string type;
    // How much the server looks at for one portion, 1 or more.
    std::size_t count = 500;
};

namespace detail {

// The words of a scan: SCAN cursor, or HSCAN key cursor, and so on.
struct scan_words {
    scan_words(std::string name, std::optional<std::string> of, const scan_options& options);

    // With the cursor in its place.
    [[nodiscard]] const std::vector<std::string>& at(std::string cursor);

    std::string command;
    std::vector<std::string> words;  // behind the command
    std::size_t cursor_place;
};

}  // namespace detail

template <class T>
class scanner {
  public:
    // For scan_keys() and the others.
    scanner(detail::command_interface& redis, detail::scan_words words)
        : core_(&redis.core()), words_(std::move(words)) {}

    // The next element; nothing at the end.
    [[nodiscard]] task<result<std::optional<T>>> next() {
        while (at_ == portion_.size() && !is_done_) {
            result<void> filled = co_await fill();
            if (!filled) {
                co_return std::unexpected(std::move(filled.error()));
            }
        }
        if (at_ == portion_.size()) {
            co_return std::optional<T>();
        }
        co_return std::optional<T>(std::move(portion_[at_++]));
    }

    // What is left of the present portion, or the next one; empty at the end.
    [[nodiscard]] task<result<std::vector<T>>> next_portion() {
        while (at_ == portion_.size() && !is_done_) {
            result<void> filled = co_await fill();
            if (!filled) {
                co_return std::unexpected(std::move(filled.error()));
            }
        }
        std::vector<T> rest(
            std::make_move_iterator(portion_.begin() + static_cast<std::ptrdiff_t>(at_)),
            std::make_move_iterator(portion_.end()));
        portion_.clear();
        at_ = 0;
        co_return rest;
    }

  private:
    using answer = std::pair<std::string, std::vector<T>>;

    task<result<void>> fill() {
        const std::vector<std::string>& words = words_.at(cursor_);
        detail::command_awaiter<answer, std::string, std::vector<std::string>> call(
            *core_, idempotent, words_.command, words);
        result<answer> got = co_await call;
        if (!got) {
            co_return std::unexpected(std::move(got.error()));
        }
        cursor_ = std::move(got->first);
        portion_ = std::move(got->second);
        at_ = 0;
        is_done_ = cursor_ == "0";
        co_return result<void>();
    }

    detail::client_core* core_;
    detail::scan_words words_;
    std::string cursor_ = "0";
    std::vector<T> portion_;
    std::size_t at_ = 0;
    bool is_done_ = false;
};

// Keys of the database.
[[nodiscard]] scanner<std::string> scan_keys(detail::command_interface& redis,
                                             const scan_options& options = scan_options());
// Fields and values of a hash.
[[nodiscard]] scanner<std::pair<std::string, std::string>> scan_hash(
    detail::command_interface& redis, std::string key,
    const scan_options& options = scan_options());
// Members of a set.
[[nodiscard]] scanner<std::string> scan_set(detail::command_interface& redis, std::string key,
                                            const scan_options& options = scan_options());
// Members and scores of a sorted set.
[[nodiscard]] scanner<std::pair<std::string, double>> scan_sorted_set(
    detail::command_interface& redis, std::string key,
    const scan_options& options = scan_options());

}  // namespace weir::redisq

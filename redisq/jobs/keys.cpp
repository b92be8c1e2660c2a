#include "keys.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace weir::redisq {
namespace {

constexpr std::size_t queue_name_max = 128;

bool is_queue_name(std::string_view name) {
    return !name.empty() && name.size() <= queue_name_max && std::ranges::all_of(name, [](char c) {
        return c > ' ' && c <= '~' && c != '{' && c != '}';
    });
}

std::string checked_prefix(std::string_view queue) {
    if (!is_queue_name(queue)) {
        throw std::invalid_argument("queue name of " + std::to_string(queue.size()) +
                                    " bytes; allowed: 1 to 128 bytes of printable ASCII without "
                                    "blanks and braces");
    }
    return "weir:{" + std::string(queue) + "}:";
}

bool take_number(std::string_view& text, std::uint64_t& number) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{}) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

}  // namespace

queue_keys::queue_keys(std::string_view queue)
    : queue_(queue),
      prefix_(checked_prefix(queue)),
      delayed_(prefix_ + "z"),
      filed_(prefix_ + "h"),
      leases_(prefix_ + "w"),
      workers_(prefix_ + "i"),
      meta_(prefix_ + "m"),
      cancels_(prefix_ + "c"),
      dead_(prefix_ + "dead"),
      dead_jobs_(prefix_ + "d"),
      schedules_(prefix_ + "cron") {
    for (std::size_t i = 0; i < lane_count; ++i) {
        lanes_[i] = prefix_ + "s" + std::to_string(i);
    }
}

std::optional<std::size_t> queue_keys::lane_of(std::string_view key) const noexcept {
    for (std::size_t i = 0; i < lane_count; ++i) {
        if (lanes_[i] == key) {
            return i;
        }
    }
    return std::nullopt;
}

std::string queue_keys::unique(std::string_view key) const {
    return prefix_ + "u:" + std::string(key);
}

std::string queue_keys::token(std::string_view text) const {
    return prefix_ + "t:" + std::string(text);
}

std::string queue_keys::result(std::string_view id) const {
    return prefix_ + "r:" + std::string(id);
}

std::string queue_keys::rate(std::string_view type) const {
    return prefix_ + "l:" + std::string(type);
}

std::string queue_keys::channel(std::string_view producer) const {
    return prefix_ + "to:" + std::string(producer);
}

std::optional<job_id_parts> parse_job_id(std::string_view id) noexcept {
    job_id_parts parts;
    if (!take_number(id, parts.born_ms) || !id.starts_with('-')) {
        return std::nullopt;
    }
    id.remove_prefix(1);
    if (!take_number(id, parts.sequence) || id.size() != 2 || id[0] != '.') {
        return std::nullopt;
    }
    parts.kind = id[1];
    if (parts.kind != 'd' && (parts.kind < '0' || parts.kind > '3')) {
        return std::nullopt;
    }
    return parts;
}

std::string first_job_id(std::string_view entry, std::size_t lane) {
    std::string id(entry);
    id += '.';
    id += static_cast<char>('0' + lane);
    return id;
}

}  // namespace weir::redisq

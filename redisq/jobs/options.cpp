#include "options.hpp"

#include <algorithm>
#include <stdexcept>

#include "../detail/duration_text.hpp"
#include "detail/metrics_end.hpp"

namespace weir::redisq {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::size_t payload_max = std::size_t{64} << 20U;

[[noreturn]] void refuse(const char* option, const std::string& value, const std::string& allowed) {
    throw std::invalid_argument(std::string(option) + " is " + value + "; allowed: " + allowed);
}

void check_count(const char* option, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
    if (value < least || value > most) {
        refuse(option, std::to_string(value),
               std::to_string(least) + " to " + std::to_string(most));
    }
}

void check_length(const char* option, duration value, duration least, duration most) {
    if (value < least || value > most) {
        refuse(option, detail::duration_text(value),
               detail::duration_text(least) + " to " + detail::duration_text(most));
    }
}

}  // namespace

namespace detail {

std::optional<socket_address> metrics_end(const worker_options& options) {
    const bool is_ipv6 = options.metrics_address.find(':') != std::string::npos;
    const auto found = socket_address::parse(
        (is_ipv6 ? "[" + options.metrics_address + "]:" : options.metrics_address + ":") +
        std::to_string(options.metrics_port));
    const bool sound = found && (found->family() == address_family::ipv4 ||
                                 found->family() == address_family::ipv6);
    return sound ? std::optional(*found) : std::nullopt;
}

}  // namespace detail

void queue_options::check() const {
    check_count("queue_options::max_payload", max_payload, 1, payload_max);
    check_length("queue_options::result_ttl", result_ttl, milliseconds(1), days(30));
    check_length("queue_options::unique_ttl", unique_ttl, milliseconds(1), days(365));
}

void worker_options::check() const {
    check_count("worker_options::max_concurrency", max_concurrency, 1, 1'000'000);
    check_length("worker_options::heartbeat", heartbeat, milliseconds(1), hours(1));
    check_length("worker_options::lease", lease, milliseconds(10), hours(24));
    if (lease < 2 * heartbeat) {
        refuse("worker_options::lease", detail::duration_text(lease),
               "at least twice the heartbeat of " + detail::duration_text(heartbeat));
    }
    check_length("worker_options::grace", grace, duration::zero(), hours(24));
    check_length("worker_options::timeout", timeout, duration::zero(), days(365));
    check_count("worker_options::max_crashes", max_crashes, 1, 1000);
    check_count("worker_options::max_payload", max_payload, 1, payload_max);
    check_count("worker_options::windows", windows, 1, 64);
    check_count("worker_options::window", window, 1, 256);
    if (label.size() > 64 ||
        !std::ranges::all_of(label, [](char c) { return c > ' ' && c <= '~'; }) ||
        label.starts_with('~')) {
        refuse("worker_options::label", "of " + std::to_string(label.size()) + " bytes",
               "0 to 64 bytes of printable ASCII without blanks, not beginning with '~'");
    }
    if (!detail::metrics_end(*this)) {
        refuse("worker_options::metrics_address", "'" + metrics_address + "'",
               "an IPv4 or IPv6 address, such as 127.0.0.1 or ::1");
    }
}

void scheduler_options::check() const {
    check_length("scheduler_options::poll", poll, milliseconds(1), minutes(1));
    check_count("scheduler_options::batch", batch, 1, 10'000);
    check_length("scheduler_options::retry_longest", retry_longest, milliseconds(1), hours(1));
}

}  // namespace weir::redisq

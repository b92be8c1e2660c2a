#include "handler_options.hpp"

#include <stdexcept>
#include <string>

#include "../detail/duration_text.hpp"

namespace weir::redisq {
namespace {

using std::chrono::days;

void check_length(const char* option, duration value, duration least, duration most) {
    if (value < least || value > most) {
        throw std::invalid_argument(std::string(option) + " is " + detail::duration_text(value) +
                                    "; allowed: " + detail::duration_text(least) + " to " +
                                    detail::duration_text(most));
    }
}

void check_count(const char* option, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
    if (value < least || value > most) {
        throw std::invalid_argument(std::string(option) + " is " + std::to_string(value) +
                                    "; allowed: " + std::to_string(least) + " to " +
                                    std::to_string(most));
    }
}

}  // namespace

void handler_options::check() const {
    check_length("handler_options::timeout", timeout, duration::zero(), days(365));
    check_count("handler_options::max_concurrency", max_concurrency, 0, 1'000'000);
    check_count("handler_options::rate", rate, 0, 1'000'000);
    check_length("handler_options::rate_period", rate_period, std::chrono::milliseconds(1),
                 days(1));
    check_count("handler_options::rate_burst", rate_burst, 1, 1'000'000);
}

void batch_options::check() const {
    each.check();
    check_count("batch_options::max_jobs", max_jobs, 1, 10'000);
    check_length("batch_options::linger", linger, duration::zero(), std::chrono::minutes(1));
}

}  // namespace weir::redisq

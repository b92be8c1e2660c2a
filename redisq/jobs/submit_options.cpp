#include "submit_options.hpp"

#include <stdexcept>
#include <string>

#include "../detail/duration_text.hpp"

namespace weir::redisq {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

constexpr duration ten_years = days(3650);
constexpr std::size_t text_max = 256;

[[noreturn]] void refuse(const char* option, const std::string& value, const std::string& allowed) {
    throw std::invalid_argument(std::string("submit_options::") + option + " is " + value +
                                "; allowed: " + allowed);
}

void check_length(const char* option, duration value, duration least, duration most) {
    if (value < least || value > most) {
        refuse(option, detail::duration_text(value),
               detail::duration_text(least) + " to " + detail::duration_text(most));
    }
}

}  // namespace

void submit_options::check() const {
    check_length("delay", delay_, duration::zero(), ten_years);
    if (lane_ < 0 || lane_ >= static_cast<int>(lane_count)) {
        refuse("lane", std::to_string(lane_), "0 to 3");
    }
    if (delay_ != duration::zero() && at_) {
        refuse("at", "given beside a delay", "one of them");
    }
    if (unique_.size() > text_max || (is_unique_ && unique_.empty())) {
        refuse("unique", "of " + std::to_string(unique_.size()) + " bytes", "1 to 256 bytes");
    }
    if (trace_.size() > text_max) {
        refuse("trace", "of " + std::to_string(trace_.size()) + " bytes", "0 to 256 bytes");
    }
    if (expires_ != duration::zero()) {
        check_length("start_within", expires_, milliseconds(1), ten_years);
    }
    if (timeout_ != duration::zero()) {
        check_length("timeout", timeout_, milliseconds(1), days(365));
    }
}

}  // namespace weir::redisq

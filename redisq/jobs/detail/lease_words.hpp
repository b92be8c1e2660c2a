// What the scripts of workers are told and what they answer, as the worker's sources read it.
//
// Thread: any.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "../../../runtime/clock.hpp"
#include "../../resp/reply_view.hpp"
#include "../keys.hpp"
#include "script_runner.hpp"

namespace weir::redisq::detail {

// An integer, or text that may be one with a fraction.
inline std::int64_t number_of(const resp::reply_view& view) {
    if (view.kind() == resp::type::integer) {
        return view.integer();
    }
    const std::string_view text = view.text();
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return static_cast<std::int64_t>(value);
}

inline std::string milliseconds_of(duration length) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(length).count());
}

inline std::int64_t loop_ms(time_point time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// s0 s1 s2 s3 and what follows them.
inline script_runner::words lane_keys(const queue_keys& keys, const std::string& fifth,
                                      const std::string& sixth) {
    script_runner::words words(keys.lanes().begin(), keys.lanes().end());
    words.push_back(fifth);
    words.push_back(sixth);
    return words;
}

}  // namespace weir::redisq::detail

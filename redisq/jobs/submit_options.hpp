// submit_options: how one job is submitted.
//
//     weir::redisq::submit_options later;
//     later.delay(5min).lane(0).unique("user 7").keep_result();
//     auto job = co_await q.submit(later, thumbnail, "a.png", 128);
//
// Errors: what is out of range is refused at submit, by std::invalid_argument.
// Thread: any; a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "../../runtime/clock.hpp"
#include "keys.hpp"

namespace weir::redisq {

class submit_options {
  public:
    submit_options() = default;

    // Not before so long from now, on the server's clock; 0 to 10 years.
    submit_options& delay(duration length) {
        delay_ = length;
        return *this;
    }
    // Not before this time.
    submit_options& at(std::chrono::system_clock::time_point time) {
        at_ = time;
        return *this;
    }
    // Priority: 0 (urgent) to 3; 1 unless it is set.
    submit_options& lane(int lane) {
        lane_ = lane;
        return *this;
    }
    // Only if no other job holds this key, 1 to 256 bytes; it is held until the job has ended, at
    // the most for queue_options::unique_ttl from when the job is due.
    submit_options& unique(std::string key) {
        unique_ = std::move(key);
        is_unique_ = true;
        return *this;
    }
    // The job dies if it has not started so long after it was made; 1 ms to 10 years.
    submit_options& start_within(duration length) {
        expires_ = length;
        return *this;
    }
    // Limit of each run; 1 ms to 365 days.
    submit_options& timeout(duration length) {
        timeout_ = length;
        return *this;
    }
    // Its end can be waited for with the handle.
    submit_options& keep_result() {
        keep_result_ = true;
        return *this;
    }
    // Handed through to the job_context, 0 to 256 bytes.
    submit_options& trace(std::string text) {
        trace_ = std::move(text);
        return *this;
    }
    // When the connection is lost before the reply, the submit is repeated, and the job is queued
    // once all the same. Costs a key for a minute, or four times the client's command_timeout.
    submit_options& repeat_safely() {
        repeat_safely_ = true;
        return *this;
    }

    // Throws std::invalid_argument.
    void check() const;

    // Whether there is more to do than to add an entry to a lane.
    [[nodiscard]] bool needs_script() const noexcept {
        return delay_ != duration::zero() || at_ || is_unique_ || repeat_safely_;
    }

  private:
    friend class queue;

    duration delay_ = duration::zero();
    std::optional<std::chrono::system_clock::time_point> at_;
    int lane_ = lane_default;
    std::string unique_;
    duration expires_ = duration::zero();
    duration timeout_ = duration::zero();
    std::string trace_;
    bool is_unique_ = false;
    bool keep_result_ = false;
    bool repeat_safely_ = false;
};

}  // namespace weir::redisq

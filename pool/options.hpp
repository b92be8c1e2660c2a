// Options and reports of the pool: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

#include "../runtime/clock.hpp"

namespace weir {

// Which job a report speaks of. `name` is what submit_options named it, or "job".
struct job_info {
    std::uint64_t id = 0;  // counts from 1 in each pool, in the order of submitting
    const char* name = "job";
};

// Receives an error that nobody else can see: of a posted job, or of one whose handle was dropped.
// Runs on the loop's thread and must not throw. `context` is pool_options::on_error_context.
using error_handler = void (*)(const std::exception_ptr& error, const job_info& job, void* context);

// Trivially destructible on purpose: braced options may stand in an awaited call on compilers that
// destroy such a temporary twice.
struct pool_options {
    // Jobs that run at a time, 1 to 16,777,216; resize() may also set 0.
    std::size_t max_concurrency = 100;
    // Jobs that wait for a slot, 0 to 16,777,216; 0 is a rendezvous: a submitter waits for a slot.
    std::size_t max_queue_size = 1000;
    // Static storage; named in errors and reports. Null is the default.
    const char* name = "pool";
    // Null: one line on standard error. pool_stats::unobserved_errors counts in any case.
    error_handler on_error = nullptr;
    void* on_error_context = nullptr;
};

// How one job is submitted. Lengths count from the call of submit, post or run; zero or less is
// "now", the default is "never".
//
//     weir::submit_options quick;
//     quick.named("fetch").admit_within(1s).finish_within(5s);
//     auto handle = co_await p.submit(quick, fetch, url);
class submit_options {
  public:
    submit_options() noexcept = default;

    // For dump() and reports; static storage, usually a literal. Null is the default, "job".
    submit_options& named(const char* name) noexcept {
        name_ = name != nullptr ? name : job_info().name;
        return *this;
    }
    // Wait at most so long for a place: then pool_errc::admission_timed_out.
    submit_options& admit_within(duration length) noexcept {
        admit_ = length;
        return *this;
    }
    // Start at most so late: then the body never runs, and the result is pool_errc::expired.
    submit_options& start_within(duration length) noexcept {
        start_ = length;
        return *this;
    }
    // End at most so late: a job that has not started expires, a running one is asked to stop and,
    // where it ends by that, its result is weir::timed_out, as job_timed_out (errors.hpp). A value
    // that it still returns is kept.
    submit_options& finish_within(duration length) noexcept {
        finish_ = length;
        return *this;
    }

    [[nodiscard]] const char* name() const noexcept { return name_; }
    [[nodiscard]] bool has_deadlines() const noexcept {
        return admit_ != duration::max() || start_ != duration::max() || finish_ != duration::max();
    }
    [[nodiscard]] duration admit() const noexcept { return admit_; }
    [[nodiscard]] duration start() const noexcept { return start_; }
    [[nodiscard]] duration finish() const noexcept { return finish_; }

  private:
    const char* name_ = "job";
    duration admit_ = duration::max();
    duration start_ = duration::max();
    duration finish_ = duration::max();
};

// Counts since the pool was made, and its state now. Each job that was admitted ends in exactly one
// of completed, failed, canceled and expired.
struct pool_stats {
    std::uint64_t submitted = 0;  // admitted: into a slot, the queue, or their submitter's slot
    std::uint64_t started = 0;    // bodies begun, or about to: with a slot, or next on another's
    std::uint64_t completed = 0;  // ended with a value
    std::uint64_t failed = 0;     // ended with an exception
    std::uint64_t canceled = 0;   // stopped, before or after the start
    std::uint64_t expired = 0;    // start_within or finish_within passed before the start
    std::uint64_t rejected = 0;   // not admitted: full, closed, timed out, submitter stopped
    std::uint64_t inlined = 0;    // nested jobs that ran on their submitter's slot
    std::uint64_t claimed = 0;    // queued jobs that ran on the slot of who awaited them
    std::uint64_t unobserved_errors = 0;
    std::size_t running = 0;  // slots taken
    std::size_t queued = 0;
    std::size_t parked = 0;  // submitters that wait for a place
    std::size_t max_running = 0;
    std::size_t max_queued = 0;
    std::size_t max_concurrency = 0;
    std::size_t max_queue_size = 0;
};

// How drain_for() ended: `unstarted` names the jobs that were still queued when the time was up.
struct drain_report {
    bool drained = false;
    std::vector<job_info> unstarted;
};

}  // namespace weir

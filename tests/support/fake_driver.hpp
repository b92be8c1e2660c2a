// A simulated kernel for tests of what lies above the driver seam: virtual time, and completions by
// script. No system call is made.
//
//     auto owned = std::make_unique<test::fake_driver>();
//     test::fake_driver& kernel = *owned;
//     kernel.script(test::scripted(5ms, 7));   // for the next operation that is started
//     event_loop loop(std::move(owned));
//
// Operations without a script complete with 0 in the next poll() or wait(). A wait() without a
// deadline, a completion to come or a wake() would last for ever: it ends the process.
//
// Thread: the loop's; wake() any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <optional>
#include <vector>

#include <weir/runtime/driver.hpp>

namespace weir::test {

// What one operation will do.
struct scripted {
    explicit scripted(duration delay = {}, std::int32_t result = 0, bool deaf = false) noexcept
        : after(delay), outcome(result), ignores_cancel(deaf) {}

    duration after;        // from its start
    std::int32_t outcome;  // a count, or a negative errno
    bool ignores_cancel;   // ends as scripted all the same, as where the value came first
};

class fake_driver : public driver {
  public:
    // For operations in the order of their start.
    void script(scripted next) { scripts_.push_back(next); }

    // attach() throws this.
    void fail_attach(std::exception_ptr error) noexcept { attach_error_ = std::move(error); }

    // What the loop asked for so far.
    [[nodiscard]] int attaches() const noexcept { return attaches_; }
    [[nodiscard]] int starts() const noexcept { return starts_; }
    [[nodiscard]] int cancels() const noexcept { return cancels_; }
    [[nodiscard]] int polls() const noexcept { return polls_; }
    [[nodiscard]] int waits() const noexcept { return waits_; }
    [[nodiscard]] const std::vector<io_request>& requests() const noexcept { return requests_; }

    void advance(duration length) noexcept { now_ = saturating_add(now_, length); }

    void attach() override;
    [[nodiscard]] time_point now() const noexcept override { return now_; }
    void start(detail::operation& op) noexcept override;
    void cancel(detail::operation& op) noexcept override;
    [[nodiscard]] bool has_work() const noexcept override;
    void poll() noexcept override;
    void wait(std::optional<time_point> deadline) noexcept override;
    void wake() noexcept override;
    [[nodiscard]] std::size_t in_flight() const noexcept override { return pending_.size(); }
    void add_counters(loop_counters& counters) const noexcept override;

  private:
    struct pending {
        detail::operation* operation;
        time_point due;
        std::int32_t outcome;
        bool ignores_cancel;
    };

    void deliver_due() noexcept;
    [[nodiscard]] std::optional<time_point> next_due() const noexcept;

    time_point now_{std::chrono::hours(1)};
    std::deque<scripted> scripts_;
    std::vector<pending> pending_;  // in the order of their start
    std::vector<io_request> requests_;
    std::exception_ptr attach_error_;
    std::atomic<bool> woken_{false};
    int attaches_ = 0;
    int starts_ = 0;
    int cancels_ = 0;
    int polls_ = 0;
    int waits_ = 0;
    std::uint64_t completions_ = 0;
    std::uint64_t wakes_ = 0;
};

}  // namespace weir::test

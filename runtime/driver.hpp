// The seam between the loop and what drives it: a kernel interface and a clock.
//
//     weir::event_loop loop(weir::make_default_driver(options), options);   // or another driver
//
// The production driver is io_uring (uring_driver.hpp); a simulated kernel or epoll fit behind the
// same calls. Nothing above this interface makes a system call, reads a clock or names liburing.
//
// Contract of a driver:
//   1. A started operation gets exactly one terminal completion, canceled or not: its outcome and
//      flags are set, its state becomes done, and its waiter is woken. A multishot operation gets
//      others before. Nothing is resumed inside a driver's call.
//   2. start() and cancel() do not fail; a refusal of the kernel arrives as a completion.
//   3. Completions arrive only inside poll() and wait().
//
// Thread: attach() fixes the loop's thread; everything but wake() is called there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "clock.hpp"
#include "operation.hpp"
#include "result.hpp"

namespace weir {

struct loop_counters;
struct event_loop_options;

class driver {
  public:
    driver() = default;
    driver(const driver&) = delete;
    driver& operator=(const driver&) = delete;
    virtual ~driver() = default;

    // Called once, on the thread that will run the loop. Throws std::system_error.
    virtual void attach() = 0;

    [[nodiscard]] virtual time_point now() const noexcept = 0;

    // Hands `op.request` over; it reaches the kernel in the next poll() or wait() at the latest.
    virtual void start(detail::operation& op) noexcept = 0;

    // Asks that `op` end soon. It still ends by its terminal completion, which may be a success
    // that came first. No effect on an operation that is done.
    virtual void cancel(detail::operation& op) noexcept = 0;

    // Makes sure that `op`, which was started, is with the kernel: closing its descriptor, whose
    // number may soon be another's, cannot divert it any more. It still ends by its terminal
    // completion.
    virtual void hand_over(detail::operation& op) noexcept { static_cast<void>(op); }

    // Somebody waits for `op`, a started one with io_silent: its completion is delivered before the
    // loop sleeps again.
    virtual void hasten(detail::operation& op) noexcept { static_cast<void>(op); }

    // True when poll() has something to do: requests to submit or completions to reap. Costs no
    // system call.
    [[nodiscard]] virtual bool has_work() const noexcept = 0;

    // Submits and reaps without blocking.
    virtual void poll() noexcept = 0;

    // Submits, then blocks until a completion, a wake() or `deadline`, whichever is first; without
    // a deadline, until one of the others. May return early.
    virtual void wait(std::optional<time_point> deadline) noexcept = 0;

    // Makes the present or the next wait() return. Any thread; async-signal-safe.
    virtual void wake() noexcept = 0;

    // What may be asked for beyond single operations. Constant after attach().
    [[nodiscard]] virtual io_features features() const noexcept { return {}; }

    // Gives the kernel `count` receive buffers (a power of two, 1 to 32,768) of `size` bytes each,
    // one behind the other from `memory`, as a new group, for requests with io_from_group. None of
    // them is there for the kernel before provide_buffer(). `memory` outlives the group. Returns
    // the group's number; std::errc::not_supported without receive_multishot.
    [[nodiscard]] virtual result<std::uint16_t> add_buffer_group(std::byte* memory,
                                                                 std::uint32_t count,
                                                                 std::uint32_t size);
    // No operation uses the group any more.
    virtual void remove_buffer_group(std::uint16_t group) noexcept;
    // Hands a buffer of the group to the kernel, behind those that it has; it takes them in order.
    virtual void provide_buffer(std::uint16_t group, std::uint16_t buffer) noexcept;

    // Operations started and not done, without those of the driver itself.
    [[nodiscard]] virtual std::size_t in_flight() const noexcept = 0;

    // Adds this driver's share (enters, sqes, cqes, overflows, deferred, wakes).
    virtual void add_counters(loop_counters& counters) const noexcept = 0;
};

// The driver that event_loop uses unless it is given another: io_uring, or a std::system_error
// with errc::ring_unavailable whose text names the cause and the cure.
[[nodiscard]] std::unique_ptr<driver> make_default_driver(const event_loop_options& options);

}  // namespace weir

// A test with an uring_driver of its own, without a loop around it, and operations that stand on
// their own.
//
// Thread: the test's.
#pragma once

#include <gtest/gtest.h>

#include <coroutine>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/uring_driver.hpp>

#include "support/io.hpp"

namespace weir::test {

struct bare_loop : scheduler {
    using scheduler::ready_;
};

struct bare_context final : context {
    explicit bare_context(scheduler& loop) : context(loop) {}
    void on_done() noexcept override {}
};

// An operation that stands on its own: whoever it wakes is only noted.
struct bare_operation : detail::operation {
    explicit bare_operation(context& task) {
        static constexpr detail::wait_kind kind{"a test", nullptr};
        task.end_wait();
        suspend(task, std::noop_coroutine(), kind);
    }
};

inline event_loop_options limited(unsigned ring_entries, unsigned max_in_flight) {
    event_loop_options options;
    options.ring_entries = ring_entries;
    options.max_in_flight = max_in_flight;
    return options;
}

class bare_driver_test : public testing::Test {
  protected:
    // A driver that is attached to this thread.
    uring_driver& make(unsigned ring_entries, unsigned max_in_flight) {
        io_.emplace(limited(ring_entries, max_in_flight));
        io_->attach();
        return *io_;
    }

    bare_operation& nop() { return operations_.emplace_back(task_); }

    bare_operation& read(const test::pipe_pair& pipe) {
        bare_operation& op = operations_.emplace_back(task_);
        op.request.opcode = io_opcode::read;
        op.request.fd = pipe.out.get();
        op.request.address = &bytes_.emplace_back();
        op.request.length = 1;
        op.request.offset = UINT64_MAX;
        return op;
    }

    // Waits until nothing is in flight.
    void finish() {
        while (io_->in_flight() != 0) {
            io_->wait(std::nullopt);
        }
    }

    // The operations that were woken since the last call, in order.
    std::vector<const detail::ready_node*> woken() {
        std::vector<const detail::ready_node*> all;
        while (!loop_.ready_.empty()) {
            all.push_back(&loop_.ready_.pop());
        }
        return all;
    }

    loop_counters counters() const {
        loop_counters all;
        io_->add_counters(all);
        return all;
    }

    bare_loop loop_;
    bare_context task_{loop_};
    std::deque<bare_operation> operations_;
    std::deque<char> bytes_;
    std::optional<uring_driver> io_;
};

}  // namespace weir::test

// What the driver does when requests have to reach the kernel at once, and when completions do not
// fit.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "support/bare_driver.hpp"

namespace weir {
namespace {

using detail::operation_state;
using test::bare_operation;

class UringOverflowTest : public test::bare_driver_test {};

TEST_F(UringOverflowTest, AnOverflowIsCountedAndLosesNothing) {
    uring_driver& io = make(8, 1'048'576);
    const unsigned many = io.setup().completions + 8 * io.setup().entries;
    for (unsigned number = 0; number < many; ++number) {
        io.start(nop());  // each time that the queue is full it is handed over, and nothing reaped
    }
    EXPECT_TRUE(woken().empty());
    finish();
    EXPECT_EQ(woken().size(), many);
    EXPECT_GE(counters().overflows, 1U);
    EXPECT_EQ(counters().cqes, many);
}

// Closes the descriptor that a read names and gives its number to another pipe, which has a byte.
class HandOverTest : public test::bare_driver_test {
  protected:
    void let_another_have(int number, const test::pipe_pair& other) {
        ASSERT_EQ(dup2(other.out.get(), number), number);
        other.put('b');
    }
};

TEST_F(HandOverTest, WhatTheKernelHasKeepsItsFile) {
    uring_driver& io = make(8, 8);
    const test::pipe_pair first;
    const test::pipe_pair second;
    bare_operation& op = read(first);
    io.start(op);
    io.hand_over(op);
    EXPECT_EQ(op.state, operation_state::in_flight);
    let_another_have(first.out.get(), second);
    io.poll();
    EXPECT_EQ(op.state, operation_state::in_flight) << "the other pipe's byte is not its own";
    first.put('a');
    finish();
    EXPECT_EQ(op.outcome, 1);
    EXPECT_EQ(bytes_.front(), 'a');
}

TEST_F(HandOverTest, AFullQueueIsHandedOverAsWell) {
    uring_driver& io = make(4, 64);
    const test::pipe_pair first;
    const test::pipe_pair second;
    for (int number = 0; number < 3; ++number) {
        io.start(nop());
    }
    bare_operation& op = read(first);
    io.start(op);
    io.hand_over(op);
    EXPECT_EQ(operations_.front().state, operation_state::in_flight)
        << "nothing completes inside of it";
    let_another_have(first.out.get(), second);
    first.put('a');
    finish();
    EXPECT_EQ(bytes_.front(), 'a');
    EXPECT_EQ(woken().size(), 4U);
}

TEST_F(HandOverTest, WhatIsDoneOrDeferredIsLeftAlone) {
    uring_driver& io = make(8, 1);
    const test::pipe_pair pipe;
    bare_operation& running = read(pipe);
    bare_operation& deferred = nop();
    io.start(running);
    io.start(deferred);
    io.hand_over(deferred);
    EXPECT_EQ(deferred.state, operation_state::deferred);
    pipe.put('x');
    finish();
    const std::uint64_t enters = counters().enters;
    io.hand_over(running);
    EXPECT_EQ(counters().enters, enters);
}

TEST_F(HandOverTest, ACancelOfWhatWasHandedOverEndsIt) {
    uring_driver& io = make(8, 8);
    const test::pipe_pair first;
    const test::pipe_pair second;
    bare_operation& op = read(first);
    io.start(op);
    io.hand_over(op);
    let_another_have(first.out.get(), second);
    io.cancel(op);
    finish();
    EXPECT_EQ(op.outcome, -ECANCELED);
    char byte = 0;
    EXPECT_EQ(::read(second.out.get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'b') << "nobody took the other pipe's byte";
}

}  // namespace
}  // namespace weir

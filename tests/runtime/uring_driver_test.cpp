// The driver by itself, without a loop around it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <coroutine>
#include <csignal>
#include <cstdint>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/uring_driver.hpp>

#include "support/bare_driver.hpp"
#include "support/io.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using detail::operation_state;
using test::bare_operation;
using test::limited;

class UringDriverTest : public test::bare_driver_test {};

TEST_F(UringDriverTest, NothingCompletesInsideOfStart) {
    uring_driver& io = make(8, 8);
    bare_operation& op = nop();
    io.start(op);
    EXPECT_EQ(op.state, operation_state::in_flight);
    EXPECT_EQ(io.in_flight(), 1U);
    EXPECT_TRUE(io.has_work());
    EXPECT_TRUE(woken().empty());
    io.poll();
    EXPECT_EQ(op.state, operation_state::done);
    EXPECT_EQ(op.outcome, 0);
    EXPECT_EQ(io.in_flight(), 0U);
    EXPECT_EQ(woken(), std::vector<const detail::ready_node*>{&op});
}

TEST_F(UringDriverTest, WhatExceedsTheCapIsDeferredAndCompletesInOrder) {
    for (const unsigned cap : {1U, 2U, 3U}) {
        uring_driver& io = make(8, cap);
        std::vector<const detail::ready_node*> started;
        for (int number = 0; number < 20; ++number) {
            bare_operation& op = nop();
            io.start(op);
            started.push_back(&op);
            EXPECT_EQ(op.state, number < static_cast<int>(cap) ? operation_state::in_flight
                                                               : operation_state::deferred);
        }
        EXPECT_EQ(io.in_flight(), 20U);
        finish();
        EXPECT_EQ(woken(), started) << "cap " << cap;
        EXPECT_EQ(counters().deferred, 20U - cap);
    }
}

TEST_F(UringDriverTest, ASubmissionQueueThatIsFullIsHandedOverAndGoesOn) {
    for (const unsigned entries : {1U, 2U, 4U}) {
        uring_driver& io = make(entries, 64);
        for (int number = 0; number < 64; ++number) {
            io.start(nop());
        }
        finish();
        EXPECT_EQ(woken().size(), 64U);
        EXPECT_EQ(counters().deferred, 0U);
        EXPECT_GE(counters().enters, 64 / entries);
    }
}

TEST_F(UringDriverTest, ACancelEndsAnOperationInTheKernel) {
    uring_driver& io = make(8, 8);
    const test::pipe_pair pipe;
    bare_operation& op = read(pipe);
    io.start(op);
    io.poll();
    EXPECT_EQ(op.state, operation_state::in_flight);
    io.cancel(op);
    EXPECT_EQ(op.state, operation_state::in_flight) << "until the terminal completion";
    EXPECT_TRUE(woken().empty());
    finish();
    EXPECT_EQ(op.outcome, -ECANCELED);
    EXPECT_EQ(woken().size(), 1U);
}

TEST_F(UringDriverTest, ACancelMayMeetARequestThatTheKernelHasNotSeenYet) {
    uring_driver& io = make(8, 8);
    const test::pipe_pair pipe;
    bare_operation& op = read(pipe);
    io.start(op);
    io.cancel(op);
    finish();
    EXPECT_EQ(op.outcome, -ECANCELED);
}

TEST_F(UringDriverTest, ACancelIsAskedForOnce) {
    uring_driver& io = make(8, 8);
    const test::pipe_pair pipe;
    bare_operation& op = read(pipe);
    io.start(op);
    io.poll();
    const std::uint64_t before = counters().sqes;
    io.cancel(op);
    io.cancel(op);
    finish();
    EXPECT_EQ(counters().sqes - before, 1U);
}

TEST_F(UringDriverTest, ACancelOfWhatIsDoneDoesNothing) {
    uring_driver& io = make(8, 8);
    bare_operation& op = nop();
    io.start(op);
    finish();
    io.cancel(op);
    EXPECT_FALSE(io.has_work());
    EXPECT_EQ(op.outcome, 0);
}

TEST_F(UringDriverTest, AValueThatIsThereBeforeTheCancelIsNotLost) {
    uring_driver& io = make(8, 8);
    for (int round = 0; round < 100; ++round) {
        const test::pipe_pair pipe;
        bare_operation& op = read(pipe);
        io.start(op);
        io.poll();
        pipe.put('v');
        io.cancel(op);
        finish();
        if (op.outcome == 1) {
            EXPECT_EQ(bytes_.back(), 'v');
        } else {
            EXPECT_EQ(op.outcome, -ECANCELED);
            char left = 0;
            EXPECT_EQ(::read(pipe.out.get(), &left, 1), 1) << "the byte is still there";
        }
    }
}

// Cancels the deferred operations in `canceled` of five behind one that waits, and starts another.
class DeferredCancelTest : public UringDriverTest,
                           public testing::WithParamInterface<std::vector<std::size_t>> {};

TEST_P(DeferredCancelTest, TheOthersKeepTheirOrder) {
    uring_driver& io = make(8, 1);
    const test::pipe_pair pipe;
    bare_operation& first = read(pipe);
    io.start(first);
    std::vector<bare_operation*> deferred;
    for (int number = 0; number < 5; ++number) {
        io.start(*deferred.emplace_back(&read(pipe)));
    }
    std::vector<const detail::ready_node*> canceled;
    for (const std::size_t index : GetParam()) {
        io.cancel(*deferred[index]);
        EXPECT_NE(deferred[index]->state, operation_state::done) << "nothing ends inside a call";
        canceled.push_back(deferred[index]);
    }
    io.poll();
    for (const std::size_t index : GetParam()) {
        EXPECT_EQ(deferred[index]->outcome, -ECANCELED) << "the kernel never saw it";
        EXPECT_EQ(deferred[index]->state, operation_state::done);
    }
    EXPECT_EQ(woken(), canceled);
    io.start(*deferred.emplace_back(&read(pipe)));
    for (std::size_t number = 0; number < 7 - canceled.size(); ++number) {
        pipe.put('d');
    }
    std::vector<const detail::ready_node*> expected{&first};
    for (const bare_operation* const op : deferred) {
        if (op->state == operation_state::deferred) {
            expected.push_back(op);
        }
    }
    finish();
    EXPECT_EQ(woken(), expected);
}

INSTANTIATE_TEST_SUITE_P(FirstMiddleLastAndAll, DeferredCancelTest,
                         testing::Values(std::vector<std::size_t>{}, std::vector<std::size_t>{0},
                                         std::vector<std::size_t>{2}, std::vector<std::size_t>{4},
                                         std::vector<std::size_t>{4, 3},
                                         std::vector<std::size_t>{0, 4},
                                         std::vector<std::size_t>{0, 1, 2, 3, 4},
                                         std::vector<std::size_t>{4, 3, 2, 1, 0}));

TEST_F(UringDriverTest, AThousandCancelsOverflowNothing) {
    uring_driver& io = make(16, 1000);
    const test::pipe_pair pipe;
    for (int number = 0; number < 1000; ++number) {
        io.start(read(pipe));
    }
    io.poll();
    EXPECT_EQ(counters().deferred, 0U);
    for (bare_operation& op : operations_) {
        io.cancel(op);
    }
    finish();
    for (const bare_operation& op : operations_) {
        EXPECT_EQ(op.outcome, -ECANCELED);
    }
    EXPECT_EQ(counters().overflows, 0U);
}

TEST_F(UringDriverTest, MoreMayBeInFlightThanTheCompletionQueueHolds) {
    uring_driver& io = make(64, 1'048'576);
    const test::pipe_pair pipe;
    const unsigned many = io.setup().completions + 100;
    for (unsigned number = 0; number < many; ++number) {
        io.start(read(pipe));
    }
    io.poll();
    EXPECT_EQ(counters().deferred, 0U);
    for (unsigned number = 0; number < many; ++number) {
        pipe.put('x');
    }
    finish();
    EXPECT_EQ(woken().size(), many) << "what does not fit is kept until there is room";
}

TEST_F(UringDriverTest, AWakeBeforeTheWaitEndsIt) {
    uring_driver& io = make(8, 8);
    for (std::uint64_t round = 1; round <= 3; ++round) {
        io.wake();
        io.wake();
        io.wait(std::nullopt);
        EXPECT_EQ(counters().wakes, round) << "armed again, and several wakes are one";
    }
}

TEST_F(UringDriverTest, AWakeByAnotherThreadEndsTheSleep) {
    uring_driver& io = make(8, 8);
    std::jthread waker([&] {
        std::this_thread::sleep_for(20ms);  // so that it sleeps by then, most of the time
        io.wake();
    });
    while (counters().wakes == 0) {
        io.wait(std::nullopt);
    }
    EXPECT_LE(counters().enters, 3U) << "it slept until then";
}

TEST_F(UringDriverTest, AWaitUntilThePastDoesNotBlock) {
    uring_driver& io = make(8, 8);
    io.wait(io.now());
    io.wait(io.now() - 1h);
    io.wait(time_point::min());
    EXPECT_EQ(counters().cqes, 0U);
}

TEST_F(UringDriverTest, AWaitEndsAtItsDeadline) {
    uring_driver& io = make(8, 8);
    const time_point deadline = io.now() + 2ms;
    while (io.now() < deadline) {
        io.wait(deadline);
    }
    EXPECT_EQ(counters().wakes, 0U);
}

TEST_F(UringDriverTest, ASignalHandlerDuringTheSleepIsHarmless) {
    struct sigaction previous{};
    struct sigaction ignore_quietly{};
    ignore_quietly.sa_handler = [](int) {};
    sigaction(SIGUSR1, &ignore_quietly, &previous);
    uring_driver& io = make(8, 8);
    const test::pipe_pair pipe;
    bare_operation& op = read(pipe);
    io.start(op);
    const pthread_t sleeper = pthread_self();
    std::jthread disturber([&] {
        for (int number = 0; number < 20; ++number) {
            pthread_kill(sleeper, SIGUSR1);
            std::this_thread::sleep_for(1ms);  // so that most of them meet a sleep
        }
        pipe.put('s');
    });
    finish();
    disturber.join();
    EXPECT_EQ(op.outcome, 1);
    sigaction(SIGUSR1, &previous, nullptr);
}

TEST_F(UringDriverTest, AWriteReachesItsFile) {
    uring_driver& io = make(8, 8);
    const test::pipe_pair pipe;
    char text[] = "weir";
    bare_operation& op = nop();
    op.request = {.opcode = io_opcode::write,
                  .fd = pipe.in.get(),
                  .address = text,
                  .length = 4,
                  .offset = UINT64_MAX};
    io.start(op);
    finish();
    EXPECT_EQ(op.outcome, 4);
    char copy[5] = {};
    EXPECT_EQ(::read(pipe.out.get(), copy, 4), 4);
    EXPECT_STREQ(copy, "weir");
}

TEST_F(UringDriverTest, ABadDescriptorIsACompletion) {
    uring_driver& io = make(8, 8);
    test::pipe_pair pipe;
    bare_operation& op = read(pipe);
    pipe.out.reset();
    io.start(op);
    finish();
    EXPECT_EQ(op.outcome, -EBADF);
}

}  // namespace
}  // namespace weir

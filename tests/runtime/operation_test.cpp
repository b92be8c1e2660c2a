#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/operation.hpp>
#include <weir/runtime/yield.hpp>

#include "support/fake_driver.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using detail::operation_state;

TEST(OperationTest, StartsIdleWithARequestThatNamesNothing) {
    const detail::operation op;
    EXPECT_EQ(op.state, operation_state::idle);
    EXPECT_FALSE(op.cancel_asked);
    EXPECT_EQ(op.request.opcode, io_opcode::nop);
    EXPECT_EQ(op.request.fd, -1);
    EXPECT_EQ(op.request.address, nullptr);
    EXPECT_EQ(op.request.length, 0U);
}

// The states of one read, as a sibling sees them.
task<> await_probe(test::io_probe& read) { static_cast<void>(co_await read); }

task<> watch_states(const test::pipe_pair* pipe, std::vector<operation_state>& seen) {
    char byte = 0;
    test::io_probe read(io_opcode::read, pipe->out.get(), &byte, 1);
    seen.push_back(read.operation_state());
    scope s;
    s.spawn(await_probe(read));
    co_await test::settle();
    seen.push_back(read.operation_state());
    pipe->put('a');
    co_await s.join();
    seen.push_back(read.operation_state());
    EXPECT_EQ(byte, 'a');
}

TEST(OperationTest, PassesFromIdleThroughInFlightToDone) {
    const test::pipe_pair pipe;
    std::vector<operation_state> seen;
    test::run_test(watch_states(&pipe, seen));
    EXPECT_EQ(seen, (std::vector<operation_state>{operation_state::idle, operation_state::in_flight,
                                                  operation_state::done}));
}

task<> watch_deferred(const test::pipe_pair* pipe, std::vector<operation_state>& seen) {
    char first_byte = 0;
    char second_byte = 0;
    test::io_probe first(io_opcode::read, pipe->out.get(), &first_byte, 1);
    test::io_probe second(io_opcode::read, pipe->out.get(), &second_byte, 1);
    scope s;
    s.spawn(await_probe(first));
    s.spawn(await_probe(second));
    co_await test::settle();
    seen.push_back(second.operation_state());
    pipe->put('a');
    co_await test::settle();
    EXPECT_EQ(first_byte, 'a');
    seen.push_back(second.operation_state());
    pipe->put('b');
    co_await s.join();
    seen.push_back(second.operation_state());
    EXPECT_EQ(second_byte, 'b');
}

TEST(OperationTest, WaitsAsDeferredWhileThereIsNoRoom) {
    event_loop_options options;
    options.max_in_flight = 1;
    test::virtual_loop on(options);
    const test::pipe_pair pipe;
    std::vector<operation_state> seen;
    on.run(watch_deferred(&pipe, seen));
    EXPECT_EQ(seen,
              (std::vector<operation_state>{operation_state::deferred, operation_state::in_flight,
                                            operation_state::done}));
}

task<> watch_canceled(std::vector<operation_state>& seen) {
    char byte = 0;
    test::io_probe read(io_opcode::read, 3, &byte, 1);
    scope s;
    s.spawn(await_probe(read));
    co_await yield();
    s.request_stop();
    seen.push_back(read.operation_state());
    co_await s.join();
    seen.push_back(read.operation_state());
}

TEST(OperationTest, IsInFlightUntilItsTerminalCompletionThoughItIsCanceled) {
    auto driver = std::make_unique<test::fake_driver>();
    driver->script(test::scripted(1s, 1, true));
    event_loop loop(std::move(driver));
    std::vector<operation_state> seen;
    loop.run(watch_canceled(seen));
    EXPECT_EQ(seen,
              (std::vector<operation_state>{operation_state::in_flight, operation_state::done}));
}

}  // namespace
}  // namespace weir

// Operations that complete more than once, that begin behind another, or that take a buffer of a
// group, on the production driver.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/yield.hpp>

#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using detail::operation_state;

struct socket_pair {
    socket_pair() {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
            throw std::system_error(errno, std::system_category(), "socketpair");
        }
        ours = test::descriptor(ends[0]);
        theirs = test::descriptor(ends[1]);
    }
    void put(const char* bytes, std::size_t count) const {
        EXPECT_EQ(::send(theirs.get(), bytes, count, MSG_NOSIGNAL), static_cast<ssize_t>(count));
    }

    test::descriptor ours;
    test::descriptor theirs;
};

// Records its completions and wakes who waits for one.
class recorder : public detail::operation {
  public:
    recorder() noexcept { completed = &note; }

    task<> until(std::size_t count) {
        while (seen.size() < count) {
            arrived.reset();
            co_await arrived.wait();
        }
    }

    std::vector<std::int32_t> seen;
    std::vector<std::uint32_t> flags;
    event arrived;

  private:
    static void note(detail::operation& op) noexcept {
        auto& self = static_cast<recorder&>(op);
        self.seen.push_back(op.outcome);
        self.flags.push_back(op.completion_flags);
        self.arrived.set();
    }
};

driver& io() { return scheduler::current()->io(); }

task<> poll_many_times() {
    const socket_pair pair;
    recorder poll;
    poll.request.opcode = io_opcode::poll;
    poll.request.options = io_multishot;
    poll.request.fd = pair.ours.get();
    poll.request.operation_flags = POLLIN;
    io().start(poll);
    pair.put("a", 1);
    co_await poll.until(1);
    EXPECT_EQ(poll.state, operation_state::in_flight);
    pair.put("b", 1);
    co_await poll.until(2);
    EXPECT_EQ(poll.seen[0], POLLIN);
    EXPECT_EQ(poll.seen[1], POLLIN);
    io().cancel(poll);
    co_await poll.until(3);
    EXPECT_EQ(poll.state, operation_state::done);
    EXPECT_EQ(poll.seen[2], -ECANCELED);
}

TEST(UringOperationsTest, AMultishotOperationCompletesManyTimesAndEndsOnce) {
    event_loop loop;
    loop.run(poll_many_times());
}

constexpr std::uint32_t group_size = 4;
constexpr std::uint32_t buffer_size = 8;

struct buffers {
    buffers() {
        const result<std::uint16_t> added =
            io().add_buffer_group(memory.data(), group_size, buffer_size);
        if (!added) {
            throw std::system_error(added.error());
        }
        group = *added;
        for (std::uint16_t index = 0; index < group_size; ++index) {
            io().provide_buffer(group, index);
        }
    }
    buffers(const buffers&) = delete;
    buffers& operator=(const buffers&) = delete;
    ~buffers() { io().remove_buffer_group(group); }

    std::array<std::byte, std::size_t{group_size} * buffer_size> memory{};
    std::uint16_t group = 0;
};

void ask_to_receive(recorder& receive, const socket_pair& pair, const buffers& from) {
    receive.request.opcode = io_opcode::receive;
    receive.request.options = io_multishot | io_from_group;
    receive.request.fd = pair.ours.get();
    receive.request.buffer_group = from.group;
    io().start(receive);
}

task<> receive_until_no_buffer_is_left() {
    const socket_pair pair;
    const buffers from;
    recorder receive;
    ask_to_receive(receive, pair, from);
    for (std::size_t count = 1; count <= group_size; ++count) {
        pair.put("12345678", buffer_size);
        co_await receive.until(count);
        const std::uint32_t flags = receive.flags.back();
        EXPECT_EQ(receive.seen.back(), static_cast<std::int32_t>(buffer_size));
        EXPECT_NE(flags & detail::completion_has_buffer, 0U);
        EXPECT_EQ(detail::buffer_of(flags), count - 1) << "they are taken in order";
    }
    pair.put("9", 1);
    co_await receive.until(group_size + 1);
    EXPECT_EQ(receive.seen.back(), -ENOBUFS);
    EXPECT_EQ(receive.state, operation_state::done);
}

TEST(UringOperationsTest, AGroupHandsOutItsBuffersInOrderAndThenSaysThatNoneIsLeft) {
    event_loop loop;
    loop.run(receive_until_no_buffer_is_left());
}

task<> a_buffer_comes_back() {
    const socket_pair pair;
    const buffers from;
    recorder receive;
    ask_to_receive(receive, pair, from);
    for (std::size_t count = 1; count <= 10 * group_size; ++count) {
        pair.put("12345678", buffer_size);
        co_await receive.until(count);
        io().provide_buffer(from.group, detail::buffer_of(receive.flags.back()));
    }
    EXPECT_EQ(receive.state, operation_state::in_flight);
    io().cancel(receive);
    co_await receive.until(10 * group_size + 1);
}

TEST(UringOperationsTest, ABufferThatWasProvidedAgainIsUsedAgain) {
    event_loop loop;
    loop.run(a_buffer_comes_back());
}

// A receive that begins when a send has succeeded.
struct send_then_receive {
    send_then_receive(const socket_pair& pair, char byte, int send_flags) : out(byte) {
        send.opcode = io_opcode::send;
        send.fd = pair.ours.get();
        send.address = &out;
        send.length = 1;
        send.operation_flags = static_cast<std::uint32_t>(send_flags);
        receive.request.opcode = io_opcode::receive;
        receive.request.fd = pair.ours.get();
        receive.request.address = &in;
        receive.request.length = 1;
        receive.first = &send;
    }

    io_request send;
    recorder receive;
    char out;
    char in = 0;
};

task<> answer_to_a_linked_send() {
    const socket_pair pair;
    send_then_receive both(pair, 'q', MSG_NOSIGNAL | MSG_WAITALL);
    io().start(both.receive);
    char question = 0;
    test::io_probe read(io_opcode::read, pair.theirs.get(), &question, 1);
    EXPECT_TRUE(co_await read);
    EXPECT_EQ(question, 'q');
    EXPECT_TRUE(both.receive.seen.empty()) << "the send completes silently";
    pair.put("a", 1);
    co_await both.receive.until(1);
    EXPECT_EQ(both.receive.seen[0], 1);
    EXPECT_EQ(both.in, 'a');
    EXPECT_EQ(both.receive.first_outcome, detail::operation::no_outcome);
}

TEST(UringOperationsTest, AReceiveBehindASendCompletesAlone) {
    event_loop loop;
    loop.run(answer_to_a_linked_send());
}

task<> a_linked_send_fails() {
    socket_pair pair;
    send_then_receive both(pair, 'q', MSG_NOSIGNAL);
    pair.theirs.reset();
    io().start(both.receive);
    co_await both.receive.until(1);
    EXPECT_EQ(both.receive.seen[0], -ECANCELED);
    EXPECT_EQ(both.receive.first_outcome, -EPIPE);
}

TEST(UringOperationsTest, ASendThatFailsCancelsTheReceiveBehindIt) {
    event_loop loop;
    loop.run(a_linked_send_fails());
}

// Fills the socket until it takes no more.
void clog(const socket_pair& pair) {
    const std::string block(4096, 'x');
    while (::send(pair.ours.get(), block.data(), block.size(), MSG_DONTWAIT) > 0) {
    }
}

task<> cancel_while_the_send_waits() {
    const socket_pair pair;
    clog(pair);
    send_then_receive both(pair, 'q', MSG_NOSIGNAL);
    io().start(both.receive);
    co_await test::settle();
    EXPECT_TRUE(both.receive.seen.empty());
    io().cancel(both.receive);
    co_await both.receive.until(1);
    EXPECT_EQ(both.receive.seen[0], -ECANCELED);
    EXPECT_EQ(both.receive.first_outcome, -ECANCELED);
}

TEST(UringOperationsTest, ACancelReachesTheSendThatComesFirst) {
    event_loop loop;
    loop.run(cancel_while_the_send_waits());
}

task<> cancel_when_the_send_has_gone() {
    const socket_pair pair;
    send_then_receive both(pair, 'q', MSG_NOSIGNAL);
    io().start(both.receive);
    char question = 0;
    test::io_probe read(io_opcode::read, pair.theirs.get(), &question, 1);
    EXPECT_TRUE(co_await read);
    io().cancel(both.receive);
    co_await both.receive.until(1);
    EXPECT_EQ(both.receive.seen[0], -ECANCELED);
    EXPECT_EQ(both.receive.first_outcome, detail::operation::no_outcome);
}

TEST(UringOperationsTest, ACancelReachesTheReceiveWhenTheSendHasGone) {
    event_loop loop;
    loop.run(cancel_when_the_send_has_gone());
}

// Many chains on a ring with room for two requests: none is cut by a submission.
task<> many_chains_on_a_small_ring() {
    constexpr int chains = 8;
    std::array<socket_pair, chains> pairs;
    std::vector<std::unique_ptr<send_then_receive>> all;
    for (const socket_pair& pair : pairs) {
        all.push_back(std::make_unique<send_then_receive>(pair, 'q', MSG_NOSIGNAL));
        io().start(all.back()->receive);
        pair.put("a", 1);
    }
    for (const auto& one : all) {
        co_await one->receive.until(1);
        EXPECT_EQ(one->receive.seen[0], 1);
    }
}

TEST(UringOperationsTest, AChainIsNeverCutByASubmission) {
    event_loop_options options;
    options.ring_entries = 2;
    event_loop loop(options);
    loop.run(many_chains_on_a_small_ring());
}

// Its owner goes while it is in flight: it frees itself at its end.
class left_behind final : public detail::operation, public detail::orphan {
  public:
    left_behind(int fd, bool& ended) noexcept : ended_(ended) {
        request.opcode = io_opcode::poll;
        request.fd = fd;
        request.operation_flags = POLLIN;
        completed = &end;
    }

    void give_up() noexcept override { io().cancel(*this); }

  private:
    static void end(detail::operation& op) noexcept {
        auto& self = static_cast<left_behind&>(op);
        self.ended_ = true;
        self.unlink();
        delete &self;
    }

    bool& ended_;
};

task<> leave_behind(int fd, bool& ended) {
    auto* const left = new left_behind(fd, ended);
    io().start(*left);
    scheduler::current()->add_orphan(*left);
    co_return;
}

TEST(UringOperationsTest, ARunReturnsWhenItsOrphansHaveEnded) {
    const socket_pair pair;
    bool ended = false;
    event_loop loop;
    loop.run(leave_behind(pair.ours.get(), ended));
    EXPECT_TRUE(ended);
}

task<> look_at_features(io_features& seen) {
    seen = io().features();
    co_return;
}

TEST(UringOperationsTest, OptionsLeaveFeaturesOut) {
    event_loop_options options;
    options.features = io_features();
    io_features seen{.linked = true, .accept_multishot = true};
    event_loop loop(options);
    loop.run(look_at_features(seen));
    EXPECT_FALSE(seen.linked || seen.accept_multishot || seen.receive_multishot || seen.bundles ||
                 seen.zero_copy);
}

}  // namespace
}  // namespace weir

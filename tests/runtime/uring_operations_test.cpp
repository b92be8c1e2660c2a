// Operations that complete more than once, of whose success the kernel says nothing, or that take a
// buffer of a group, on the production driver.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
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

// A send that ends when it is handed over.
struct silent_send : recorder {
    silent_send(const socket_pair& pair, std::string_view bytes) {
        request.opcode = io_opcode::send;
        request.options = io_silent;
        request.fd = pair.ours.get();
        request.address = const_cast<char*>(bytes.data());
        request.length = static_cast<std::uint32_t>(bytes.size());
        request.operation_flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
    }
};

task<> send_silently() {
    const socket_pair pair;
    silent_send send(pair, "hello");
    const std::uint64_t before = event_loop::current()->counters().cqes;
    io().start(send);
    EXPECT_TRUE(send.seen.empty());
    io().hasten(send);
    co_await send.until(1);
    EXPECT_EQ(send.seen[0], 5);
    EXPECT_EQ(send.state, operation_state::done);
    EXPECT_EQ(event_loop::current()->counters().cqes, before) << "the kernel said nothing";
    char question[6] = {};
    EXPECT_EQ(::recv(pair.theirs.get(), question, 5, MSG_DONTWAIT), 5);
    EXPECT_STREQ(question, "hello");
}

TEST(UringOperationsTest, ASilentSendCompletesWithoutTheKernelsWord) {
    event_loop loop;
    loop.run(send_silently());
}

task<> silent_send_to_nobody() {
    socket_pair pair;
    silent_send send(pair, "q");
    pair.theirs.reset();
    io().start(send);
    co_await send.until(1);
    EXPECT_EQ(send.seen[0], -EPIPE);
}

TEST(UringOperationsTest, ASilentSendTellsItsError) {
    event_loop loop;
    loop.run(silent_send_to_nobody());
}

// Fills the socket until it takes no more.
void clog(const socket_pair& pair) {
    const std::string block(4096, 'x');
    while (::send(pair.ours.get(), block.data(), block.size(), MSG_DONTWAIT) > 0) {
    }
}

task<> silent_send_without_room() {
    const socket_pair pair;
    clog(pair);
    silent_send send(pair, "q");
    io().start(send);
    co_await send.until(1);
    EXPECT_EQ(send.seen[0], -EAGAIN);
}

TEST(UringOperationsTest, ASilentSendDoesNotWaitForRoom) {
    event_loop loop;
    loop.run(silent_send_without_room());
}

task<> silent_send_in_part() {
    const socket_pair pair;
    const std::string much(std::size_t{16} << 20, 'm');
    silent_send send(pair, much);
    io().start(send);
    co_await send.until(1);
    EXPECT_GT(send.seen[0], 0);
    EXPECT_LT(send.seen[0], 16 << 20);
    std::string got(much.size(), 0);
    std::size_t all = 0;
    ssize_t count = 0;
    while ((count = ::recv(pair.theirs.get(), got.data(), got.size(), MSG_DONTWAIT)) > 0) {
        all += static_cast<std::size_t>(count);
    }
    EXPECT_EQ(all, static_cast<std::size_t>(send.seen[0])) << "it says how much has gone";
}

TEST(UringOperationsTest, ASilentSendTellsHowMuchFitted) {
    event_loop loop;
    loop.run(silent_send_in_part());
}

// Many more than the rings hold, some of which fail: each is told once, and rightly.
task<> many_silent_sends() {
    constexpr int sends = 64;
    std::array<socket_pair, sends> pairs;
    std::vector<std::unique_ptr<silent_send>> all;
    for (std::size_t index = 0; index < sends; ++index) {
        if (index % 3 == 1) {
            pairs[index].theirs.reset();
        } else if (index % 3 == 2) {
            clog(pairs[index]);
        }
        all.push_back(std::make_unique<silent_send>(pairs[index], "q"));
        io().start(*all.back());
    }
    io().hasten(*all.front());
    constexpr std::array expected = {1, -EPIPE, -EAGAIN};
    for (std::size_t index = 0; index < sends; ++index) {
        co_await all[index]->until(1);
        EXPECT_EQ(all[index]->seen, std::vector<std::int32_t>{expected[index % 3]}) << index;
    }
    EXPECT_EQ(io().in_flight(), 0U);
}

TEST(UringOperationsTest, SilentSendsAreToldOnASmallRing) {
    event_loop_options options;
    options.ring_entries = 2;
    options.max_in_flight = 2;
    event_loop loop(options);
    loop.run(many_silent_sends());
    event_loop_options more;
    more.ring_entries = 1;
    event_loop other(more);
    other.run(many_silent_sends());
}

task<> cancel_a_silent_send() {
    const socket_pair pair;
    silent_send send(pair, "q");
    io().start(send);
    io().cancel(send);
    co_await send.until(1);
    EXPECT_EQ(send.seen[0], 1) << "it had ended";
}

TEST(UringOperationsTest, ACancelComesTooLateForASilentSend) {
    event_loop loop;
    loop.run(cancel_a_silent_send());
}

// Its owner goes while it is in flight: it frees itself at its end, and may leave others behind.
class left_behind final : public detail::operation, public detail::orphan {
  public:
    left_behind(int fd, int others, int& ended) noexcept : others_(others), ended_(ended) {
        request.opcode = io_opcode::poll;
        request.fd = fd;
        request.operation_flags = POLLIN;
        completed = &end;
    }

    static void leave(int fd, int others, int& ended) {
        auto* const left = new left_behind(fd, others, ended);
        io().start(*left);
        scheduler::current()->add_orphan(*left);
    }

    void give_up() noexcept override { io().cancel(*this); }

  private:
    static void end(detail::operation& op) noexcept {
        auto& self = static_cast<left_behind&>(op);
        ++self.ended_;
        if (self.others_ != 0) {
            leave(self.request.fd, self.others_ - 1, self.ended_);
        }
        self.unlink();
        delete &self;
    }

    int others_;
    int& ended_;
};

task<> leave_behind(int fd, int& ended) {
    left_behind::leave(fd, 2, ended);
    co_return;
}

TEST(UringOperationsTest, ARunReturnsWhenItsOrphansHaveEnded) {
    const socket_pair pair;
    int ended = 0;
    event_loop loop;
    loop.run(leave_behind(pair.ours.get(), ended));
    EXPECT_EQ(ended, 3) << "the ones that orphans left behind among them";
}

// Posts itself again until the first has ended, or it has run too often.
void post_until_ended(event_loop& loop, const int& ended, int& posts) {
    constexpr int posts_max = 10'000;
    if (ended == 0 && ++posts < posts_max) {
        loop.post([&loop, &ended, &posts] { post_until_ended(loop, ended, posts); });
    }
}

// ref: all of them outlive the loop.
task<> leave_behind_beside_posts(int fd, event_loop& loop, int& ended, int& posts) {
    left_behind::leave(fd, 0, ended);
    post_until_ended(loop, ended, posts);
    co_return;
}

TEST(UringOperationsTest, PostsWithoutEndDoNotKeepOrphansFromEnding) {
    const socket_pair pair;
    int ended = 0;
    int posts = 0;
    event_loop loop;
    loop.run(leave_behind_beside_posts(pair.ours.get(), loop, ended, posts));
    EXPECT_EQ(ended, 1);
    EXPECT_LT(posts, 10'000);
}

task<> look_at_features(io_features& seen) {
    seen = io().features();
    co_return;
}

TEST(UringOperationsTest, OptionsLeaveFeaturesOut) {
    event_loop_options options;
    options.features = io_features();
    io_features seen{.silent = true, .accept_multishot = true};
    event_loop loop(options);
    loop.run(look_at_features(seen));
    EXPECT_FALSE(seen.silent || seen.accept_multishot || seen.receive_multishot || seen.bundles ||
                 seen.zero_copy);
}

}  // namespace
}  // namespace weir

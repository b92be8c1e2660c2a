// connection, by hand: what a client shows only by chance.
#include <weir/redisq/detail/connection.hpp>

#include <gtest/gtest.h>

#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "support/peers.hpp"
#include "support/run_test.hpp"

namespace weir::redisq::detail {
namespace {

// Has one connection, and lets it go where it is told to.
class owner final : public connection_owner {
  public:
    explicit owner(file_descriptor socket)
        : handle(new connection(*event_loop::current(), std::move(socket), nullptr, resp::limits(),
                                *this)) {}

    [[nodiscard]] bool on_push(connection& /*from*/, const resp::reply_view& /*said*/) override {
        ++pushes;
        return reads_on;
    }
    void on_progress(connection& /*from*/) noexcept override {
        ++progress;
        if (leaves) {
            handle.reset();
        }
    }
    void on_again(call& /*who*/) noexcept override {}
    void on_lost(connection& /*from*/, error /*why*/) noexcept override { handle.reset(); }

    connection_handle handle;
    int pushes = 0;
    int progress = 0;
    bool reads_on = true;
    bool leaves = false;
};

// Nothing is received while the owner reads no pushes, so the last thing that the kernel does for
// the connection is the end of its send; and there its owner goes.
task<> leave_when_all_is_sent() {
    auto [ours, theirs] = test::unix_sockets();
    owner one(std::move(ours));
    one.reads_on = false;
    one.handle->start();
    test::send_now(theirs, ">1\r\n+news\r\n");
    co_await test::settle();
    EXPECT_EQ(one.pushes, 1);
    one.handle->out().add("ECHO", std::string(1'000'000, 'x'));
    one.handle->send_soon();
    co_await test::settle();
    EXPECT_EQ(one.progress, 0);
    one.leaves = true;
    for (int turn = 0; one.handle != nullptr && turn < 1'000; ++turn) {
        static_cast<void>(test::receive_now(theirs));
        co_await test::settle();
    }
    EXPECT_EQ(one.handle, nullptr);
}

TEST(ConnectionTest, ItsOwnerMayGoWhenAllIsSent) { test::run_test(leave_when_all_is_sent()); }

// Runs out of memory when it has appended a part of its commands.
class half_encoded final : public call {
  public:
    half_encoded() noexcept : call(call_options()) {}

    void encode(resp::command_buffer& out) override {
        out.add("MULTI");
        throw std::bad_alloc();
    }
    void take(const resp::reply_view& /*reply*/, resp::parser& /*from*/) override {}
    void fail(error /*why*/) noexcept override {}
};

task<> put_what_cannot_be_encoded() {
    auto [ours, theirs] = test::unix_sockets();
    owner one(std::move(ours));
    one.handle->start();
    one.handle->out().add("PING");
    const std::size_t size = one.handle->out().size();
    half_encoded failing;
    EXPECT_THROW(one.handle->put(failing), std::bad_alloc);
    EXPECT_EQ(one.handle->out().size(), size) << "the others' commands alone";
    EXPECT_EQ(one.handle->out().commands(), 1U);
    EXPECT_TRUE(one.handle->calls().empty());
    one.handle->send_soon();
    co_await test::settle();
    EXPECT_EQ(test::receive_now(theirs), "*1\r\n$4\r\nPING\r\n");
}

TEST(ConnectionTest, OfACallThatCannotBeEncodedNothingIsSent) {
    test::run_test(put_what_cannot_be_encoded());
}

bool holds(const resp::command_buffer& buffer, std::string_view text) {
    // All of its memory, also what is not in use.
    return std::string_view(reinterpret_cast<const char*>(buffer.bytes().data()), buffer.capacity())
               .find(text) != std::string_view::npos;
}

task<> send_a_secret() {
    auto [ours, theirs] = test::unix_sockets();
    owner one(std::move(ours));
    one.handle->start();
    const std::string_view hello = "*2\r\n$4\r\nAUTH\r\n$6\r\nhidden\r\n";
    one.handle->send_secret(std::as_bytes(std::span(hello)));
    EXPECT_TRUE(holds(one.handle->out(), "hidden")) << "until it leaves";
    co_await test::settle();
    EXPECT_EQ(test::receive_now(theirs), hello);
    // The two buffers take turns.
    for (int turn = 0; turn < 2; ++turn) {
        EXPECT_FALSE(holds(one.handle->out(), "hidden"));
        one.handle->out().add("PING");
        one.handle->send_soon();
        co_await test::settle();
        EXPECT_EQ(test::receive_now(theirs), "*1\r\n$4\r\nPING\r\n");
    }
}

TEST(ConnectionTest, OfASecretThatIsSentNothingStays) { test::run_test(send_a_secret()); }

}  // namespace
}  // namespace weir::redisq::detail

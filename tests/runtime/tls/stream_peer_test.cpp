// tls_stream and a peer that does what ours never does: OpenSSL by hand.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/tls/stream.hpp>

#include "engine_peers.hpp"
#include "memory_stream.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using tls = tls_stream<test::memory_stream>;

task<> keep_client(test::memory_stream lower, std::optional<tls>& into) {
    tls_options options = test::client_options();
    options = test::with_identity(options, test::client_identity());
    result<tls> made = co_await tls::connect(std::move(lower), tls_context(options), "example.org");
    EXPECT_TRUE(made.has_value()) << made.error().message();
    if (made) {
        into.emplace(std::move(*made));
    }
}

task<> keep_written(tls& to, std::string text, std::optional<result<void>>& into) {
    const auto bytes = std::as_bytes(std::span(text));
    into = co_await to.write_all(bytes);
}

task<> keep_finished(tls& stream, std::optional<result<void>>& into) {
    into = co_await stream.finish_writing();
}

task<> keep_read(tls& from, std::optional<result<std::size_t>>& into) {
    std::vector<std::byte> buffer(100);
    into = co_await from.read_some(buffer);
}

// A client's stream whose server is a raw_peer.
class connection {
  public:
    connection() : connection(test::make_memory_streams()) {}

    // Shakes hands; small records, so that a ticket takes several. The tickets stay with the peer.
    task<> open() {
        const auto accept_any = [](int, X509_STORE_CTX*) { return 1; };
        SSL_set_verify(peer.ssl(), SSL_VERIFY_PEER, accept_any);
        SSL_set_max_send_fragment(peer.ssl(), 512);
        scope s;
        s.spawn(keep_client(std::move(near_), client));
        co_await test::settle();
        collect();
        give(peer.take_output());
        co_await s.join();
        collect();
        tickets = peer.take_output();
    }

    // To the client.
    void give(std::span<const std::byte> bytes) {
        auto& pipe = far_.out();
        pipe.bytes.insert(pipe.bytes.end(), bytes.begin(), bytes.end());
        pipe.readable.set();
    }

    // From the client to the peer; how many bytes.
    std::size_t collect() {
        const std::vector<std::byte> bytes = std::exchange(from_client_->bytes, {});
        from_client_->writable.set();
        peer.take(bytes);
        return bytes.size();
    }

    // The tickets, in two: the first record, and the rest.
    [[nodiscard]] std::span<const std::byte> ticket_part(bool rest) const {
        const std::size_t first = test::record_size(tickets);
        return rest ? std::span(tickets).subspan(first) : std::span(tickets).first(first);
    }

    test::raw_peer peer{tls_role::server};
    std::optional<tls> client;
    test::bytes tickets;

  private:
    explicit connection(std::pair<test::memory_stream, test::memory_stream> ends)
        : near_(std::move(ends.first)),
          far_(std::move(ends.second)),
          from_client_(near_.share_out()) {}

    test::memory_stream near_;
    test::memory_stream far_;
    std::shared_ptr<test::memory_pipe> from_client_;
};

task<> a_write_reads_the_rest_of_a_message(bool beside_a_reader) {
    connection with;
    co_await with.open();
    std::optional<result<std::size_t>> read;
    std::optional<result<void>> written;
    std::optional<result<void>> finished;
    stop_source source;
    scope s;
    if (beside_a_reader) {
        with.give(with.ticket_part(false));
        s.spawn(with_stop(source, keep_read(*with.client, read)));
        co_await test::settle();
    } else {
        // A read that was stopped leaves the half of a message behind.
        s.spawn(with_stop(source, keep_read(*with.client, read)));
        with.give(with.ticket_part(false));
        co_await test::settle();
        source.request_stop();
        co_await test::settle();
        EXPECT_EQ(read->error(), std::errc::operation_canceled);
    }
    s.spawn(keep_written(*with.client, "behind the ticket", written));
    s.spawn(keep_finished(*with.client, finished));
    co_await test::settle();
    EXPECT_FALSE(written || finished);
    EXPECT_EQ(with.collect(), 0U);
    with.give(with.ticket_part(true));
    co_await test::settle();
    EXPECT_TRUE(written && written->has_value());
    EXPECT_TRUE(finished && finished->has_value());
    EXPECT_NE(with.collect(), 0U);
    EXPECT_EQ(with.peer.received, "behind the ticket");
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(read->error(), std::errc::operation_canceled);
}
TEST(TlsStreamPeerTest, AWriteReadsTheRestOfAMessage) {
    test::run_test(a_write_reads_the_rest_of_a_message(false));
}
TEST(TlsStreamPeerTest, AWriteGetsTheRestOfAMessageFromTheReader) {
    test::run_test(a_write_reads_the_rest_of_a_message(true));
}

// What the peer sends and asks to be answered; nothing that the application sees.
test::bytes key_updates(const test::raw_peer& peer, int count) {
    for (int sent = 0; sent < count; ++sent) {
        EXPECT_EQ(SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
        EXPECT_EQ(SSL_do_handshake(peer.ssl()), 1);
    }
    return peer.take_output();
}

task<> answers_wait_for_a_write_but_do_not_pile_up() {
    connection with;
    co_await with.open();
    with.give(with.tickets);
    std::optional<result<std::size_t>> read;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, keep_read(*with.client, read)));
    with.give(key_updates(with.peer, 1));
    co_await test::settle();
    EXPECT_EQ(with.collect(), 0U) << "a read does not write";
    with.give(key_updates(with.peer, 1'000));
    co_await test::settle();
    EXPECT_FALSE(read.has_value());
    EXPECT_GT(with.collect(), 4'096U);
    std::optional<result<void>> written;
    s.spawn(keep_written(*with.client, "with the newest key", written));
    co_await test::settle();
    with.collect();
    EXPECT_EQ(with.peer.received, "with the newest key");
    source.request_stop();
    co_await s.join();
}
TEST(TlsStreamPeerTest, AnswersWaitForAWriteButDoNotPileUp) {
    test::run_test(answers_wait_for_a_write_but_do_not_pile_up());
}

}  // namespace
}  // namespace weir

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <weir/runtime/tls/engine.hpp>
#include <weir/runtime/tls/errors.hpp>

#include "engine_peers.hpp"

namespace weir {
namespace {

using test::endpoint;
using test::exchange;
using test::make_client;
using test::make_server;

// Writes all of `text` at once; it fits.
void write(endpoint& from, std::string_view text) {
    const result<tls_transfer> written = from.engine.write(std::as_bytes(std::span(text)));
    ASSERT_TRUE(written);
    ASSERT_EQ(written->bytes, text.size());
    ASSERT_EQ(written->step, tls_step::done);
}

class TlsEngineFragmentTest : public testing::TestWithParam<std::size_t> {};

TEST_P(TlsEngineFragmentTest, AnyFragmentsMakeTheSameConnection) {
    for (const tls_version version : {tls_version::tls_1_2, tls_version::tls_1_3}) {
        tls_options options = test::client_options();
        options.minimum_version = version;
        endpoint client = make_client(options);
        endpoint server = make_server();
        EXPECT_FALSE(client.open);
        exchange(client, server, GetParam());
        ASSERT_TRUE(client.open && server.open) << client.error << server.error;
        write(client, "question");
        write(server, "answer");
        exchange(client, server, GetParam());
        EXPECT_EQ(server.received, "question");
        EXPECT_EQ(client.received, "answer");
        EXPECT_EQ(client.engine.finish(), tls_step::done);
        exchange(client, server, GetParam());
        EXPECT_TRUE(server.ended);
        EXPECT_FALSE(client.ended);
    }
}

INSTANTIATE_TEST_SUITE_P(TlsEngine, TlsEngineFragmentTest,
                         testing::Values(1, 2, 5, 100, test::unbroken));

TEST(TlsEngineTest, TellsWhatWasAgreed) {
    endpoint client = make_client();
    endpoint server = make_server();
    exchange(client, server);
    EXPECT_EQ(client.engine.protocol(), "TLSv1.3");
    EXPECT_EQ(client.engine.peer_certificate_subject(), "CN=server");
    EXPECT_EQ(client.engine.alpn(), "");
    EXPECT_EQ(server.engine.peer_certificate_subject(), "");
}

TEST(TlsEngineTest, SpeaksTheOlderVersionWithAPeerThatHasNoOther) {
    endpoint client = make_client();
    test::raw_peer server(tls_role::server, TLS1_2_VERSION);
    exchange(client, server);
    ASSERT_TRUE(client.open) << client.error;
    EXPECT_EQ(client.engine.protocol(), "TLSv1.2");
    write(client, "hello");
    exchange(client, server);
    EXPECT_EQ(server.received, "hello");
}

TEST(TlsEngineTest, RefusesVersionsBelowTheMinimum) {
    tls_options options = test::client_options();
    options.minimum_version = tls_version::tls_1_3;
    endpoint client = make_client(options);
    test::raw_peer old_server(tls_role::server, TLS1_2_VERSION);
    exchange(client, old_server);
    EXPECT_EQ(client.error, tls_errc::alert_protocol_version);
    options = test::server_options();
    options.minimum_version = tls_version::tls_1_3;
    endpoint server = make_server(options);
    test::raw_peer old_client(tls_role::client, TLS1_2_VERSION);
    exchange(server, old_client);
    EXPECT_EQ(server.error, tls_errc::unsupported_protocol);
}

TEST(TlsEngineTest, TellsPlainTextFromTls) {
    for (const std::size_t fragment : {std::size_t{1}, test::unbroken}) {
        endpoint client = make_client();
        client.go_on();
        client.take(test::bytes_of("HTTP/1.1 400 Bad Request\r\n\r\n"), fragment);
        EXPECT_EQ(client.error, tls_errc::not_tls);
        endpoint server = make_server();
        server.take(test::bytes_of("GET / HTTP/1.1\r\n\r\n"), fragment);
        EXPECT_EQ(server.error, tls_errc::not_tls);
    }
}

TEST(TlsEngineTest, FailsForEverAfterAFailure) {
    endpoint client = make_client();
    endpoint server = make_server();
    exchange(client, server);
    write(client, "hello");
    test::bytes wire = client.engine.take_output();
    wire.back() ^= std::byte{1};
    server.take(wire, test::unbroken);
    const std::error_code error = server.error;
    EXPECT_EQ(error.message(), "TLS failed: decryption failed or bad record mac");
    EXPECT_NE(server.engine.output_size(), 0U) << "an alert";
    EXPECT_EQ(server.engine.write(wire).error(), error);
    EXPECT_EQ(server.engine.finish().error(), error);
    std::byte buffer[8];
    EXPECT_EQ(server.engine.read(buffer).error(), error);
    EXPECT_EQ(server.received, "");
}

TEST(TlsEngineTest, TheEndOfInputIsAnErrorBeforeCloseNotify) {
    endpoint client = make_client();
    endpoint server = make_server();
    client.go_on();
    client.engine.end_input();
    client.go_on();
    EXPECT_EQ(client.error, tls_errc::closed_in_handshake);

    client = make_client();
    exchange(client, server);
    write(client, "all of it");
    server.take(client.engine.take_output(), test::unbroken);
    server.engine.end_input();
    server.go_on();
    EXPECT_EQ(server.received, "all of it");
    EXPECT_EQ(server.error, tls_errc::truncated);
    EXPECT_TRUE(server.engine.write(test::bytes_of("still")).has_value());
}

TEST(TlsEngineTest, TheEndOfInputIsAnErrorWhereverItComes) {
    endpoint client = make_client();
    client.go_on();
    const test::bytes hello = client.engine.take_output();
    for (std::size_t size = 0; size < hello.size(); ++size) {
        endpoint server = make_server();
        server.take(std::span(hello).first(size), test::unbroken);
        server.engine.end_input();
        server.go_on();
        ASSERT_EQ(server.error, tls_errc::closed_in_handshake) << "after " << size << " bytes";
    }
}

TEST(TlsEngineTest, ADamagedHandshakeNeverSucceeds) {
    const tls_context context(test::server_options());
    const tls_context trusting(test::client_options());
    std::size_t size = 1;
    for (std::size_t at = 0; at < size; at += 7) {
        endpoint client(std::move(tls_engine::make_client(trusting, "example.org").value()));
        endpoint server(tls_engine::make_server(context));
        client.go_on();
        server.take(client.engine.take_output(), test::unbroken);
        test::bytes flight = server.engine.take_output();
        size = flight.size();
        // Signatures, and so flights, differ in length.
        flight[std::min(at, size - 1)] ^= std::byte{0x41};
        client.take(flight, test::unbroken);
        client.engine.end_input();
        client.go_on();
        ASSERT_FALSE(client.open) << "with byte " << at << " damaged";
        ASSERT_TRUE(client.error);
    }
}

TEST(TlsEngineTest, EndsEachDirectionByItself) {
    endpoint client = make_client();
    endpoint server = make_server();
    exchange(client, server);
    EXPECT_EQ(client.engine.finish(), tls_step::done);
    EXPECT_EQ(client.engine.finish(), tls_step::done);
    EXPECT_EQ(client.engine.write(test::bytes_of("late")).error(), std::errc::broken_pipe);
    exchange(client, server);
    EXPECT_TRUE(server.ended);
    write(server, "afterwards");
    exchange(client, server);
    EXPECT_EQ(client.received, "afterwards");
    EXPECT_EQ(server.engine.finish(), tls_step::done);
    exchange(client, server);
    EXPECT_TRUE(client.ended);
    EXPECT_FALSE(client.error || server.error);
}

TEST(TlsEngineTest, TakesWritesInBoundedPieces) {
    endpoint client = make_client();
    endpoint server = make_server();
    exchange(client, server);
    const std::string text(tls_engine::write_max + 1, 'x');
    const result<tls_transfer> written = client.engine.write(test::bytes_of(text));
    ASSERT_TRUE(written);
    EXPECT_EQ(written->bytes, tls_engine::write_max);
    exchange(client, server);
    EXPECT_EQ(server.received.size(), tls_engine::write_max);
    EXPECT_EQ(client.engine.write({})->bytes, 0U);
    EXPECT_EQ(client.engine.output_size(), 0U);
}

TEST(TlsEngineTest, AnEmptyReadTakesNothing) {
    endpoint client = make_client();
    endpoint server = make_server();
    exchange(client, server);
    const result<tls_transfer> nothing = client.engine.read({});
    ASSERT_TRUE(nothing);
    EXPECT_EQ(nothing->bytes, 0U);
    EXPECT_EQ(nothing->step, tls_step::done);
}

TEST(TlsEngineTest, AnswersAKeyUpdateWithTheNextWrite) {
    endpoint client = make_client();
    test::raw_peer server(tls_role::server);
    exchange(client, server);
    ASSERT_TRUE(client.open);
    for (int round = 0; round < 3; ++round) {
        ASSERT_EQ(SSL_key_update(server.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
        server.write("new key");
        exchange(client, server, 1);
        write(client, "with new keys");
        exchange(client, server, 1);
    }
    EXPECT_EQ(client.received, "new keynew keynew key");
    EXPECT_EQ(server.received, "with new keyswith new keyswith new keys");
    EXPECT_EQ(SSL_get_key_update_type(server.ssl()), SSL_KEY_UPDATE_NONE);
}

// A server's tickets, after the handshake, of which the client has a part.
TEST(TlsEngineTest, WritesBetweenTheHalvesOfATicket) {
    endpoint client = make_client();
    test::raw_peer server(tls_role::server);
    client.go_on();
    server.take(client.engine.take_output());
    client.take(server.take_output(), test::unbroken);
    ASSERT_TRUE(client.open);
    server.take(client.engine.take_output());
    const test::bytes tickets = server.take_output();
    ASSERT_GT(tickets.size(), 100U);
    const std::span wire(tickets);
    client.take(wire.first(50), test::unbroken);
    write(client, "meanwhile");
    server.take(client.engine.take_output());
    EXPECT_EQ(server.received, "meanwhile");
    client.take(wire.subspan(50), test::unbroken);
    EXPECT_FALSE(client.error);
}

// A ticket holds the client's certificate, and so takes several small records. Between them,
// OpenSSL sends nothing.
TEST(TlsEngineTest, AWriteNeedsTheRestOfAMessageOfWhichItHasAPart) {
    endpoint client =
        make_client(test::with_identity(test::client_options(), test::client_identity()));
    test::raw_peer server(tls_role::server);
    const auto accept_any = [](int, X509_STORE_CTX*) { return 1; };
    SSL_set_verify(server.ssl(), SSL_VERIFY_PEER, accept_any);
    SSL_set_max_send_fragment(server.ssl(), 512);
    client.go_on();
    server.take(client.engine.take_output());
    client.take(server.take_output(), test::unbroken);
    ASSERT_TRUE(client.open);
    server.take(client.engine.take_output());
    const test::bytes tickets = server.take_output();
    const std::span wire(tickets);
    const std::size_t first = test::record_size(wire);
    ASSERT_LT(first, wire.size());

    client.take(wire.first(first), test::unbroken);
    const test::bytes text = test::bytes_of("afterwards");
    const result<tls_transfer> waiting = client.engine.write(text);
    ASSERT_TRUE(waiting);
    EXPECT_EQ(waiting->bytes, 0U);
    EXPECT_EQ(waiting->step, tls_step::needs_input);
    EXPECT_EQ(client.engine.finish(), tls_step::needs_input);
    client.take(wire.subspan(first), test::unbroken);
    const result<tls_transfer> written = client.engine.write(text);
    ASSERT_TRUE(written);
    EXPECT_EQ(written->step, tls_step::done);
    EXPECT_EQ(client.engine.finish(), tls_step::done);
    server.take(client.engine.take_output());
    EXPECT_EQ(server.received, "afterwards");
    EXPECT_EQ(SSL_get_shutdown(server.ssl()), SSL_RECEIVED_SHUTDOWN);
}

TEST(TlsEngineTest, RefusesToRenegotiate) {
    endpoint client = make_client();
    test::raw_peer server(tls_role::server, TLS1_2_VERSION);
    exchange(client, server);
    ASSERT_TRUE(client.open);
    ASSERT_EQ(SSL_renegotiate(server.ssl()), 1);
    SSL_do_handshake(server.ssl());
    const test::bytes request = server.take_output();
    ASSERT_FALSE(request.empty());
    client.take(request, test::unbroken);
    EXPECT_FALSE(client.error);
    EXPECT_NE(client.engine.output_size(), 0U) << "no_renegotiation";
    write(client, "goes on");
}

TEST(TlsEngineDeathTest, RolesAreThoseOfTheContext) {
    EXPECT_DEATH(static_cast<void>(make_client(test::server_options())), "client's context");
    EXPECT_DEATH(static_cast<void>(make_server(test::client_options())), "server's context");
}

TEST(TlsEngineDeathTest, DataComesAfterTheHandshake) {
    endpoint client = make_client();
    EXPECT_DEATH(static_cast<void>(client.engine.write({})), "after the handshake");
    EXPECT_DEATH(client.engine.add_input(tls_engine::input_max + 1), "fits");
}

}  // namespace
}  // namespace weir

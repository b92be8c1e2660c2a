#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/tls/stream.hpp>
#include <weir/runtime/when_all.hpp>

#include "memory_stream.hpp"
#include "support/certificates.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using tls = tls_stream<test::memory_stream>;
static_assert(byte_stream<tls>);

constexpr std::size_t unbroken = std::numeric_limits<std::size_t>::max();

// Both ends, or why there are none.
struct pair {
    result<tls> client;
    result<tls> server;
};

task<pair> make_pair(tls_options client, tls_options server, std::string name, std::size_t capacity,
                     std::size_t fragment) {
    auto [near, far] = test::make_memory_streams(capacity, fragment);
    auto both = when_all(tls::connect(std::move(near), tls_context(client), std::move(name)),
                         tls::accept(std::move(far), tls_context(server)));
    auto [one, other] = co_await std::move(both);
    co_return pair(std::move(one), std::move(other));
}

task<pair> make_pair(std::size_t capacity = 65'536, std::size_t fragment = unbroken) {
    co_return co_await make_pair(test::client_options(), test::server_options(), "example.org",
                                 capacity, fragment);
}

// The span outlives the await: it is of a literal, or of a string in the test.
task<result<void>> write_text(tls& to, std::string text) {
    const auto bytes = std::as_bytes(std::span(text));
    co_return co_await to.write_all(bytes);
}

// Up to `size` bytes, fewer where the stream ends before.
task<result<std::string>> read_text(tls& from, std::size_t size) {
    std::string text;
    std::vector<std::byte> buffer(1'000);
    while (text.size() < size) {
        const auto room = std::span(buffer).first(std::min(buffer.size(), size - text.size()));
        const result<std::size_t> got = co_await from.read_some(room);
        if (!got) {
            co_return std::unexpected(got.error());
        }
        if (*got == 0) {
            break;
        }
        text.append(reinterpret_cast<const char*>(buffer.data()), *got);
    }
    co_return text;
}

class TlsStreamFragmentTest : public testing::TestWithParam<std::size_t> {};

task<> bytes_go_both_ways(std::size_t fragment) {
    auto [client, server] = co_await make_pair(65'536, fragment);
    EXPECT_TRUE(client && server);
    EXPECT_EQ(client->protocol(), "TLSv1.3");
    EXPECT_EQ(client->peer_certificate_subject(), "CN=server");
    EXPECT_TRUE((co_await write_text(*client, "question")).has_value());
    EXPECT_EQ(co_await read_text(*server, 8), "question");
    EXPECT_TRUE((co_await write_text(*server, "answer")).has_value());
    EXPECT_EQ(co_await read_text(*client, 6), "answer");
    EXPECT_TRUE((co_await client->finish_writing()).has_value());
    EXPECT_EQ(co_await read_text(*server, 1), "");
    EXPECT_TRUE((co_await write_text(*server, "the other direction is open")).has_value());
    EXPECT_TRUE((co_await server->finish_writing()).has_value());
    EXPECT_EQ(co_await read_text(*client, 100), "the other direction is open");
    EXPECT_EQ((co_await write_text(*client, "late")).error(), std::errc::broken_pipe);
    EXPECT_TRUE((co_await client->close()).has_value());
}
TEST_P(TlsStreamFragmentTest, BytesGoBothWays) { test::run_test(bytes_go_both_ways(GetParam())); }

INSTANTIATE_TEST_SUITE_P(TlsStream, TlsStreamFragmentTest, testing::Values(1, 3, 64, unbroken));

task<> a_wrong_name_is_refused() {
    auto [client, server] = co_await make_pair(test::client_options(), test::server_options(),
                                               "example.com", 65'536, unbroken);
    EXPECT_FALSE(client || server);
    EXPECT_EQ(client.error(), tls_errc::host_name_mismatch);
    EXPECT_EQ(server.error(), tls_errc::alert_bad_certificate) << "the alert was sent";
}
TEST(TlsStreamTest, AWrongNameIsRefused) { test::run_test(a_wrong_name_is_refused()); }

task<> a_name_that_is_none_is_refused() {
    auto [near, far] = test::make_memory_streams();
    const auto refused =
        co_await tls::connect(std::move(near), tls_context(test::client_options()), "");
    EXPECT_EQ(refused.error(), tls_errc::invalid_server_name);
    std::byte byte[1];
    EXPECT_EQ(co_await far.read_some(byte), 0U) << "the stream below is gone";
}
TEST(TlsStreamTest, ANameThatIsNoneIsRefused) { test::run_test(a_name_that_is_none_is_refused()); }

task<> an_expired_certificate_is_refused() {
    test::certificate_request request("server");
    request.ends_s = -1;
    auto [client, server] = co_await make_pair(
        test::client_options(), test::server_options(test::trusted_authority().issue(request)),
        "example.org", 65'536, 1);
    EXPECT_EQ(client.error(), tls_errc::certificate_expired);
    EXPECT_EQ(server.error(), tls_errc::alert_certificate_expired);
}
TEST(TlsStreamTest, AnExpiredCertificateIsRefused) {
    test::run_test(an_expired_certificate_is_refused());
}

// TLS 1.3: the client is done before the server has looked at what it sent.
task<> a_client_without_a_certificate_learns_it_when_it_reads() {
    tls_options options = test::server_options();
    options.authorities = tls_pem::bytes(test::trusted_authority().certificate());
    options.client_certificates = tls_client_certificates::required;
    auto [client, server] =
        co_await make_pair(test::client_options(), options, "example.org", 65'536, unbroken);
    EXPECT_EQ(server.error(), tls_errc::peer_certificate_missing);
    EXPECT_TRUE(client.has_value());
    EXPECT_EQ((co_await read_text(*client, 1)).error(), tls_errc::alert_certificate_required);
}
TEST(TlsStreamTest, AClientWithoutACertificateLearnsItWhenItReads) {
    test::run_test(a_client_without_a_certificate_learns_it_when_it_reads());
}

task<> a_peer_without_tls_is_told_apart() {
    auto [near, far] = test::make_memory_streams();
    const std::string reply = "HTTP/1.1 400 Bad Request\r\n\r\n";
    const auto bytes = std::as_bytes(std::span(reply));
    EXPECT_TRUE((co_await far.write_all(bytes)).has_value());
    const auto refused =
        co_await tls::connect(std::move(near), tls_context(test::client_options()), "example.org");
    EXPECT_EQ(refused.error(), tls_errc::not_tls);
}
TEST(TlsStreamTest, APeerWithoutTlsIsToldApart) {
    test::run_test(a_peer_without_tls_is_told_apart());
}

task<> a_peer_that_goes_in_the_handshake_is_told_apart() {
    auto [near, far] = test::make_memory_streams();
    EXPECT_TRUE((co_await far.finish_writing()).has_value());
    const auto refused =
        co_await tls::connect(std::move(near), tls_context(test::client_options()), "example.org");
    EXPECT_EQ(refused.error(), tls_errc::closed_in_handshake);
}
TEST(TlsStreamTest, APeerThatGoesInTheHandshakeIsToldApart) {
    test::run_test(a_peer_that_goes_in_the_handshake_is_told_apart());
}

task<> an_end_without_close_notify_is_an_error() {
    auto [client, server] = co_await make_pair();
    EXPECT_TRUE((co_await write_text(*server, "some")).has_value());
    EXPECT_TRUE((co_await server->close()).has_value());
    EXPECT_EQ(co_await read_text(*client, 4), "some");
    EXPECT_EQ((co_await read_text(*client, 1)).error(), tls_errc::truncated);
    EXPECT_EQ((co_await read_text(*client, 1)).error(), tls_errc::truncated);
    EXPECT_EQ((co_await write_text(*client, "to nobody")).error(), std::errc::broken_pipe);
    EXPECT_EQ((co_await write_text(*client, "to nobody")).error(), std::errc::broken_pipe);
}
TEST(TlsStreamTest, AnEndWithoutCloseNotifyIsAnError) {
    test::run_test(an_end_without_close_notify_is_an_error());
}

std::string numbered(std::size_t size) {
    std::string text;
    for (std::size_t number = 0; text.size() < size; ++number) {
        text += std::to_string(number) + ' ';
    }
    text.resize(size);
    return text;
}

task<> send_all(tls& to, std::string text, bool& done) {
    const result<void> written = co_await write_text(to, std::move(text));
    EXPECT_TRUE(written.has_value());
    const result<void> finished = co_await to.finish_writing();
    EXPECT_TRUE(finished.has_value());
    done = true;
}

task<> receive_all(tls& from, std::string expected) {
    const result<std::string> text = co_await read_text(from, expected.size() + 1);
    EXPECT_TRUE(text == expected);
}

task<> both_directions_run_at_once(std::size_t capacity, std::size_t fragment) {
    auto [client, server] = co_await make_pair(capacity, fragment);
    const std::string text = numbered(1'000'000);
    bool sent[2] = {};
    scope s;
    s.spawn(send_all(*client, text, sent[0]));
    s.spawn(send_all(*server, text, sent[1]));
    co_await test::settle();
    EXPECT_FALSE(sent[0] || sent[1]) << "what nobody reads fills the streams";
    s.spawn(receive_all(*client, text));
    s.spawn(receive_all(*server, text));
    co_await s.join();
    EXPECT_TRUE(sent[0] && sent[1]);
}
TEST(TlsStreamTest, BothDirectionsRunAtOnce) {
    test::run_test(both_directions_run_at_once(65'536, unbroken));
    test::run_test(both_directions_run_at_once(100, 7));
}

task<> a_read_that_is_stopped_loses_nothing() {
    auto [client, server] = co_await make_pair(65'536, 1);
    for (int round = 0; round < 3; ++round) {
        stop_source source;
        std::optional<result<std::string>> text;
        scope s;
        const auto keep = [](tls& from, std::optional<result<std::string>>& into) -> task<> {
            into = co_await read_text(from, 5);
        };
        s.spawn(with_stop(source, keep(*client, text)));
        co_await test::settle();
        EXPECT_FALSE(text.has_value());
        source.request_stop();
        co_await s.join();
        EXPECT_EQ(text->error(), std::errc::operation_canceled);
    }
    EXPECT_TRUE((co_await write_text(*server, "whole")).has_value());
    EXPECT_EQ(co_await read_text(*client, 5), "whole");
}
TEST(TlsStreamTest, AReadThatIsStoppedLosesNothing) {
    test::run_test(a_read_that_is_stopped_loses_nothing());
}

// The peer's record comes in two halves, and the read is stopped between them.
task<> a_read_that_is_stopped_inside_a_record_loses_nothing() {
    auto [client, server] = co_await make_pair(40);
    scope s;
    bool sent = false;
    s.spawn(send_all(*server, numbered(100), sent));
    const auto read = [](tls& from) -> task<result<std::string>> {
        co_return co_await read_text(from, 100);
    };
    // The pipe holds 40 bytes, so each look at it brings a part of the record.
    stop_source source;
    source.request_stop();
    const result<std::string> stopped = co_await with_stop(source, read(*client));
    EXPECT_EQ(stopped.error(), std::errc::operation_canceled);
    EXPECT_FALSE(sent);
    EXPECT_EQ(co_await read_text(*client, 100), numbered(100));
    co_await s.join();
}
TEST(TlsStreamTest, AReadThatIsStoppedInsideARecordLosesNothing) {
    test::run_test(a_read_that_is_stopped_inside_a_record_loses_nothing());
}

task<> keep_result(task<result<void>> body, std::optional<result<void>>& into) {
    into = co_await std::move(body);
}

task<> a_write_that_is_stopped_inside_a_record_ends_writing() {
    auto [client, server] = co_await make_pair(100);
    stop_source source;
    std::optional<result<void>> written;
    std::optional<result<void>> waiting;
    scope s;
    s.spawn(with_stop(source, keep_result(write_text(*client, numbered(1'000)), written)));
    co_await test::settle();
    EXPECT_FALSE(written.has_value());
    s.spawn(keep_result(write_text(*client, "behind it"), waiting));
    co_await test::settle();
    EXPECT_FALSE(waiting.has_value()) << "one write at a time";
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(written->error(), std::errc::operation_canceled);
    EXPECT_EQ(waiting->error(), tls_errc::write_interrupted);
    EXPECT_EQ((co_await client->finish_writing()).error(), tls_errc::write_interrupted);
}
TEST(TlsStreamTest, AWriteThatIsStoppedInsideARecordEndsWriting) {
    test::run_test(a_write_that_is_stopped_inside_a_record_ends_writing());
}

task<> a_write_that_is_stopped_in_the_queue_harms_nothing() {
    auto [client, server] = co_await make_pair(100);
    stop_source source;
    std::optional<result<void>> first;
    std::optional<result<void>> second;
    scope s;
    s.spawn(keep_result(write_text(*client, numbered(1'000)), first));
    s.spawn(with_stop(source, keep_result(write_text(*client, "never"), second)));
    co_await test::settle();
    source.request_stop();
    co_await test::settle();
    EXPECT_EQ(second->error(), std::errc::operation_canceled);
    EXPECT_EQ(co_await read_text(*server, 1'000), numbered(1'000));
    co_await s.join();
    EXPECT_TRUE(first->has_value());
    EXPECT_TRUE((co_await write_text(*client, "next")).has_value());
    EXPECT_EQ(co_await read_text(*server, 4), "next");
}
TEST(TlsStreamTest, AWriteThatIsStoppedInTheQueueHarmsNothing) {
    test::run_test(a_write_that_is_stopped_in_the_queue_harms_nothing());
}

task<> a_handshake_can_be_stopped() {
    auto [near, far] = test::make_memory_streams();
    stop_source source;
    std::optional<std::error_code> error;
    const auto connect = [](test::memory_stream lower,
                            std::optional<std::error_code>& into) -> task<> {
        const auto made = co_await tls::connect(std::move(lower),
                                                tls_context(test::client_options()), "example.org");
        into = made ? std::error_code() : made.error();
    };
    scope s;
    s.spawn(with_stop(source, connect(std::move(near), error)));
    co_await test::settle();
    EXPECT_FALSE(error.has_value());
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(*error, std::errc::operation_canceled);
}
TEST(TlsStreamTest, AHandshakeCanBeStopped) { test::run_test(a_handshake_can_be_stopped()); }

task<> an_address_and_a_protocol_are_agreed_on() {
    tls_options client = test::client_options();
    tls_options server = test::server_options();
    client.alpn = {"redis"};
    server.alpn = {"http/1.1", "redis"};
    auto [one, other] = co_await make_pair(client, server, "::1", 65'536, unbroken);
    EXPECT_EQ(one->alpn(), "redis");
    EXPECT_EQ(other->alpn(), "redis");
}
TEST(TlsStreamTest, AnAddressAndAProtocolAreAgreedOn) {
    test::run_test(an_address_and_a_protocol_are_agreed_on());
}

task<> an_empty_read_and_an_empty_write_do_nothing() {
    auto [client, server] = co_await make_pair();
    const std::size_t before = client->lower().out().total;
    EXPECT_EQ(co_await client->read_some(std::span<std::byte>()), 0U);
    EXPECT_TRUE((co_await client->write_all(std::span<const std::byte>())).has_value());
    EXPECT_EQ(client->lower().out().total, before);
}
TEST(TlsStreamTest, AnEmptyReadAndAnEmptyWriteDoNothing) {
    test::run_test(an_empty_read_and_an_empty_write_do_nothing());
}

}  // namespace
}  // namespace weir

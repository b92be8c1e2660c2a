// Clients and servers that speak TLS, or do not, with certificates of the test's own.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <weir/redisq/client.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/tls/context.hpp>
#include <weir/runtime/tls/errors.hpp>

#include "support/certificates.hpp"
#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

test::certificate_request server_request() {
    return test::certificate_request("server", "DNS:localhost,IP:127.0.0.1");
}

// A server on TLS with `own`; `clients` is what it asks of theirs: yes, no or optional.
test::redis_settings on_tls(const test::identity& own, const std::string& clients = "no") {
    return test::redis_settings()
        .on_tls()
        .file("ca.pem", test::trusted_authority().certificate())
        .file("server.pem", own.certificate)
        .file("server.key", own.key)
        .line("tls-ca-cert-file ca.pem")
        .line("tls-cert-file server.pem")
        .line("tls-key-file server.key")
        .line("tls-auth-clients " + clients);
}

client_options trusting(const std::string& url, const std::string& authority,
                        const test::identity& own = {}) {
    tls_options tls;
    tls.authorities = tls_pem::bytes(authority);
    if (!own.key.empty()) {
        tls.certificate_chain = tls_pem::bytes(own.certificate);
        tls.private_key = tls_pem::bytes(own.key);
    }
    client_options options(url);
    options.tls = std::make_shared<const tls_options>(std::move(tls));
    return options;
}

client_options trusting(const std::string& url) {
    return trusting(url, test::trusted_authority().certificate());
}

task<> exchange(client_options options) {
    client redis(std::move(options));
    EXPECT_TRUE(co_await redis.connect());
    const std::string big(300'000, 'b');
    EXPECT_TRUE(co_await redis.command<void>("SET", "big", big));
    EXPECT_EQ(co_await redis.command<std::string>("GET", "big"), big);
    co_await redis.close();
}

task<result<void>> try_once(client_options options) {
    options.connect_attempts = 1;
    client redis(std::move(options));
    co_return co_await redis.connect();
}

error refusal(client_options options) {
    const result<void> made = run(try_once(std::move(options)));
    EXPECT_FALSE(made);
    return made ? error(std::error_code()) : made.error();
}

TEST(TlsConnectionTest, CommandsAndRepliesTravelEncrypted) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server(on_tls(test::trusted_authority().issue(server_request())));
    run(exchange(trusting(server.tls_url())));
    run(exchange(trusting("rediss://127.0.0.1:" + std::to_string(server.port()))));
    // From files, as a URL names them.
    run(exchange(
        client_options(server.tls_url() + "?tls_authorities=" + server.folder().file("ca.pem"))));
    client_options by_name = trusting("rediss://127.0.0.1:" + std::to_string(server.port()));
    by_name.tls_server_name = "localhost";
    run(exchange(by_name));
}

TEST(TlsConnectionTest, AServerThatIsNotVouchedForIsRefused) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server(on_tls(test::trusted_authority().issue(server_request())));
    const test::authority stranger("somebody else");
    const error unknown = refusal(trusting(server.tls_url(), stranger.certificate()));
    EXPECT_TRUE(is_certificate_error(unknown.code())) << unknown.message();
    EXPECT_NE(unknown.message().find(server.tls_url()), std::string::npos) << unknown.message();
    // By the system's authorities, who know nothing of the test's.
    EXPECT_TRUE(is_certificate_error(refusal(client_options(server.tls_url())).code()));

    client_options other_name = trusting(server.tls_url());
    other_name.tls_server_name = "example.org";
    EXPECT_EQ(refusal(other_name).code(), tls_errc::host_name_mismatch);

    test::certificate_request old = server_request();
    old.begins_s = -7'200;
    old.ends_s = -3'600;
    const test::redis_server expired(on_tls(test::trusted_authority().issue(old)));
    EXPECT_EQ(refusal(trusting(expired.tls_url())).code(), tls_errc::certificate_expired);
}

TEST(TlsConnectionTest, AServerMayWantACertificateOfTheClient) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server(
        on_tls(test::trusted_authority().issue(server_request()), "yes"));
    run(exchange(trusting(server.tls_url(), test::trusted_authority().certificate(),
                          test::client_identity())));
    const error without = refusal(trusting(server.tls_url()));
    EXPECT_FALSE(without.message().empty());
    const test::authority stranger("somebody else");
    test::certificate_request request("client", "");
    request.purpose = "clientAuth";
    static_cast<void>(refusal(trusting(server.tls_url(), test::trusted_authority().certificate(),
                                       stranger.issue(request))));
}

TEST(TlsConnectionTest, TlsToAPlainPortAndTheReverseAreErrors) {
    WEIR_NEEDS_REDIS();
    const test::redis_server plain(test::redis_settings().on_tcp());
    client_options wrong = trusting("rediss://127.0.0.1:" + std::to_string(plain.port()));
    wrong.connect_timeout = 500ms;  // a server of plain text waits for the end of a line
    const error not_tls = refusal(wrong);
    EXPECT_EQ(not_tls, errc::connect_failed);
    EXPECT_NE(not_tls.message().find("speaks no TLS on this port, use redis://"), std::string::npos)
        << not_tls.message();
    const test::redis_server secret(on_tls(test::trusted_authority().issue(server_request())));
    const error not_plain =
        refusal(client_options("redis://127.0.0.1:" + std::to_string(secret.port())));
    EXPECT_EQ(not_plain, errc::connect_failed);
    EXPECT_NE(not_plain.message().find("speaks TLS on this port, use rediss://"), std::string::npos)
        << not_plain.message();
}

}  // namespace
}  // namespace weir::redisq

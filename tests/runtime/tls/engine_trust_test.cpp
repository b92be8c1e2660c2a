// Whom the engine trusts, and what it agrees on.
#include <gtest/gtest.h>

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

// What stops a connection of these two, on the client's side and on the server's.
std::pair<std::error_code, std::error_code> refusals(const tls_options& client,
                                                     const tls_options& server,
                                                     std::string_view name = "example.org") {
    endpoint one = make_client(client, name);
    endpoint other = make_server(server);
    exchange(one, other);
    return {one.error, other.error};
}

TEST(TlsEngineTrustTest, ChoosesTheServersFavouriteAmongCommonProtocols) {
    tls_options client = test::client_options();
    tls_options server = test::server_options();
    client.alpn = {"http/1.1", "h2"};
    server.alpn = {"h3", "h2", "http/1.1"};
    endpoint one = make_client(client);
    endpoint other = make_server(server);
    exchange(one, other);
    EXPECT_EQ(one.engine.alpn(), "h2");
    EXPECT_EQ(other.engine.alpn(), "h2");
    server.alpn = {"redis"};
    const auto [ours, theirs] = refusals(client, server);
    EXPECT_EQ(ours, tls_errc::alert_no_common_protocol);
    EXPECT_EQ(theirs, tls_errc::no_common_protocol);
    client.alpn = {};
    EXPECT_EQ(refusals(client, server).first, std::error_code());
}

TEST(TlsEngineTrustTest, VerifiesTheServersName) {
    const tls_options client = test::client_options();
    const tls_options server = test::server_options();
    for (const char* name :
         {"example.org", "EXAMPLE.org.", "a.example.net", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1"}) {
        EXPECT_EQ(refusals(client, server, name).first, std::error_code()) << name;
    }
    for (const char* name : {"example.com", "www.example.org", "a.b.example.net", "example.net"}) {
        const auto [ours, theirs] = refusals(client, server, name);
        EXPECT_EQ(ours, tls_errc::host_name_mismatch) << name;
        EXPECT_EQ(theirs, tls_errc::alert_bad_certificate) << name;
    }
    EXPECT_EQ(refusals(client, server, "127.0.0.2").first, tls_errc::ip_address_mismatch);
}

TEST(TlsEngineTrustTest, RefusesNamesThatAreNone) {
    const tls_context context(test::client_options());
    const std::string long_label(64, 'a');
    for (const std::string& name :
         {std::string(), std::string("."), std::string("a..b"), std::string("a.."),
          std::string(".a"), std::string("a b"), std::string("[::1]"), std::string("::1%eth0"),
          std::string("exam\0ple", 8), std::string("a:443"), long_label,
          std::string(300, 'a').replace(100, 1, ".")}) {
        const result<tls_engine> made = tls_engine::make_client(context, name);
        ASSERT_FALSE(made) << name;
        EXPECT_EQ(made.error(), tls_errc::invalid_server_name) << name;
    }
}

TEST(TlsEngineTrustTest, RefusesCertificatesAndSaysWhy) {
    const auto refused = [](const test::identity& own) {
        const auto [ours, theirs] = refusals(test::client_options(), test::server_options(own));
        EXPECT_TRUE(is_certificate_error(ours)) << ours.message();
        EXPECT_TRUE(is_tls_alert(theirs)) << theirs.message();
        return ours;
    };
    const test::authority& trusted = test::trusted_authority();
    test::certificate_request request("server");
    request.ends_s = -60;
    EXPECT_EQ(refused(trusted.issue(request)), tls_errc::certificate_expired);
    request.begins_s = 60;
    request.ends_s = 3'600;
    EXPECT_EQ(refused(trusted.issue(request)), tls_errc::certificate_not_yet_valid);
    request.begins_s = -60;
    EXPECT_EQ(refused(test::issue_self_signed(request)), tls_errc::certificate_self_signed);
    EXPECT_EQ(refused(test::authority("another").issue(request)), tls_errc::authority_unknown);
    request.purpose = "clientAuth";
    EXPECT_EQ(refused(trusted.issue(request)), tls_errc::certificate_wrong_purpose);
}

TEST(TlsEngineTrustTest, TheSystemsAuthoritiesDoNotKnowOurs) {
    EXPECT_EQ(refusals(tls_options(), test::server_options()).first, tls_errc::authority_unknown);
}

TEST(TlsEngineTrustTest, AcceptsEverythingWhereItIsToldNotToVerify) {
    tls_options options;
    options.verify_server = false;
    test::certificate_request request("nobody", "");
    request.ends_s = -60;
    const tls_options server = test::server_options(test::issue_self_signed(request));
    EXPECT_EQ(refusals(options, server, "").first, std::error_code());
    EXPECT_EQ(refusals(options, server, "example.org").first, std::error_code());
}

TEST(TlsEngineTrustTest, AServerAsksForCertificatesAsItIsTold) {
    tls_options server = test::server_options();
    server.authorities = tls_pem::bytes(test::trusted_authority().certificate());
    const tls_options bare = test::client_options();
    const tls_options known = test::with_identity(bare, test::client_identity());
    test::certificate_request request("client", "");
    request.purpose = "clientAuth";
    const tls_options stranger =
        test::with_identity(bare, test::authority("another").issue(request));

    server.client_certificates = tls_client_certificates::optional;
    EXPECT_EQ(refusals(bare, server).second, std::error_code());
    EXPECT_EQ(refusals(known, server).second, std::error_code());
    EXPECT_EQ(refusals(stranger, server).second, tls_errc::authority_unknown);

    server.client_certificates = tls_client_certificates::required;
    EXPECT_EQ(refusals(stranger, server).second, tls_errc::authority_unknown);
    const auto [ours, theirs] = refusals(bare, server);
    EXPECT_EQ(ours, tls_errc::alert_certificate_required);
    EXPECT_EQ(theirs, tls_errc::peer_certificate_missing);
    endpoint client = make_client(known);
    endpoint other = make_server(server);
    exchange(client, other);
    EXPECT_EQ(other.error, std::error_code());
    EXPECT_EQ(other.engine.peer_certificate_subject(), "CN=client");
}

}  // namespace
}  // namespace weir

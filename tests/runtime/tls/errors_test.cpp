#include <gtest/gtest.h>

#include <system_error>

#include <weir/runtime/tls/errors.hpp>

namespace weir {
namespace {

TEST(TlsErrorsTest, TheCategoryHasItsName) {
    const std::error_code error = tls_errc::truncated;
    EXPECT_STREQ(error.category().name(), "weir.tls");
    EXPECT_EQ(&error.category(), &tls_category());
}

TEST(TlsErrorsTest, MessagesNameTheReason) {
    const auto text = [](tls_errc code) { return make_error_code(code).message(); };
    EXPECT_NE(text(tls_errc::truncated).find("without the peer's close_notify"), std::string::npos);
    EXPECT_NE(text(tls_errc::not_tls).find("plain text"), std::string::npos);
    EXPECT_EQ(text(tls_errc::certificate_expired),
              "the peer's certificate is refused: certificate has expired");
    EXPECT_NE(text(tls_errc::host_name_mismatch).find("mismatch"), std::string::npos);
    EXPECT_NE(text(tls_errc::certificate_self_signed).find("self-signed"), std::string::npos);
    EXPECT_EQ(text(tls_errc::alert_unknown_authority),
              "the peer ended the connection: tlsv1 alert unknown ca");
    EXPECT_EQ(text(tls_errc::peer_certificate_missing),
              "TLS failed: peer did not return a certificate");
}

TEST(TlsErrorsTest, EveryOwnValueHasAMessage) {
    for (int value = 1; value <= static_cast<int>(tls_errc::protocol_error); ++value) {
        EXPECT_EQ(tls_category().message(value).find("unknown"), std::string::npos) << value;
    }
    EXPECT_EQ(tls_category().message(0), "unknown TLS error 0");
    EXPECT_EQ(tls_category().message(-1), "unknown TLS error -1");
    EXPECT_EQ(tls_category().message(24'000), "TLS failed: reason 4000");
}

TEST(TlsErrorsTest, CertificateErrorsAreToldApart) {
    EXPECT_TRUE(is_certificate_error(tls_errc::certificate_expired));
    EXPECT_TRUE(is_certificate_error(tls_errc::ip_address_mismatch));
    EXPECT_TRUE(is_certificate_error(tls_errc::peer_certificate_missing));
    EXPECT_FALSE(is_certificate_error(tls_errc::truncated));
    EXPECT_FALSE(is_certificate_error(tls_errc::alert_bad_certificate));
    EXPECT_FALSE(is_certificate_error(std::error_code(10'010, std::system_category())));
}

TEST(TlsErrorsTest, AlertsAreToldApart) {
    EXPECT_TRUE(is_tls_alert(tls_errc::alert_unknown_authority));
    EXPECT_FALSE(is_tls_alert(tls_errc::no_common_protocol));
    EXPECT_FALSE(is_tls_alert(std::error_code(21'048, std::system_category())));
}

}  // namespace
}  // namespace weir

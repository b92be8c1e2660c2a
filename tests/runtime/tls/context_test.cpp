#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <system_error>
#include <utility>

#include <weir/runtime/tls/context.hpp>

#include "support/certificates.hpp"

namespace weir {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// What the constructor says; empty where it accepts.
std::string refusal(const tls_options& options) {
    try {
        const tls_context context(options);
    } catch (const tls_configuration_error& error) {
        return error.what();
    }
    return {};
}

// A file that is gone at the end of the test.
class temporary_file {
  public:
    explicit temporary_file(const std::string& text) {
        const int fd = ::mkstemp(path_);
        if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
            throw std::system_error(errno, std::system_category(), "mkstemp");
        }
        ::close(fd);
    }
    ~temporary_file() { ::unlink(path_); }
    [[nodiscard]] std::string path() const { return path_; }

  private:
    char path_[32] = "/tmp/weir_tls_test_XXXXXX";
};

TEST(TlsContextTest, AClientNeedsNothing) {
    const tls_context context{tls_options()};
    EXPECT_EQ(context.role(), tls_role::client);
}

TEST(TlsContextTest, CopiesShareOneState) {
    const tls_context context(test::server_options());
    const tls_context copy = context;
    EXPECT_EQ(copy.role(), tls_role::server);
    EXPECT_EQ(&copy.state(), &context.state());
}

TEST(TlsContextTest, FilesAreReadAsBytesAre) {
    const temporary_file certificate(test::server_identity().certificate);
    const temporary_file key(test::server_identity().key);
    const temporary_file authorities(test::trusted_authority().certificate());
    tls_options options = test::server_options();
    options.certificate_chain = tls_pem::file(certificate.path());
    options.private_key = tls_pem::file(key.path());
    options.authorities = tls_pem::file(authorities.path());
    options.client_certificates = tls_client_certificates::required;
    EXPECT_EQ(refusal(options), "");
}

TEST(TlsContextTest, AChainMayHaveSeveralCertificates) {
    tls_options options = test::server_options();
    options.certificate_chain = tls_pem::bytes(test::server_identity().certificate + "comment\n" +
                                               test::trusted_authority().certificate());
    EXPECT_EQ(refusal(options), "");
}

TEST(TlsContextTest, AnEncryptedKeyNeedsItsPassphrase) {
    tls_options options = test::server_options();
    options.private_key =
        tls_pem::bytes(test::encrypt_key(test::server_identity(), "correct horse"));
    EXPECT_THAT(refusal(options), AllOf(HasSubstr("private_key"), HasSubstr("is encrypted")));
    options.private_key_passphrase = "wrong horse";
    EXPECT_THAT(refusal(options),
                AllOf(HasSubstr("private_key_passphrase"), Not(HasSubstr("horse"))));
    options.private_key_passphrase = std::string(5'000, 'x');
    EXPECT_THAT(refusal(options), HasSubstr("private_key_passphrase"));
    options.private_key_passphrase = "correct horse";
    EXPECT_EQ(refusal(options), "");
}

TEST(TlsContextTest, AMissingFileIsNamed) {
    tls_options options;
    options.authorities = tls_pem::file("/nowhere/ca.pem");
    EXPECT_EQ(refusal(options),
              "tls_context: authorities (file '/nowhere/ca.pem'): No such file or directory");
    options.authorities = tls_pem::file("/tmp");
    EXPECT_EQ(refusal(options), "tls_context: authorities (file '/tmp'): Is a directory");
}

TEST(TlsContextTest, TextThatIsNoPemIsRefused) {
    tls_options options;
    options.authorities = tls_pem::bytes("");
    EXPECT_EQ(refusal(options), "tls_context: authorities: is empty");
    options.authorities = tls_pem::bytes("hello");
    EXPECT_EQ(refusal(options), "tls_context: authorities: holds no certificate in PEM form");
    options.authorities = tls_pem::bytes(std::string((16U << 20) + 1, ' '));
    EXPECT_EQ(refusal(options), "tls_context: authorities: is larger than 16777216 bytes");
    std::string damaged = test::trusted_authority().certificate();
    damaged.replace(40, 4, "!!!!");
    options.authorities = tls_pem::bytes(test::trusted_authority().certificate() + damaged);
    EXPECT_THAT(refusal(options),
                HasSubstr("tls_context: authorities: certificate 2 cannot be read: "));
}

TEST(TlsContextTest, AnEndlessFileIsRefused) {
    tls_options options;
    options.authorities = tls_pem::file("/dev/zero");
    EXPECT_THAT(refusal(options), HasSubstr("(file '/dev/zero'): is larger than"));
}

TEST(TlsContextTest, ErrorsHoldNothingOfTheKey) {
    tls_options options = test::server_options();
    options.private_key = tls_pem::bytes("secret text");
    EXPECT_THAT(refusal(options),
                AllOf(HasSubstr("private_key: holds no private key"), Not(HasSubstr("secret"))));
}

TEST(TlsContextTest, AKeyBelongsToItsCertificate) {
    tls_options options = test::server_options();
    options.private_key = tls_pem::bytes(test::client_identity().key);
    EXPECT_THAT(refusal(options),
                HasSubstr("tls_context: private_key: does not belong to certificate_chain: "));
}

TEST(TlsContextTest, CombinationsThatMeanNothingAreRefused) {
    const auto refused = [](tls_options options, const std::function<void(tls_options&)>& change) {
        change(options);
        return refusal(options);
    };
    EXPECT_THAT(refused({}, [](tls_options& o) { o.role = tls_role::server; }),
                HasSubstr("a server needs certificate_chain"));
    EXPECT_THAT(refused(test::server_options(), [](tls_options& o) { o.private_key = {}; }),
                HasSubstr("certificate_chain is given without private_key"));
    EXPECT_THAT(refused(test::server_options(), [](tls_options& o) { o.certificate_chain = {}; }),
                HasSubstr("private_key is given without certificate_chain"));
    const auto ask = [](tls_options& o) {
        o.client_certificates = tls_client_certificates::optional;
    };
    EXPECT_THAT(refused({}, ask), HasSubstr("client_certificates is a server's option"));
    EXPECT_THAT(refused(test::server_options(), ask), HasSubstr("needs authorities"));
}

TEST(TlsContextTest, AlpnEntriesHaveLimits) {
    tls_options options;
    options.alpn = {std::string(255, 'a')};
    EXPECT_EQ(refusal(options), "");
    options.alpn = {"h2", ""};
    EXPECT_EQ(refusal(options), "tls_context: an entry of alpn has 0 bytes, allowed: 1 to 255");
    options.alpn = {std::string(256, 'a')};
    EXPECT_EQ(refusal(options), "tls_context: an entry of alpn has 256 bytes, allowed: 1 to 255");
    options.alpn.assign(256, std::string(255, 'a'));
    EXPECT_THAT(refusal(options), HasSubstr("alpn has 65536 bytes"));
}

}  // namespace
}  // namespace weir

// Certificates made by the tests: an authority, and what it issues.
//
//     const authority trusted("test authority");
//     const identity server = trusted.issue(certificate_request("server", "DNS:example.org"));
//
// Thread: any.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <weir/runtime/tls/context.hpp>

namespace weir::test {

// PEM texts.
struct identity {
    std::string certificate;
    std::string key;
};

struct certificate_request {
    explicit certificate_request(std::string common_name, std::string names = "DNS:example.org")
        : subject(std::move(common_name)), alternative_names(std::move(names)) {}

    std::string subject;
    std::string alternative_names;  // "DNS:a,IP:::1"; empty: none
    std::string purpose = "serverAuth";
    long begins_s = -3'600;  // from now
    long ends_s = 3'600;
};

class authority {
  public:
    explicit authority(const std::string& name);
    ~authority();

    [[nodiscard]] const std::string& certificate() const noexcept { return certificate_; }
    [[nodiscard]] identity issue(const certificate_request& request) const;

  private:
    struct parts;
    std::unique_ptr<parts> parts_;
    std::string certificate_;
};

// Vouches for itself.
[[nodiscard]] identity issue_self_signed(const certificate_request& request);

// The key again, encrypted.
[[nodiscard]] std::string encrypt_key(const identity& owner, const std::string& passphrase);

// One for the whole program, made at its first use.
[[nodiscard]] const authority& trusted_authority();
[[nodiscard]] const identity& server_identity();  // example.org, 127.0.0.1, ::1
[[nodiscard]] const identity& client_identity();  // CN=client

// A server with `own`; a client that trusts trusted_authority().
[[nodiscard]] tls_options server_options(const identity& own = server_identity());
[[nodiscard]] tls_options client_options();
[[nodiscard]] tls_options with_identity(tls_options options, const identity& own);

}  // namespace weir::test

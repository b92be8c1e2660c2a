#include "support/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace weir::test {
namespace {

template <auto Free>
struct freed {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using bio_owner = std::unique_ptr<BIO, freed<&BIO_free_all>>;
using certificate_owner = std::unique_ptr<X509, freed<&X509_free>>;
using key_owner = std::unique_ptr<EVP_PKEY, freed<&EVP_PKEY_free>>;
using extension_owner = std::unique_ptr<X509_EXTENSION, freed<&X509_EXTENSION_free>>;

void must(bool done) {
    if (!done) {
        throw std::runtime_error("OpenSSL refused to make a certificate");
    }
}

std::string text_of(BIO& bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(&bio, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

template <class Write>
std::string pem(Write write) {
    const bio_owner bio(BIO_new(BIO_s_mem()));
    must(bio != nullptr && write(bio.get()) == 1);
    return text_of(*bio);
}

std::string pem_of(X509& certificate) {
    return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, &certificate); });
}

std::string pem_of(EVP_PKEY& key) {
    return pem([&](BIO* bio) {
        return PEM_write_bio_PrivateKey(bio, &key, nullptr, nullptr, 0, nullptr, nullptr);
    });
}

key_owner make_key() {
    key_owner key(EVP_EC_gen("P-256"));
    must(key != nullptr);
    return key;
}

void add_extension(X509& certificate, X509& issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const extension_owner extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    must(extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1);
}

void set_name(X509& certificate, const std::string& name) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(name.c_str());
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(&certificate), "CN", MBSTRING_UTF8, bytes,
                                    -1, -1, 0) == 1);
}

certificate_owner begin_certificate(const certificate_request& request, EVP_PKEY& key) {
    static std::atomic<long> serial{1};
    certificate_owner made(X509_new());
    must(made != nullptr && X509_set_version(made.get(), X509_VERSION_3) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++) == 1);
    must(X509_gmtime_adj(X509_getm_notBefore(made.get()), request.begins_s) != nullptr);
    must(X509_gmtime_adj(X509_getm_notAfter(made.get()), request.ends_s) != nullptr);
    must(X509_set_pubkey(made.get(), &key) == 1);
    set_name(*made, request.subject);
    return made;
}

void finish_certificate(X509& made, const certificate_request& request, X509& issuer,
                        EVP_PKEY& issuer_key) {
    must(X509_set_issuer_name(&made, X509_get_subject_name(&issuer)) == 1);
    add_extension(made, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(made, issuer, NID_ext_key_usage, request.purpose);
    if (!request.alternative_names.empty()) {
        add_extension(made, issuer, NID_subject_alt_name, request.alternative_names);
    }
    must(X509_sign(&made, &issuer_key, EVP_sha256()) != 0);
}

}  // namespace

struct authority::parts {
    key_owner key;
    certificate_owner certificate;
};

authority::authority(const std::string& name) : parts_(std::make_unique<parts>()) {
    parts_->key = make_key();
    const certificate_request request(name);
    parts_->certificate = begin_certificate(request, *parts_->key);
    X509& own = *parts_->certificate;
    must(X509_set_issuer_name(&own, X509_get_subject_name(&own)) == 1);
    add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
    must(X509_sign(&own, parts_->key.get(), EVP_sha256()) != 0);
    certificate_ = pem_of(own);
}

authority::~authority() = default;

identity authority::issue(const certificate_request& request) const {
    const key_owner key = make_key();
    const certificate_owner made = begin_certificate(request, *key);
    finish_certificate(*made, request, *parts_->certificate, *parts_->key);
    return {pem_of(*made), pem_of(*key)};
}

identity issue_self_signed(const certificate_request& request) {
    const key_owner key = make_key();
    const certificate_owner made = begin_certificate(request, *key);
    finish_certificate(*made, request, *made, *key);
    return {pem_of(*made), pem_of(*key)};
}

std::string encrypt_key(const identity& owner, const std::string& passphrase) {
    const bio_owner source(BIO_new_mem_buf(owner.key.data(), static_cast<int>(owner.key.size())));
    const key_owner key(PEM_read_bio_PrivateKey(source.get(), nullptr, nullptr, nullptr));
    must(key != nullptr);
    return pem([&](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), EVP_aes_256_cbc(), passphrase.data(),
                                             static_cast<int>(passphrase.size()), nullptr, nullptr);
    });
}

const authority& trusted_authority() {
    static const authority made("test authority");
    return made;
}

const identity& server_identity() {
    static const identity made = trusted_authority().issue(
        certificate_request("server", "DNS:example.org,DNS:*.example.net,IP:127.0.0.1,IP:::1"));
    return made;
}

const identity& client_identity() {
    static const identity made = [] {
        certificate_request request("client", "");
        request.purpose = "clientAuth";
        return trusted_authority().issue(request);
    }();
    return made;
}

tls_options with_identity(tls_options options, const identity& own) {
    options.certificate_chain = tls_pem::bytes(own.certificate);
    options.private_key = tls_pem::bytes(own.key);
    return options;
}

tls_options server_options(const identity& own) {
    tls_options options;
    options.role = tls_role::server;
    return with_identity(std::move(options), own);
}

tls_options client_options() {
    tls_options options;
    options.authorities = tls_pem::bytes(trusted_authority().certificate());
    return options;
}

}  // namespace weir::test

#include "detail/server_name.hpp"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>

namespace weir::detail {
namespace {

bool is_ip_address(const std::string& name) noexcept {
    unsigned char address[sizeof(in6_addr)];
    return ::inet_pton(AF_INET, name.c_str(), address) == 1 ||
           ::inet_pton(AF_INET6, name.c_str(), address) == 1;
}

bool is_label(std::string_view label) noexcept {
    constexpr std::size_t label_max = 63;
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    };
    return !label.empty() && label.size() <= label_max && std::ranges::all_of(label, allowed);
}

bool is_host_name(std::string_view name) noexcept {
    constexpr std::size_t name_max = 253;
    if (name.size() > name_max) {
        return false;
    }
    for (;;) {
        const std::size_t dot = name.find('.');
        if (!is_label(name.substr(0, dot))) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        name.remove_prefix(dot + 1);
    }
}

void must_succeed(long outcome) {
    if (outcome != 1) {
        // The name was looked at before, so nothing else can be wrong.
        throw std::bad_alloc();
    }
}

}  // namespace

bool set_server_name(SSL& ssl, std::string_view name, bool verified) {
    if (name.empty()) {
        return !verified;
    }
    // inet_pton reads up to a NUL.
    if (name.find('\0') != std::string_view::npos) {
        return false;
    }
    X509_VERIFY_PARAM* const rules = SSL_get0_param(&ssl);
    std::string text(name);
    if (is_ip_address(text)) {
        must_succeed(X509_VERIFY_PARAM_set1_ip_asc(rules, text.c_str()));
        return true;
    }
    // A trailing dot says that the name is complete; certificates and SNI have none.
    if (text.back() == '.') {
        text.pop_back();
    }
    if (!is_host_name(text)) {
        return false;
    }
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    must_succeed(X509_VERIFY_PARAM_set1_host(rules, text.c_str(), text.size()));
    must_succeed(SSL_set_tlsext_host_name(&ssl, text.c_str()));
    return true;
}

std::string subject_of(const X509& certificate) {
    const bio_owner text(BIO_new(BIO_s_mem()));
    if (text == nullptr) {
        throw std::bad_alloc();
    }
    X509_NAME_print_ex(text.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(text.get(), &bytes);
    return {bytes, static_cast<std::size_t>(std::max(size, 0L))};
}

}  // namespace weir::detail

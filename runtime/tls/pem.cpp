#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

#include "detail/pem.hpp"

namespace weir::detail {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& why) {
    throw tls_configuration_error(what + ": " + why);
}

// Text that may be a key: wiped when it dies.
class pem_text {
  public:
    pem_text(const char* option, const tls_pem& source) : what_(describe(option, source)) {
        if (source.is_file()) {
            read_file(source.value());
        } else {
            check_size(source.value().size());
            text_.assign(source.value().begin(), source.value().end());
        }
        if (text_.empty()) {
            refuse(what_, "is empty");
        }
    }
    pem_text(const pem_text&) = delete;
    pem_text& operator=(const pem_text&) = delete;
    ~pem_text() { OPENSSL_cleanse(text_.data(), text_.size()); }

    [[nodiscard]] const std::string& what() const noexcept { return what_; }

    // Reads from this object.
    [[nodiscard]] bio_owner open() const {
        bio_owner bio(BIO_new_mem_buf(text_.data(), static_cast<int>(text_.size())));
        if (bio == nullptr) {
            throw std::bad_alloc();
        }
        return bio;
    }

  private:
    struct close_file {
        void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
    };

    void check_size(std::size_t size) const {
        if (size > pem_bytes_max) {
            refuse(what_, "is larger than " + std::to_string(pem_bytes_max) + " bytes");
        }
    }

    void read_file(const std::string& path) {
        const std::unique_ptr<std::FILE, close_file> file(std::fopen(path.c_str(), "rbe"));
        if (file == nullptr) {
            refuse(what_, std::generic_category().message(errno));
        }
        // Unbuffered: no copy is left behind in the C library.
        static_cast<void>(std::setvbuf(file.get(), nullptr, _IONBF, 0));
        constexpr std::size_t step = 65'536;
        std::size_t size = 0;
        for (std::size_t got = 1; got != 0; size += got) {
            check_size(size);
            grow(size + step);
            got = std::fread(text_.data() + size, 1, step, file.get());
        }
        if (std::ferror(file.get()) != 0) {
            refuse(what_, std::generic_category().message(errno));
        }
        check_size(size);
        text_.resize(size);
    }

    // As vector::resize, but wipes what it leaves.
    void grow(std::size_t size) {
        if (size <= text_.size()) {
            return;
        }
        std::vector<char> larger(std::max(size, 2 * text_.size()));
        std::copy(text_.begin(), text_.end(), larger.begin());
        OPENSSL_cleanse(text_.data(), text_.size());
        text_ = std::move(larger);
    }

    std::string what_;
    std::vector<char> text_;
};

// What the callbacks below are given.
struct passphrase_request {
    std::string_view passphrase;
    bool asked = false;
};

// Never asks a terminal, as OpenSSL would without it.
int give_passphrase(char* into, int size, int /*for_writing*/, void* request) noexcept {
    auto& asked = *static_cast<passphrase_request*>(request);
    asked.asked = true;
    const std::string_view text = asked.passphrase;
    if (text.empty() || text.size() > static_cast<std::size_t>(size)) {
        return -1;
    }
    std::copy(text.begin(), text.end(), into);
    return static_cast<int>(text.size());
}

}  // namespace

void throw_openssl_error(const std::string& what) {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* const reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    refuse(what, reason != nullptr ? reason : "OpenSSL gives no reason");
}

std::string describe(const char* option, const tls_pem& source) {
    std::string text = std::string("tls_context: ") + option;
    if (source.is_file()) {
        text += " (file '" + source.value() + "')";
    }
    return text;
}

std::vector<certificate_owner> load_certificates(const char* option, const tls_pem& source) {
    const pem_text text(option, source);
    const bio_owner bio = text.open();
    std::vector<certificate_owner> certificates;
    passphrase_request none;
    ERR_clear_error();
    while (X509* const next = PEM_read_bio_X509_AUX(bio.get(), nullptr, &give_passphrase, &none)) {
        certificates.emplace_back(next);
    }
    // The end of the text is reported as a PEM block that does not begin.
    const unsigned long last = ERR_peek_last_error();
    const bool at_end =
        ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    if (!at_end) {
        throw_openssl_error(text.what() + ": certificate " +
                            std::to_string(certificates.size() + 1) + " cannot be read");
    }
    ERR_clear_error();
    if (certificates.empty()) {
        refuse(text.what(), "holds no certificate in PEM form");
    }
    return certificates;
}

key_owner load_private_key(const tls_pem& source, const std::string& passphrase) {
    const pem_text text("private_key", source);
    const bio_owner bio = text.open();
    passphrase_request request;
    request.passphrase = passphrase;
    ERR_clear_error();
    key_owner key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &give_passphrase, &request));
    if (key == nullptr) {
        if (request.asked && passphrase.empty()) {
            ERR_clear_error();
            refuse(text.what(), "is encrypted, and private_key_passphrase is empty");
        }
        throw_openssl_error(text.what() + (request.asked
                                               ? ": private_key_passphrase does not open it"
                                               : ": holds no private key in PEM form"));
    }
    ERR_clear_error();
    return key;
}

}  // namespace weir::detail

#include "errors.hpp"

#include <string>

namespace weir {
namespace {

class net_error_category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "weir.net"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<net_errc>(value)) {
            case net_errc::bad_address:
                return "not an address; allowed are 1.2.3.4:80, [::1]:80, [fe80::1%eth0]:80, "
                       "unix:/path and unix:@name";
            case net_errc::bad_port:
                return "the port is missing or not a number from 0 to 65535; allowed are "
                       "1.2.3.4:80 and [::1]:80";
            case net_errc::path_too_long:
                return "the path or name of a Unix socket has more than 107 bytes";
            case net_errc::bad_host_name:
                return "a host name has 1 to 253 bytes and no NUL";
            case net_errc::host_not_found:
                return "the host is unknown, or has no address of the family";
            case net_errc::service_not_found:
                return "the service is neither a port from 0 to 65535 nor a known name";
            case net_errc::name_server_failure:
                return "the name server could not be asked, or failed";
            case net_errc::resolver_timeout:
                return "the name was not resolved in time";
            case net_errc::resolver_busy:
                return "as many names are being resolved as are allowed";
            case net_errc::line_too_long:
                return "no delimiter came within the limit";
            case net_errc::unexpected_end:
                return "the stream ended before all that was wanted had come";
            case net_errc::end_of_stream:
                return "the stream has ended";
        }
        return "unknown network error " + std::to_string(value);
    }

    [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
        switch (static_cast<net_errc>(value)) {
            case net_errc::bad_address:
            case net_errc::bad_port:
            case net_errc::bad_host_name:
                return std::errc::invalid_argument;
            case net_errc::path_too_long:
                return std::errc::filename_too_long;
            case net_errc::resolver_timeout:
                return std::errc::timed_out;
            case net_errc::resolver_busy:
                return std::errc::resource_unavailable_try_again;
            case net_errc::line_too_long:
                return std::errc::message_size;
            default:
                return {value, *this};
        }
    }
};

}  // namespace

const std::error_category& net_category() noexcept {
    static const net_error_category category;
    return category;
}

std::error_code make_error_code(net_errc code) noexcept {
    return {static_cast<int>(code), net_category()};
}

}  // namespace weir

#include "resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "detail/lookup_pool.hpp"

namespace weir {
namespace detail {
namespace {

constexpr std::size_t host_length_max = 253;

bool is_host_name(std::string_view host) noexcept {
    return !host.empty() && host.size() <= host_length_max && !host.contains('\0');
}

bool is_digit(char character) noexcept { return character >= '0' && character <= '9'; }

// What getaddrinfo(3) takes for a number by mistake, such as " 80", "-1" and "70000", is neither a
// port nor a name.
bool is_service(std::string_view service) noexcept {
    if (std::ranges::all_of(service, is_digit)) {
        std::uint16_t port = 0;
        const char* const end = service.data() + service.size();
        return std::from_chars(service.data(), end, port).ec == std::errc();
    }
    const char first = service.front();
    return first > ' ' && first != '+' && first != '-' && !service.contains('\0');
}

int system_family(address_family family) noexcept {
    if (family == address_family::ipv4) {
        return AF_INET;
    }
    return family == address_family::ipv6 ? AF_INET6 : AF_UNSPEC;
}

struct addresses_of_system {
    int code = 0;          // EAI_*, or 0
    int system_error = 0;  // errno, for EAI_SYSTEM
    addrinfo* first = nullptr;

    addresses_of_system(const lookup_question& question, int flags) noexcept {
        addrinfo hints{};
        hints.ai_family = system_family(question.family);
        hints.ai_socktype = SOCK_STREAM;  // otherwise each address comes once for each type
        hints.ai_flags = flags;
        errno = 0;
        code = getaddrinfo(question.host.c_str(), question.service.c_str(), &hints, &first);
        system_error = errno;
    }
    addresses_of_system(const addresses_of_system&) = delete;
    addresses_of_system& operator=(const addresses_of_system&) = delete;
    ~addresses_of_system() {
        if (first != nullptr) {
            freeaddrinfo(first);
        }
    }

    [[nodiscard]] lookup_answer answer() const {
        if (code != 0) {
            return std::unexpected(lookup_error(code, system_error));
        }
        std::vector<socket_address> addresses;
        for (const addrinfo* at = first; at != nullptr; at = at->ai_next) {
            addresses.push_back(socket_address::from_raw(at->ai_addr, at->ai_addrlen));
        }
        return addresses;
    }
};

// Nothing where a name has to be asked for. Neither waits nor reads a file.
std::optional<lookup_answer> read_numbers(const lookup_question& question) {
    if (!std::ranges::all_of(question.service, is_digit)) {
        return std::nullopt;
    }
    const addresses_of_system found(question, AI_NUMERICHOST | AI_NUMERICSERV);
    if (found.code == EAI_NONAME) {
        return std::nullopt;
    }
    return found.answer();
}

}  // namespace

std::error_code lookup_error(int code, int system_error) noexcept {
    switch (code) {
        case EAI_NONAME:
        case EAI_NODATA:
        case EAI_ADDRFAMILY:
            return make_error_code(net_errc::host_not_found);
        case EAI_SERVICE:
            return make_error_code(net_errc::service_not_found);
        case EAI_MEMORY:
            return std::make_error_code(std::errc::not_enough_memory);
        case EAI_FAMILY:
            return std::make_error_code(std::errc::address_family_not_supported);
        case EAI_SYSTEM:
            if (system_error != 0) {
                return {system_error, std::system_category()};
            }
            break;
        default:  // EAI_AGAIN, EAI_FAIL
            break;
    }
    return make_error_code(net_errc::name_server_failure);
}

lookup_answer ask_system(const lookup_question& question) noexcept {
    try {
        return addresses_of_system(question, 0).answer();
    } catch (const std::bad_alloc&) {
        return std::unexpected(std::make_error_code(std::errc::not_enough_memory));
    }
}

lookup_awaiter::lookup_awaiter(std::shared_ptr<lookup_pool> pool, lookup_question question,
                               duration timeout)
    : timer_node(&expire),
      pool_(std::move(pool)),
      lookup_(std::make_shared<lookup>(std::move(question), *this)),
      timeout_(timeout) {}

bool lookup_awaiter::begin(context& task, std::coroutine_handle<> resume) noexcept {
    static constexpr wait_kind kind{"name lookup", &cancel};
    if (task.stop_requested()) [[unlikely]] {
        error_ = std::make_error_code(std::errc::operation_canceled);
        return false;
    }
    lookup_->loop = &static_cast<event_loop&>(task.loop());
    suspend(task, resume, kind);
    error_ = pool_->submit(lookup_);
    if (error_) {
        task.end_wait();
        return false;
    }
    if (timeout_ != duration::max()) {
        task.loop().arm(*this, saturating_add(task.loop().now(), timeout_));
    }
    return true;
}

void lookup_awaiter::arrive() noexcept {
    {
        const std::scoped_lock post_has_returned(lookup_->mutex);
    }
    owner->loop().disarm(*this);
    lookup_->asker = nullptr;
    wake();
}

// A stop or the timeout came first.
void lookup_awaiter::leave(std::error_code why) noexcept {
    pool_->withdraw(*lookup_);
    {
        const std::scoped_lock no_post_from_now_on(lookup_->mutex);
        lookup_->loop = nullptr;
    }
    owner->loop().disarm(*this);
    lookup_->asker = nullptr;
    error_ = why;
    wake();
}

void lookup_awaiter::cancel(waiter& self) noexcept {
    static_cast<lookup_awaiter&>(self).leave(std::make_error_code(std::errc::operation_canceled));
}

void lookup_awaiter::expire(timer_node& timer) noexcept {
    static_cast<lookup_awaiter&>(timer).leave(make_error_code(net_errc::resolver_timeout));
}

lookup_answer lookup_awaiter::await_resume() {
    if (error_) {
        return std::unexpected(error_);
    }
    return std::move(lookup_->answer);
}

task<lookup_answer> resolve_on(std::shared_ptr<lookup_pool> pool, std::string host,
                               std::string service, resolve_options options) {
    if (!is_host_name(host)) {
        co_return std::unexpected(make_error_code(net_errc::bad_host_name));
    }
    if (!is_service(service)) {
        co_return std::unexpected(make_error_code(net_errc::service_not_found));
    }
    if (options.family == address_family::unix_domain) {
        co_return std::unexpected(std::make_error_code(std::errc::address_family_not_supported));
    }
    lookup_question question{
        .host = std::move(host), .service = std::move(service), .family = options.family};
    if (std::optional<lookup_answer> known = read_numbers(question)) {
        co_return std::move(*known);
    }
    lookup_awaiter answer(std::move(pool), std::move(question), options.timeout);
    co_return co_await answer;
}

}  // namespace detail

task<result<std::vector<socket_address>>> resolve(std::string host, std::string service,
                                                  resolve_options options) {
    return detail::resolve_on(detail::default_lookup_pool(), std::move(host), std::move(service),
                              options);
}

task<result<std::vector<socket_address>>> resolve(std::string host, std::uint16_t port,
                                                  resolve_options options) {
    return resolve(std::move(host), std::to_string(port), options);
}

}  // namespace weir

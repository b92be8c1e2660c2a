#include "datagram_receiver.hpp"

#include <fcntl.h>

#include <bit>
#include <cerrno>

namespace weir {
namespace {

constexpr std::uint32_t buffers_max = 32'768;
constexpr std::uint32_t datagram_size_max = 65'535;

}  // namespace

result<datagram_receiver> datagram_receiver::open(const datagram_socket& socket,
                                                  const datagram_receiver_options& options) {
    if (options.buffers == 0 || options.buffers > buffers_max || options.size_max == 0 ||
        options.size_max > datagram_size_max) {
        return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    scheduler* const loop = scheduler::current();
    WEIR_ASSERT(loop != nullptr, "a datagram_receiver is opened inside a running task");
    file_descriptor own(::fcntl(socket.fd(), F_DUPFD_CLOEXEC, 0));
    if (!own) {
        return std::unexpected(std::error_code(errno, std::system_category()));
    }
    datagram_receiver opened(new detail::datagram_core(
        *loop, std::move(own), std::bit_ceil(options.buffers), options.size_max));
    if (const std::error_code refused = opened.core_->provide_buffers()) {
        return std::unexpected(refused);
    }
    return opened;
}

}  // namespace weir

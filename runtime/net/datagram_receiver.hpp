// datagram_receiver: the datagrams of a busy socket, in buffers of its own, with one request to the
// kernel for many of them.
//
//     weir::result<weir::datagram_receiver> opened = weir::datagram_receiver::open(socket);
//     weir::datagram_receiver& in = opened.value();
//     const weir::result<weir::received_datagram> first = co_await in.receive();
//     if (first) { use(first->bytes().size(), first->from()); }
//
// Where the driver has multishot receives (io_features::receive_multishot, recvmsg multishot of
// Linux 6.0), a datagram that has come costs no request and no copy; elsewhere each is a receive of
// its own. A datagram is the caller's until its received_datagram is destroyed; its buffer then
// goes back. While all buffers are held, the others wait in the socket's own buffer, and the kernel
// drops what does not fit there.
//
// Datagrams go to those who wait in the order in which they came. Whoever is stopped gets
// std::errc::operation_canceled, and takes none. What had come to the receiver and was not asked
// for is lost with it: one receiver a socket, for as long as the socket is read.
//
// Errors: as with datagram_socket; one of an earlier datagram (connection_refused) is returned
// once. Lifetime: outlives the tasks that wait (asserted), and goes before its loop's run()
// returns; the socket may be closed before, and datagrams outlive the receiver, but not the loop.
// Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "../task.hpp"
#include "datagram.hpp"
#include "detail/datagram_core.hpp"

namespace weir {

struct datagram_receiver_options {
    // Datagrams at a time that are held or wait to be asked for, 1 to 32,768; rounded up to a power
    // of two.
    std::uint32_t buffers = 64;
    // Bytes of the largest datagram, 1 to 65,535; a larger one is cut.
    std::uint32_t size_max = 2'048;
};

// A datagram in a buffer that is the owner's.
class received_datagram {
  public:
    received_datagram(received_datagram&& other) noexcept
        : core_(std::exchange(other.core_, nullptr)), buffer_(other.buffer_) {}
    received_datagram& operator=(received_datagram&& other) noexcept {
        std::swap(core_, other.core_);
        std::swap(buffer_, other.buffer_);
        return *this;
    }
    ~received_datagram() {
        if (core_ != nullptr) {
            core_->give_back(buffer_);
        }
    }

    // 0 bytes or more. These three: not after it was moved from.
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return core_->payload(buffer_); }
    // unspecified where the sender has no name (Unix).
    [[nodiscard]] socket_address from() const noexcept { return core_->sender(buffer_); }
    // It had more than size_max bytes.
    [[nodiscard]] bool truncated() const noexcept { return core_->was_truncated(buffer_); }

  private:
    friend class received_datagram_awaiter;

    received_datagram(detail::datagram_core& core, std::uint16_t buffer) noexcept
        : core_(&core), buffer_(buffer) {
        core.retain();
    }

    detail::datagram_core* core_;
    std::uint16_t buffer_;
};

class [[nodiscard]] received_datagram_awaiter : private detail::datagram_wait {
  public:
    explicit received_datagram_awaiter(detail::datagram_core& core) noexcept : core_(core) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr detail::wait_kind kind{"datagram", &cancel_in_list};
        return !core_.receive(*this, task.promise().context(), task, kind);
    }

    result<received_datagram> await_resume() const noexcept {
        if (was_canceled) {
            return std::unexpected(std::make_error_code(std::errc::operation_canceled));
        }
        if (error) {
            return std::unexpected(error);
        }
        return received_datagram(core_, *buffer);
    }

  private:
    detail::datagram_core& core_;
};

class datagram_receiver {
  public:
    // Inside a running task. std::errc::invalid_argument for options out of their range, else what
    // the kernel returns (bad_file_descriptor for a closed socket, no memory for the buffers).
    // Throws std::bad_alloc.
    [[nodiscard]] static result<datagram_receiver> open(
        const datagram_socket& socket, const datagram_receiver_options& options = {});

    // Waits for a datagram.
    [[nodiscard]] received_datagram_awaiter receive() noexcept {
        return received_datagram_awaiter(*core_);
    }

    // Whether one request to the kernel stands for many datagrams.
    [[nodiscard]] bool is_multishot() const noexcept { return core_->is_multishot(); }

  private:
    struct abandoner {
        void operator()(detail::datagram_core* core) const noexcept { core->abandon(); }
    };

    explicit datagram_receiver(detail::datagram_core* core) noexcept : core_(core) {}

    std::unique_ptr<detail::datagram_core, abandoner> core_;
};

}  // namespace weir

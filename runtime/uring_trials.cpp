#include "detail/uring_trials.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

namespace weir::detail {
namespace {

constexpr unsigned buffers = 4;  // a power of two
constexpr unsigned buffer_bytes = 64;
constexpr int group = 0;
constexpr std::uint64_t recv_tag = 1;
constexpr std::uint64_t accept_tag = 2;

class descriptor {
  public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&&) = delete;
    ~descriptor() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }

  private:
    int fd_;
};

struct completion {
    int outcome = 0;
    unsigned flags = 0;

    [[nodiscard]] bool stays_in_flight() const noexcept {
        return outcome >= 0 && (flags & IORING_CQE_F_MORE) != 0;
    }
};

// Submits, and returns the first completion with `tag`; nothing where none comes within a second.
std::optional<completion> completion_of(io_uring& ring, std::uint64_t tag) {
    while (true) {
        __kernel_timespec second{.tv_sec = 1, .tv_nsec = 0};
        io_uring_cqe* first = nullptr;
        if (io_uring_submit_and_wait_timeout(&ring, &first, 1, &second, nullptr) < 0 ||
            first == nullptr) {
            return std::nullopt;
        }
        const bool wanted = first->user_data == tag;
        const completion seen{.outcome = first->res, .flags = first->flags};
        io_uring_cqe_seen(&ring, first);
        if (wanted) {
            return seen;
        }
    }
}

// The memory of a buffer ring and of its buffers; registered while it lives.
class buffer_ring {
  public:
    explicit buffer_ring(io_uring& ring) : ring_(ring) {
        static_assert(buffers * (sizeof(io_uring_buf) + buffer_bytes) <= 4096);
        if (memory_ == nullptr) {
            return;
        }
        auto* const head = static_cast<io_uring_buf_ring*>(memory_.get());
        io_uring_buf_reg registration{};
        registration.ring_addr = reinterpret_cast<std::uintptr_t>(head);
        registration.ring_entries = buffers;
        registration.bgid = group;
        registered_ = io_uring_register_buf_ring(&ring, &registration, 0) == 0;
        if (!registered_) {
            return;
        }
        io_uring_buf_ring_init(head);
        auto* const bytes =
            static_cast<char*>(memory_.get()) + std::size_t{buffers} * sizeof(io_uring_buf);
        for (unsigned index = 0; index < buffers; ++index) {
            io_uring_buf_ring_add(head, bytes + std::size_t{index} * buffer_bytes, buffer_bytes,
                                  static_cast<unsigned short>(index), buffers - 1,
                                  static_cast<int>(index));
        }
        io_uring_buf_ring_advance(head, static_cast<int>(buffers));
    }
    buffer_ring(const buffer_ring&) = delete;
    buffer_ring& operator=(const buffer_ring&) = delete;
    ~buffer_ring() {
        if (registered_) {
            io_uring_unregister_buf_ring(&ring_, group);
        }
    }
    [[nodiscard]] bool registered() const noexcept { return registered_; }

  private:
    struct free_memory {
        void operator()(void* memory) const noexcept { std::free(memory); }
    };

    io_uring& ring_;
    // The kernel wants the ring at the start of a page.
    std::unique_ptr<void, free_memory> memory_{std::aligned_alloc(4096, 4096)};
    bool registered_ = false;
};

bool try_recv_multishot(io_uring& ring) {
    std::array<int, 2> pair{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        return false;
    }
    const descriptor reader(pair[0]);
    const descriptor writer(pair[1]);
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring);
    io_uring_prep_recv_multishot(sqe, reader.get(), nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = group;
    sqe->user_data = recv_tag;
    const bool sent = send(writer.get(), "x", 1, MSG_NOSIGNAL) == 1;
    const std::optional<completion> received = completion_of(ring, recv_tag);
    if (!sent || !received || !received->stays_in_flight()) {
        return false;
    }
    // The end of the stream ends the request, so that none is left with the buffers.
    shutdown(writer.get(), SHUT_RDWR);
    return completion_of(ring, recv_tag).has_value();
}

bool try_accept_multishot(io_uring& ring) {
    const descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const descriptor client(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!listener.valid() || !client.valid()) {
        return false;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // A bare family makes the kernel choose a name that is in no file system (unix(7), autobind).
    socklen_t length = sizeof(sa_family_t);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener.get(), generic, length) != 0 || listen(listener.get(), 1) != 0) {
        return false;
    }
    length = sizeof address;
    if (getsockname(listener.get(), generic, &length) != 0 ||
        connect(client.get(), generic, length) != 0) {
        return false;
    }
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring);
    io_uring_prep_multishot_accept(sqe, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
    sqe->user_data = accept_tag;
    const std::optional<completion> accepted = completion_of(ring, accept_tag);
    const descriptor server(accepted ? accepted->outcome : -1);
    return accepted && accepted->stays_in_flight();
}

}  // namespace

uring_trials try_operations(io_uring& ring) {
    uring_trials trials;
    const buffer_ring shared(ring);
    trials.buffer_ring = shared.registered();
    trials.recv_multishot = trials.buffer_ring && try_recv_multishot(ring);
    trials.accept_multishot = try_accept_multishot(ring);
    return trials;
}

}  // namespace weir::detail

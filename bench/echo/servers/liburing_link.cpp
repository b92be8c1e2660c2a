// Echo on bare liburing, one completion a message: the answer and the next receive are a chain, and
// only the receive reports. The receive is told not to try at once (POLL_FIRST), since nothing can
// have come before the answer has gone. Descriptors are the ring's own.
//
// A peer that does not read stops its own connection: the send waits, the receive behind it too.
#include <poll.h>
#include <sys/mman.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "ring.hpp"
#include "server.hpp"

namespace echo {
namespace {

enum class kind : std::uint64_t { stop, accept, receive, ignored };
constexpr unsigned kind_bits = 2;

// Buffers of a power of two would all start in the same set of a cache.
constexpr std::size_t spread_bytes = 192;

constexpr std::uint64_t tagged(kind what, unsigned slot) {
    return static_cast<std::uint64_t>(what) | std::uint64_t{slot} << kind_bits;
}

class link_server {
  public:
    explicit link_server(server_job& job)
        : job_(job),
          buffer_bytes_(job.buffer_bytes()),
          stride_(buffer_bytes_ + spread_bytes),
          slots_(connection_limit()),
          ring_(4'096, 32'768, slots_),
          listener_(job.listen(0)) {
        // Pages of a slot that is never used are never touched.
        void* const memory = mmap(nullptr, slots_ * stride_, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            throw std::system_error(errno, std::generic_category(), "mapping the buffers");
        }
        buffers_ = static_cast<char*>(memory);
        io_uring_sqe* const stop = ring_.entry();
        io_uring_prep_poll_add(stop, job.stop_fd(), POLLIN);
        stop->user_data = tagged(kind::stop, 0);
        accept();
        ring_.submit();
        job.ready();
    }
    link_server(const link_server&) = delete;
    link_server& operator=(const link_server&) = delete;
    ~link_server() { munmap(buffers_, slots_ * stride_); }

    void run() {
        std::uint64_t counted = ring_.enters();
        while (!stopping_) {
            ring_.submit_and_wait();
            job_.count_syscalls(ring_.enters() - counted);
            counted = ring_.enters();
            unsigned head = 0;
            unsigned count = 0;
            io_uring_cqe* cqe = nullptr;
            io_uring_for_each_cqe(ring_.get(), head, cqe) {
                complete(*cqe);
                ++count;
            }
            io_uring_cq_advance(ring_.get(), count);
        }
    }

  private:
    void complete(const io_uring_cqe& cqe) {
        const auto slot = static_cast<unsigned>(cqe.user_data >> kind_bits);
        switch (static_cast<kind>(cqe.user_data & ((1U << kind_bits) - 1))) {
            case kind::receive:
                if (cqe.res > 0) {
                    answer(slot, static_cast<unsigned>(cqe.res));
                } else {
                    drop(slot);
                }
                break;
            case kind::accept:
                if (cqe.res >= 0) {
                    receive(static_cast<unsigned>(cqe.res));
                }
                // It ends where no slot is free; the next close makes one.
                accepting_ = (cqe.flags & IORING_CQE_F_MORE) != 0;
                if (!accepting_ && cqe.res >= 0) {
                    accept();
                }
                break;
            case kind::stop:
                stopping_ = true;
                break;
            case kind::ignored:
                // A send that failed has canceled the receive behind it, which reports for both.
                break;
        }
    }

    void accept() {
        io_uring_sqe* const sqe = ring_.entry();
        io_uring_prep_multishot_accept_direct(sqe, listener_, nullptr, nullptr, 0);
        sqe->user_data = tagged(kind::accept, 0);
        accepting_ = true;
    }

    void receive(unsigned slot) {
        io_uring_sqe* const sqe = ring_.entry();
        io_uring_prep_recv(sqe, static_cast<int>(slot), buffer(slot), buffer_bytes_, 0);
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
        sqe->user_data = tagged(kind::receive, slot);
    }

    void answer(unsigned slot, unsigned size) {
        ring_.reserve(2);
        io_uring_sqe* const sqe = ring_.entry();
        io_uring_prep_send(sqe, static_cast<int>(slot), buffer(slot), size,
                           MSG_WAITALL | MSG_NOSIGNAL);
        sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
        sqe->user_data = tagged(kind::ignored, slot);
        receive(slot);
    }

    void drop(unsigned slot) {
        io_uring_sqe* const sqe = ring_.entry();
        io_uring_prep_close_direct(sqe, slot);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        sqe->user_data = tagged(kind::ignored, slot);
        if (!accepting_) {
            accept();
        }
    }

    char* buffer(unsigned slot) const { return buffers_ + slot * stride_; }

    server_job& job_;
    std::size_t buffer_bytes_;
    std::size_t stride_;
    unsigned slots_;
    ring ring_;
    int listener_;
    char* buffers_ = nullptr;
    bool accepting_ = false;
    bool stopping_ = false;
};

}  // namespace

void serve_liburing_link(server_job& job) { link_server(job).run(); }

}  // namespace echo

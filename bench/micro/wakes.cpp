// A function posted to a loop that sleeps: the time from the post until the function runs on the
// other thread, and `waker_ns`, the poster's own share. Beside it the bare ways to wake a thread
// that waits in io_uring:
//   floor         an eventfd that the ring reads, again after each wake
//   eventfd_poll  an eventfd that the ring polls by one multishot request, and that nobody reads
//   msg_ring      IORING_OP_MSG_RING from a ring of the waker's own (Linux 5.18)
//   msg_no_ring   the same without a ring: IORING_REGISTER_SEND_MSG_RING (Linux 6.13)
#include <benchmark/benchmark.h>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <weir/runtime/event.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/uring_compat.hpp>

#include "waking.hpp"

namespace {

weir::task<> sleep_until_set(weir::event* done) { co_await done->wait(); }

class weir_sleeper {
  public:
    weir_sleeper() : thread_([this] { loop_.run(sleep_until_set(&done_)); }) {}
    weir_sleeper(const weir_sleeper&) = delete;
    weir_sleeper& operator=(const weir_sleeper&) = delete;
    ~weir_sleeper() {
        loop_.post([this] { done_.set(); });
    }
    [[nodiscard]] bool wake() {
        loop_.post([this] { woken_.signal(); });
        return true;
    }
    [[nodiscard]] const signal_flag& woken() const noexcept { return woken_; }

  private:
    weir::event_loop loop_;
    weir::event done_;
    signal_flag woken_;
    std::jthread thread_;
};

// A ring as a loop makes it, whose thread waits for one completion after the other.
class sleeping_ring {
  public:
    enum class event_by { read, poll };

    explicit sleeping_ring(event_by how = event_by::read) : how_(how), thread_([this] { run(); }) {
        ready_.wait();
    }
    sleeping_ring(const sleeping_ring&) = delete;
    sleeping_ring& operator=(const sleeping_ring&) = delete;
    ~sleeping_ring() {
        stop_.store(true, std::memory_order_relaxed);
        write_event();
        thread_.join();
        io_uring_queue_exit(&ring_);
        close(event_);
    }

    void write_event() const {
        const std::uint64_t one = 1;
        benchmark::DoNotOptimize(write(event_, &one, sizeof one));
    }
    [[nodiscard]] int ring_fd() const noexcept { return ring_.ring_fd; }
    [[nodiscard]] const signal_flag& woken() const noexcept { return woken_; }

  private:
    static constexpr std::uint64_t event_tag = 1;

    void arm() {
        io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
        if (how_ == event_by::read) {
            io_uring_prep_read(sqe, event_, &count_, sizeof count_, 0);
        } else {
            io_uring_prep_poll_multishot(sqe, event_, POLLIN);
        }
        sqe->user_data = event_tag;
    }

    void run() {
        io_uring_params params{};
        params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
        if (io_uring_queue_init_params(64, &ring_, &params) != 0) {
            std::abort();
        }
        arm();
        ready_.signal();
        while (!stop_.load(std::memory_order_relaxed)) {
            io_uring_submit_and_wait(&ring_, 1);
            io_uring_cqe* cqe = nullptr;
            while (io_uring_peek_cqe(&ring_, &cqe) == 0) {
                if (cqe->user_data == event_tag && (cqe->flags & IORING_CQE_F_MORE) == 0) {
                    arm();
                }
                io_uring_cqe_seen(&ring_, cqe);
                woken_.signal();
            }
        }
    }

    event_by how_;
    io_uring ring_{};
    int event_ = eventfd(0, EFD_CLOEXEC);
    std::uint64_t count_ = 0;
    std::atomic<bool> stop_{false};
    signal_flag ready_;
    signal_flag woken_;
    std::thread thread_;
};

class eventfd_sleeper : public sleeping_ring {
  public:
    using sleeping_ring::sleeping_ring;
    [[nodiscard]] bool wake() const {
        write_event();
        return true;
    }
};

class eventfd_poll_sleeper : public eventfd_sleeper {
  public:
    eventfd_poll_sleeper() : eventfd_sleeper(event_by::poll) {}
};

class msg_ring_sleeper : public sleeping_ring {
  public:
    msg_ring_sleeper() {
        if (io_uring_queue_init(8, &own_, IORING_SETUP_SINGLE_ISSUER) != 0) {
            std::abort();
        }
        io_uring_register_ring_fd(&own_);
    }
    ~msg_ring_sleeper() { io_uring_queue_exit(&own_); }
    [[nodiscard]] bool wake() {
        io_uring_sqe* const sqe = io_uring_get_sqe(&own_);
        io_uring_prep_msg_ring(sqe, ring_fd(), 0, 2, 0);
        io_uring_submit(&own_);
        io_uring_cqe* cqe = nullptr;
        if (io_uring_wait_cqe(&own_, &cqe) != 0) {
            return false;
        }
        const bool sent = cqe->res >= 0;
        io_uring_cqe_seen(&own_, cqe);
        return sent;
    }

  private:
    io_uring own_{};
};

class msg_without_ring_sleeper : public sleeping_ring {
  public:
    [[nodiscard]] bool wake() const {
        constexpr unsigned send_msg_ring = 31;  // IORING_REGISTER_SEND_MSG_RING
        io_uring_sqe sqe{};
        io_uring_prep_msg_ring(&sqe, ring_fd(), 0, 2, 0);
        return syscall(__NR_io_uring_register, -1, send_msg_ring, &sqe, 1) >= 0;
    }
};

BENCHMARK(post_wake<weir_sleeper>)->Name("weir/post_wake") WAKE_OPTIONS;
BENCHMARK(post_wake<eventfd_sleeper>)->Name("floor/post_wake") WAKE_OPTIONS;
BENCHMARK(post_wake<eventfd_poll_sleeper>)->Name("eventfd_poll/post_wake") WAKE_OPTIONS;
BENCHMARK(post_wake<msg_ring_sleeper>)->Name("msg_ring/post_wake") WAKE_OPTIONS;
BENCHMARK(post_wake<msg_without_ring_sleeper>)->Name("msg_no_ring/post_wake") WAKE_OPTIONS;

}  // namespace

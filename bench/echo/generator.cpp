#include "generator.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#include "../support/clocks.hpp"
#include "connect.hpp"
#include "servers/ring.hpp"
#include "traffic.hpp"
#include "warm_up.hpp"

namespace echo {
namespace {

constexpr std::uint64_t chained_bytes_max = 16'384;
constexpr std::uint64_t piece_bytes_max = 262'144;
constexpr std::uint64_t receive_bytes_max = 65'536;
// A window without any message lasts longer, and a drain waits for the next one.
constexpr std::uint64_t answer_limit_ns = 2'000'000'000;
constexpr std::uint64_t tick_ns = 5'000'000;
// Waiting for less than this would end late; the time is spent looking instead.
constexpr std::uint64_t spin_ns = 30'000;
// Messages that are due and cannot be sent; more is a rate that the server cannot keep.
constexpr std::uint64_t overdue_max = 1'000'000;

enum class kind : std::uint64_t { tick, send, chained_send, receive };
constexpr unsigned kind_bits = 2;

std::uint64_t now_ns() { return bench::clock_ns(CLOCK_MONOTONIC); }

}  // namespace

class generator::state {
  public:
    state(const shape& of, std::uint16_t port);
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state();

    load_result run(const load_plan& plan, load_observer& observer);
    const histogram& latencies() const { return latencies_; }

  private:
    void start();
    void wait();
    void reap();
    void complete(const io_uring_cqe& cqe);
    void received(std::size_t index, int result);
    void admit(connection& of, std::uint64_t started);
    void pump(std::size_t index, bool receive_too);
    void send_due();
    void watch_window();
    void withdraw_unsent();
    void give_up_overdue();
    void drain();
    void receive(std::size_t index);
    void tick();
    [[noreturn]] void fail(std::size_t index, const std::string& what) const;

    shape of_;
    bool chained_;
    std::size_t receive_bytes_;
    pattern pattern_;
    ring ring_;
    std::vector<connection> connections_;
    char* buffers_ = nullptr;
    __kernel_timespec tick_time_{.tv_sec = 0, .tv_nsec = tick_ns};

    load_plan plan_;
    load_observer* observer_ = nullptr;
    enum class phase { warming, measuring, draining } phase_ = phase::warming;
    std::uint64_t now_ = 0;
    std::uint64_t started_at_ = 0;
    std::uint64_t window_at_ = 0;
    std::uint64_t window_cpu_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t under_way_ = 0;
    std::uint64_t due_count_ = 0;  // messages that were due so far, in the open loop
    std::uint64_t overdue_ = 0;
    load_result result_;
    histogram latencies_;
};

generator::state::state(const shape& of, std::uint16_t port)
    : of_(of),
      chained_(of.depth * of.size <= chained_bytes_max),
      receive_bytes_(std::min(of.depth * of.size, receive_bytes_max)),
      pattern_(std::min(of.depth * of.size, piece_bytes_max)),
      ring_(4'096, 32'768, 0),
      connections_(of.connections) {
    void* const memory = mmap(nullptr, connections_.size() * receive_bytes_, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::system_error(errno, std::generic_category(), "mapping the buffers");
    }
    buffers_ = static_cast<char*>(memory);
    const std::vector<int> fds = connect_all(of.connections, port);
    for (std::size_t index = 0; index < connections_.size(); ++index) {
        connections_[index].fd = fds[index];
        connections_[index].phase = index * 131;
    }
    // Where the kernel does not know descriptors that are the ring's own, it takes the others.
    if (const int error =
            io_uring_register_files(ring_.get(), fds.data(), static_cast<unsigned>(fds.size()));
        error < 0) {
        throw std::system_error(-error, std::generic_category(), "registering the connections");
    }
}

generator::state::~state() {
    for (const connection& each : connections_) {
        ::close(each.fd);
    }
    munmap(buffers_, connections_.size() * receive_bytes_);
}

load_result generator::state::run(const load_plan& plan, load_observer& observer) {
    plan_ = plan;
    observer_ = &observer;
    now_ = now_ns();
    started_at_ = now_;
    // The open loop receives all the time, also where nothing is to be sent.
    chained_ = chained_ && plan.rate == 0;
    start();
    while (phase_ != phase::draining) {
        wait();
        reap();
        if (plan_.rate > 0) {
            send_due();
        }
        watch_window();
    }
    drain();
    return result_;
}

void generator::state::start() {
    tick();
    for (std::size_t index = 0; index < connections_.size(); ++index) {
        if (plan_.rate == 0) {
            for (std::uint64_t count = 0; count < of_.depth; ++count) {
                admit(connections_[index], now_);
            }
        }
        pump(index, true);
    }
}

// In the open loop not longer than until the next message is due.
void generator::state::wait() {
    if (plan_.rate == 0) {
        ring_.submit_and_wait();
        return;
    }
    const double due_s = static_cast<double>(due_count_) / plan_.rate;
    const std::uint64_t due = started_at_ + static_cast<std::uint64_t>(due_s * 1e9);
    const std::uint64_t now = now_ns();
    if (due < now + spin_ns) {
        ring_.submit_and_work();
    } else {
        ring_.submit_and_wait_for(due - now - spin_ns / 2);
    }
}

void generator::state::reap() {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(ring_.get(), head, cqe) {
        complete(*cqe);
        ++count;
    }
    io_uring_cq_advance(ring_.get(), count);
    if (count == 0) {
        now_ = now_ns();
    }
}

void generator::state::complete(const io_uring_cqe& cqe) {
    const std::size_t index = cqe.user_data >> kind_bits;
    now_ = now_ns();
    switch (static_cast<kind>(cqe.user_data & ((1U << kind_bits) - 1))) {
        case kind::receive:
            received(index, cqe.res);
            break;
        case kind::send:
        case kind::chained_send:
            // A chained one reports only when it has failed.
            if (cqe.res < 0) {
                fail(index, "sending failed: " + std::generic_category().message(-cqe.res));
            }
            connections_[index].sending = false;
            pump(index, false);
            break;
        case kind::tick:
            tick();
            break;
    }
}

void generator::state::received(std::size_t index, int result) {
    connection& of = connections_[index];
    if (result <= 0) {
        fail(index, result == 0 ? "the server closed it"
                                : "receiving failed: " + std::generic_category().message(-result));
    }
    const auto size = static_cast<std::uint64_t>(result);
    if (of.received + size > of.sent) {
        fail(index, "the server sent more than it had received");
    }
    if (!pattern_.matches(of.phase + of.received, buffers_ + index * receive_bytes_, size)) {
        fail(index, "the server sent back other bytes than it had received");
    }
    const std::uint64_t complete = (of.received + size) / of_.size - of.received / of_.size;
    of.received += size;
    of.under_way -= complete;
    under_way_ -= complete;
    messages_ += complete;
    for (std::uint64_t count = 0; count < complete; ++count) {
        const std::uint64_t started = of.started.pop();
        if (phase_ == phase::measuring) {
            latencies_.add(now_ - std::min(started, now_));
        }
    }
    if (phase_ != phase::draining) {
        for (std::uint64_t count = 0; count < complete && plan_.rate == 0; ++count) {
            admit(of, now_);
        }
        while (!of.overdue.empty() && of.under_way < of_.depth) {
            admit(of, of.overdue.pop());
            --overdue_;
        }
    }
    pump(index, true);
}

void generator::state::admit(connection& of, std::uint64_t started) {
    of.started.push(started);
    of.unsent += of_.size;
    ++of.under_way;
    ++under_way_;
}

// Sends what is to be sent unless a send is under way, and receives where none is.
void generator::state::pump(std::size_t index, bool receive_too) {
    connection& of = connections_[index];
    if (of.unsent > 0 && !of.sending) {
        const std::uint64_t size = std::min<std::uint64_t>(of.unsent, pattern_.span_max());
        ring_.reserve(2);
        io_uring_sqe* const sqe = ring_.entry();
        io_uring_prep_send(sqe, static_cast<int>(index), pattern_.at(of.phase + of.sent), size,
                           MSG_WAITALL | MSG_NOSIGNAL);
        sqe->flags |= IOSQE_FIXED_FILE;
        if (chained_) {
            sqe->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
            sqe->user_data = static_cast<std::uint64_t>(kind::chained_send) | index << kind_bits;
        } else {
            sqe->user_data = static_cast<std::uint64_t>(kind::send) | index << kind_bits;
            of.sending = true;
        }
        of.unsent -= size;
        of.sent += size;
    }
    if (receive_too && (!chained_ || of.under_way > 0)) {
        receive(index);
    }
}

void generator::state::receive(std::size_t index) {
    io_uring_sqe* const sqe = ring_.entry();
    io_uring_prep_recv(sqe, static_cast<int>(index), buffers_ + index * receive_bytes_,
                       receive_bytes_, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    sqe->user_data = static_cast<std::uint64_t>(kind::receive) | index << kind_bits;
}

void generator::state::send_due() {
    if (phase_ == phase::draining) {
        return;
    }
    const auto due =
        static_cast<std::uint64_t>(static_cast<double>(now_ - started_at_) * 1e-9 * plan_.rate);
    for (; due_count_ <= due; ++due_count_) {
        const std::size_t index = due_count_ % connections_.size();
        connection& of = connections_[index];
        const std::uint64_t when =
            started_at_ +
            static_cast<std::uint64_t>(static_cast<double>(due_count_) / plan_.rate * 1e9);
        if (of.under_way < of_.depth && of.overdue.empty()) {
            admit(of, when);
            pump(index, false);
        } else {
            of.overdue.push(when);
            ++overdue_;
        }
    }
    if (overdue_ > overdue_max) {
        throw load_error("a million messages are overdue: the server cannot keep the rate");
    }
}

void generator::state::watch_window() {
    const auto window = static_cast<std::uint64_t>(plan_.window.count());
    if (phase_ == phase::warming && is_warm(plan_, of_, messages_, now_ - started_at_)) {
        observer_->begin();
        phase_ = phase::measuring;
        messages_ = 0;
        latencies_.clear();
        window_cpu_ = bench::clock_ns(CLOCK_THREAD_CPUTIME_ID);
        window_at_ = now_ns();
    } else if (phase_ == phase::measuring && now_ - window_at_ >= window &&
               (messages_ > 0 || now_ - window_at_ >= window + answer_limit_ns)) {
        observer_->end();
        const double nanoseconds = static_cast<double>(now_ns() - window_at_);
        result_.messages = messages_;
        result_.seconds = nanoseconds * 1e-9;
        result_.busy = static_cast<double>(bench::clock_ns(CLOCK_THREAD_CPUTIME_ID) - window_cpu_) /
                       nanoseconds;
        phase_ = phase::draining;
        withdraw_unsent();
        give_up_overdue();
    }
}

// Messages of which no byte has gone need not go any more.
void generator::state::withdraw_unsent() {
    for (connection& each : connections_) {
        const std::uint64_t count = each.unsent / of_.size;
        each.unsent -= count * of_.size;
        each.under_way -= count;
        under_way_ -= count;
    }
}

// What is due and was never sent counts with what it has waited so far: a server that cannot keep
// the rate must not look quick.
void generator::state::give_up_overdue() {
    for (connection& each : connections_) {
        while (!each.overdue.empty()) {
            latencies_.add(now_ - std::min(each.overdue.pop(), now_));
        }
    }
}

void generator::state::drain() {
    std::uint64_t before = under_way_;
    std::uint64_t limit = now_ + answer_limit_ns;
    while (under_way_ > 0) {
        if (under_way_ != before) {
            before = under_way_;
            limit = now_ + answer_limit_ns;
        } else if (now_ > limit) {
            throw load_error(bench::with_separators(under_way_) +
                             " messages did not come back, and none did for 2 s");
        }
        ring_.submit_and_wait();
        reap();
    }
}

// Ends a wait now and then, so that time is looked at also where a server has stopped answering.
void generator::state::tick() {
    io_uring_sqe* const sqe = ring_.entry();
    io_uring_prep_timeout(sqe, &tick_time_, 0, 0);
    sqe->user_data = static_cast<std::uint64_t>(kind::tick);
}

void generator::state::fail(std::size_t index, const std::string& what) const {
    throw load_error("connection " + std::to_string(index) + ", after " +
                     bench::with_separators(connections_[index].received) +
                     " bytes received: " + what);
}

generator::generator(const shape& of, std::uint16_t port)
    : state_(std::make_unique<state>(of, port)) {}
generator::~generator() = default;

load_result generator::run(const load_plan& plan, load_observer& observer) {
    return state_->run(plan, observer);
}

const histogram& generator::latencies() const { return state_->latencies(); }

}  // namespace echo

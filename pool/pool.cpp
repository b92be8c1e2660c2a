// Admission and the grant routine: who gets a slot, a place in the queue, or waits.
//
// Invariants, between calls:
//   1. A slot is free (running_ < limit_) only while nothing is queued and nobody is parked.
//   2. A place in the queue is free only while nobody is parked.
// Everything that frees a slot or a place (an end, a cancel, an expiry, a claim, a resize) calls
// grant(), which restores both in FIFO order.
#include "pool.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace weir {
namespace {

constexpr std::size_t size_max = 16'777'216;

void check_range(const char* option, std::size_t value, std::size_t min) {
    if (value < min || value > size_max) {
        throw std::invalid_argument("pool_options::" + std::string(option) + " is " +
                                    std::to_string(value) + "; allowed: " + std::to_string(min) +
                                    " to " + std::to_string(size_max));
    }
}

pool_options checked(const pool_options& options) {
    check_range("max_concurrency", options.max_concurrency, 1);
    check_range("max_queue_size", options.max_queue_size, 0);
    return options;
}

event_loop& running_loop() noexcept {
    event_loop* const loop = event_loop::current();
    WEIR_ASSERT(loop != nullptr, "a pool without a loop is made on the thread of a running loop");
    return *loop;
}

}  // namespace

pool::pool(const pool_options& options) : pool(running_loop(), options) {}

pool::pool(event_loop& loop, const pool_options& options)
    : loop_(&loop),
      options_(checked(options)),
      limit_(options_.max_concurrency),
      queue_(options_.max_queue_size),
      group_(loop),
      gate_(std::max<std::size_t>(options_.max_queue_size, 1)) {
    group_.set_name(options_.name);
    loop.add_root(group_);
}

pool::~pool() {
    if (!idle()) {
        detail::fatal("pool \"%s\" was destroyed while busy: %zu running, %zu queued, %zu parked; "
                      "co_await drain() or stop() first, or use with_pool",
                      options_.name, running_, queue_.size(), stats_.parked);
    }
    WEIR_ASSERT(idle_waiters_.empty(), "a pool outlives the tasks that wait for it");
    while (spare_ != nullptr) {
        std::exchange(spare_, spare_->next_spare)->discard();
    }
}

pool_errc pool::try_admission() noexcept {
    const context* const caller = loop_->running();
    const bool nested = caller != nullptr && host_of(*caller) != nullptr;
    if (closed_ && (!nested || stopping_)) {
        ++stats_.rejected;
        return pool_errc::closed;
    }
    if (slot_is_free() || (!queue_.full() && parked_.empty())) {
        return pool_errc{};
    }
    ++stats_.rejected;
    return pool_errc::full;
}

void pool::admit_now(detail::job& admitted) noexcept {
    count_admitted(admitted);
    if (slot_is_free()) {
        take_slot(admitted);
        loop_->make_ready(admitted);
    } else {
        enqueue(admitted);
    }
}

void pool::take_slot(detail::job& granted) noexcept {
    ++running_;
    stats_.max_running = std::max(stats_.max_running, running_);
    granted.state_ = detail::job_state::granted;
    granted.attach(group_);
}

void pool::enqueue(detail::job& admitted) noexcept {
    admitted.state_ = detail::job_state::queued;
    queue_.push(admitted);
    stats_.max_queued = std::max(stats_.max_queued, queue_.size());
    if (admitted.deadlines_ != nullptr) {
        admitted.deadlines_->arm();
    }
}

void pool::park(detail::job& waiting, detail::submit_waiter* submitter) noexcept {
    waiting.state_ = detail::job_state::parked;
    waiting.submitter_ = submitter;
    parked_.push_back(waiting);
    ++stats_.parked;
    if (waiting.deadlines_ != nullptr) {
        waiting.deadlines_->arm();
    }
}

// The first parked job, admitted: its submitter goes on, or waits for the end from now on.
detail::job& pool::unpark_first() noexcept {
    detail::job& first = parked_.pop_front();
    --stats_.parked;
    count_admitted(first);
    if (detail::submit_waiter* const submitter = std::exchange(first.submitter_, nullptr)) {
        submitter->admitted_from_park();
    } else {
        gate_.release();
    }
    return first;
}

void pool::grant() noexcept {
    while (running_ < limit_) {
        detail::job* next = queue_.pop();
        if (next == nullptr) {
            if (parked_.empty()) {
                break;
            }
            next = &unpark_first();
        }
        take_slot(*next);
        loop_->make_ready(*next);
    }
    while (!parked_.empty() && !queue_.full()) {
        enqueue(unpark_first());
    }
}

void pool::release_slot(detail::job& job) noexcept {
    detail::job* const host = std::exchange(job.slot_host_, nullptr);
    if (host == nullptr) {
        --running_;
        grant();
        return;
    }
    if (host->guests_.empty()) {
        host->has_guest_ = false;
        return;
    }
    detail::job& next = host->guests_.pop_front();
    next.state_ = detail::job_state::granted;
    next.attach(group_);
    loop_->make_ready(next);
}

void pool::resize(std::size_t max_concurrency) {
    check_range("max_concurrency", max_concurrency, 0);
    limit_ = max_concurrency;
    grant();
}

pool_stats pool::stats() const noexcept {
    pool_stats stats = stats_;
    stats.running = running_;
    stats.started = stats_.submitted - never_started_ - queue_.size();
    stats.queued = queue_.size();
    stats.max_concurrency = limit_;
    stats.max_queue_size = options_.max_queue_size;
    return stats;
}

}  // namespace weir

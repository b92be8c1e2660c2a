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
                      options_.name, running_, queue_.size(), parked_size_);
    }
    WEIR_ASSERT(idle_waiters_.empty(), "a pool outlives the tasks that wait for it");
    while (spare_ != nullptr) {
        std::exchange(spare_, spare_->next_spare)->discard();
    }
}

void pool::add_record() {
    make_spare(*new detail::posted_job(*this, *loop_, group_));
    ++records_;
}

pool_errc pool::try_admission() noexcept {
    const context* const caller = loop_->running();
    const bool nested = caller != nullptr && host_of(*caller) != nullptr;
    if (closed_ && (!nested || stopping_)) {
        ++stats_.rejected;
        return pool_errc::closed;
    }
    if (slot_is_free() || place_is_free()) {
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

// The closure moves into a spare record, which starts soon.
void pool::grant_closure(const detail::closure_ops& ops, void* closure,
                         std::uint64_t id) noexcept {
    WEIR_DEBUG_ASSERT(spare_ != nullptr, "a record was reserved for each closure");
    detail::posted_job& record = take_spare();
    record.fill(ops, closure, id);
    loop_->make_ready_soon(record);
}

void pool::enqueue(detail::job& admitted) noexcept {
    admitted.state_ = detail::job_state::queued;
    queue_.push(admitted);
    stats_.max_queued = std::max(stats_.max_queued, queue_.size());
    if (admitted.deadlines_ != nullptr) {
        admitted.deadlines_->arm();
    }
}

// What the waiter submits is admitted to the queue.
void pool::enqueue(detail::submit_waiter& waiter) noexcept {
    if (waiter.job_ != nullptr) {
        count_admitted(*waiter.job_);
        waiter.owns_job_ = false;
        enqueue(*waiter.job_);
        return;
    }
    queue_.push(*waiter.ops_, waiter.closure_, ++stats_.submitted);
    stats_.max_queued = std::max(stats_.max_queued, queue_.size());
}

void pool::park(detail::parked_item& item, detail::job* parked) noexcept {
    parked_.push_back(item);
    ++parked_size_;
    if (parked != nullptr) {
        parked->state_ = detail::job_state::parked;
        parked->parking_ = &item;
        if (parked->deadlines_ != nullptr) {
            parked->deadlines_->arm();
        }
    }
}

void pool::unpark(detail::parked_item& item) noexcept {
    item.unlink();
    --parked_size_;
}

// The first of those who wait gets a free slot.
void pool::grant_parked() noexcept {
    detail::parked_item& first = parked_.front();
    unpark(first);
    detail::submit_waiter* const submitter = first.submitter;
    detail::job* const job = submitter != nullptr ? submitter->job_ : first.from_thread;
    if (job != nullptr) {
        count_admitted(*job);
        take_slot(*job);
        loop_->make_ready_soon(*job);
    } else {
        grant_closure(*submitter->ops_, submitter->closure_, ++stats_.submitted);
    }
    if (submitter != nullptr) {
        submitter->admitted_from_park();
    } else {
        gate_.release();
    }
}

void pool::grant() noexcept {
    while (running_ < limit_) {
        if (detail::queue_place* const next = queue_.front()) {
            if (next->ops == nullptr) {
                take_slot(*next->held);
                loop_->make_ready_soon(*next->held);
            } else {
                grant_closure(*next->ops, next->closure, next->id);
                next->ops->destroy(next->closure);
            }
            queue_.pop_front();
        } else if (!parked_.empty()) {
            grant_parked();
        } else {
            break;
        }
    }
    while (!parked_.empty() && !queue_.full()) {
        detail::parked_item& first = parked_.front();
        unpark(first);
        if (first.submitter != nullptr) {
            enqueue(*first.submitter);
            first.submitter->admitted_from_park();
        } else {
            count_admitted(*first.from_thread);
            enqueue(*first.from_thread);
            gate_.release();
        }
    }
}

void pool::after_release() noexcept {
    grant();
    if (running_ == 0) {
        wake_if_idle();
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
    loop_->make_ready_soon(next);
}

void pool::resize(std::size_t max_concurrency) {
    check_range("max_concurrency", max_concurrency, 0);
    // More closures than before may run at a time, so more records may be needed for those that
    // wait already.
    while (records_ < std::min(max_concurrency, running_ + queue_.size() + parked_size_)) {
        add_record();
    }
    limit_ = max_concurrency;
    grant();
}

pool_stats pool::stats() const noexcept {
    pool_stats stats = stats_;
    stats.running = running_;
    stats.started = stats_.submitted - never_started_ - queue_.size();
    stats.queued = queue_.size();
    stats.parked = parked_size_;
    stats.max_concurrency = limit_;
    stats.max_queue_size = options_.max_queue_size;
    return stats;
}

}  // namespace weir

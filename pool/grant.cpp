// The grant routine: who gets a slot, a place in the queue, or waits; and the making of a pool.
#include "detail/pool_core.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace weir::detail {
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
    pool_options usable = options;
    if (usable.name == nullptr) {
        usable.name = pool_options().name;
    }
    return usable;
}

}  // namespace

pool_core::pool_core(event_loop& loop, const pool_options& options)
    : loop_(&loop),
      options_(checked(options)),
      limit_(options_.max_concurrency),
      queue_(options_.max_queue_size),
      group_(loop),
      gate_(std::max<std::size_t>(options_.max_queue_size, 1)) {
    group_.set_name(options_.name);
    loop.add_root(group_);
}

pool_core::~pool_core() {
    if (!idle()) {
        std::size_t on_their_way = gate_.taken();
        parked_.for_each([&](const parked_item& parked) {
            on_their_way -= parked.from_thread != nullptr ? 1U : 0U;
        });
        fatal(
            "pool \"%s\" was destroyed while busy: %zu running, %zu queued, %zu parked, %zu on "
            "their way from threads; co_await drain() or stop() first, or use with_pool",
            options_.name, running_, queue_.size(), parked_size_, on_their_way);
    }
    WEIR_ASSERT(idle_waiters_.empty(), "a pool outlives the tasks that wait for it");
    while (spare_ != nullptr) {
        std::exchange(spare_, spare_->next_spare)->discard();
    }
}

void pool_core::add_record() {
    make_spare(*new posted_job(*this, *loop_, group_));
    ++records_;
}

pool_errc pool_core::try_admission() noexcept {
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

void pool_core::admit_now(job& admitted) noexcept {
    count_admitted(admitted);
    if (slot_is_free()) {
        take_slot(admitted);
        loop_->make_ready(admitted);
    } else {
        enqueue(admitted);
    }
}

void pool_core::take_slot(job& granted) noexcept {
    ++running_;
    stats_.max_running = std::max(stats_.max_running, running_);
    granted.state_ = job_state::granted;
    granted.attach(group_);
}

// The closure moves into a spare record, which starts soon.
void pool_core::grant_closure(const closure_ops& ops, void* closure, std::uint64_t id) noexcept {
    WEIR_DEBUG_ASSERT(spare_ != nullptr, "a record was reserved for each closure");
    posted_job& record = take_spare();
    record.fill(ops, closure, id);
    loop_->make_ready_soon(record);
}

void pool_core::enqueue(job& admitted) noexcept {
    admitted.state_ = job_state::queued;
    queue_.push(admitted);
    stats_.max_queued = std::max(stats_.max_queued, queue_.size());
    if (admitted.deadlines_ != nullptr) {
        admitted.deadlines_->arm();
    }
}

// What the waiter submits is admitted to the queue.
void pool_core::enqueue(submit_waiter& waiter) noexcept {
    if (waiter.job_ != nullptr) {
        count_admitted(*waiter.job_);
        waiter.owns_job_ = false;
        enqueue(*waiter.job_);
        return;
    }
    queue_.push(*waiter.ops_, waiter.closure_, ++stats_.submitted);
    stats_.max_queued = std::max(stats_.max_queued, queue_.size());
}

void pool_core::park(parked_item& item, job* parked) noexcept {
    parked_.push_back(item);
    ++parked_size_;
    if (parked != nullptr) {
        parked->state_ = job_state::parked;
        parked->parking_ = &item;
        if (parked->deadlines_ != nullptr) {
            parked->deadlines_->arm();
        }
    }
}

void pool_core::unpark(parked_item& item) noexcept {
    item.unlink();
    --parked_size_;
}

// The first of those who wait gets a free slot.
void pool_core::grant_parked() noexcept {
    parked_item& first = parked_.front();
    unpark(first);
    submit_waiter* const submitter = first.submitter;
    job* const granted = submitter != nullptr ? submitter->job_ : first.from_thread;
    if (granted != nullptr) {
        count_admitted(*granted);
        take_slot(*granted);
        loop_->make_ready_soon(*granted);
    } else {
        grant_closure(*submitter->ops_, submitter->closure_, ++stats_.submitted);
    }
    if (submitter != nullptr) {
        submitter->admitted_from_park();
    } else {
        gate_.release();
    }
}

void pool_core::grant() noexcept {
    while (running_ < limit_) {
        if (queue_place* const next = queue_.front()) {
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
        parked_item& first = parked_.front();
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

void pool_core::after_release() noexcept {
    grant();
    if (running_ == 0) {
        wake_if_idle();
    }
}

void pool_core::release_slot(job& ended) noexcept {
    job* const host = std::exchange(ended.slot_host_, nullptr);
    if (host == nullptr) {
        --running_;
        grant();
        return;
    }
    job* const next = host->guests_.empty() ? next_claim(*host) : &host->guests_.pop_front();
    if (next == nullptr) {
        host->has_guest_ = false;
        return;
    }
    next->state_ = job_state::granted;
    next->attach(group_);
    loop_->make_ready_soon(*next);
    grant();  // a claim has left a place in the queue
}

void pool_core::resize(std::size_t max_concurrency) {
    check_range("max_concurrency", max_concurrency, 0);
    // More closures than before may run at a time, so more records may be needed for those that
    // wait already.
    while (records_ < std::min(max_concurrency, running_ + queue_.size() + parked_size_)) {
        add_record();
    }
    limit_ = max_concurrency;
    grant();
}

pool_stats pool_core::stats() const noexcept {
    pool_stats stats = stats_;
    stats.running = running_;
    stats.started = stats_.submitted - never_started_ - queue_.size();
    stats.queued = queue_.size();
    stats.parked = parked_size_;
    stats.max_concurrency = limit_;
    stats.max_queue_size = options_.max_queue_size;
    return stats;
}

}  // namespace weir::detail

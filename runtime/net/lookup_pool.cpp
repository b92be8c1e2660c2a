#include "detail/lookup_pool.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <utility>

#include "../thread/detail/native_thread.hpp"
#include "../thread/detail/process_bound.hpp"

namespace weir::detail {

lookup_pool::lookup_pool(std::size_t threads_max, std::size_t waiting_max, lookup_function ask)
    : threads_max_(threads_max), waiting_max_(waiting_max), ask_(std::move(ask)) {
    WEIR_ASSERT(threads_max_ != 0, "a pool of lookups has a thread or more");
}

std::error_code lookup_pool::submit(const std::shared_ptr<lookup>& asked) noexcept {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() >= waiting_max_ && queue_.size() - waiting_max_ >= threads_max_ - busy_) {
        return make_error_code(net_errc::resolver_busy);
    }
    // Those that are not busy go to the lookups that wait already.
    if (threads_ - busy_ <= queue_.size() && threads_ < threads_max_) {
        const int error = start_thread();
        if (error != 0 && threads_ == 0) {
            return {error, std::system_category()};
        }
    }
    try {
        queue_.push_back(asked);
    } catch (const std::bad_alloc&) {
        return std::make_error_code(std::errc::not_enough_memory);
    }
    work_.notify_one();
    return {};
}

void lookup_pool::withdraw(const lookup& asked) noexcept {
    std::shared_ptr<lookup> taken;
    const std::scoped_lock lock(mutex_);
    const auto at = std::ranges::find(queue_, &asked, &std::shared_ptr<lookup>::get);
    if (at != queue_.end()) {
        taken = std::move(*at);
        queue_.erase(at);
    }
}

void lookup_pool::close() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        closing_ = true;
    }
    work_.notify_all();
}

int lookup_pool::start_thread() noexcept {
    std::unique_ptr<std::shared_ptr<lookup_pool>> self;
    try {
        self = std::make_unique<std::shared_ptr<lookup_pool>>(shared_from_this());
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
    thread_start start;
    start.argument = self.get();
    start.detached = true;
    start.run = [](void* argument) -> void* {
        const std::unique_ptr<std::shared_ptr<lookup_pool>> pool(
            static_cast<std::shared_ptr<lookup_pool>*>(argument));
        (*pool)->work();
        return nullptr;
    };
    pthread_t id{};
    const int error = detail::start_thread(id, start);
    if (error == 0) {
        ++threads_;
        start.argument = self.release();  // the thread's from now on
    }
    return error;
}

void lookup_pool::work() noexcept {
    name_this_thread("weir-resolver");
    std::unique_lock lock(mutex_);
    while (true) {
        work_.wait(lock, [this] { return !queue_.empty() || closing_; });
        if (queue_.empty()) {
            return;
        }
        std::shared_ptr<lookup> asked = std::move(queue_.front());
        queue_.pop_front();
        ++busy_;
        lock.unlock();
        lookup_answer answer = ask_(asked->question);
        lock.lock();
        --busy_;  // before the asker goes on, who may have another question for this thread
        lock.unlock();
        deliver(asked, std::move(answer));
        asked.reset();
        lock.lock();
    }
}

void lookup_pool::deliver(const std::shared_ptr<lookup>& asked, lookup_answer answer) noexcept {
    const std::scoped_lock until_the_post_has_returned(asked->mutex);
    if (asked->loop == nullptr) {
        return;
    }
    asked->answer = std::move(answer);
    const auto arrive = [asked] {
        if (asked->asker != nullptr) {
            asked->asker->arrive();
        }
    };
    for (bool posted = false; !posted;) {
        try {
            asked->loop->post_urgent(arrive);
            posted = true;
        } catch (const std::bad_alloc&) {
            wait_for_memory();
        }
    }
}

namespace {

// The default pool of one process.
struct process_pool {
    std::shared_ptr<lookup_pool> pool =
        std::make_shared<lookup_pool>(lookups_max, lookups_waiting_max, &ask_system);
    unsigned forks = fork_count();
    const process_pool* before_fork = nullptr;  // the parent's, whose threads are not here
};

constinit std::atomic<process_pool*> the_pool{nullptr};

}  // namespace

std::shared_ptr<lookup_pool> default_lookup_pool() {
    // Pairs with the release in the exchange below.
    process_pool* known = the_pool.load(std::memory_order_acquire);
    if (known == nullptr || known->forks != fork_count()) [[unlikely]] {
        auto fresh = std::make_unique<process_pool>();
        fresh->before_fork = known;
        if (the_pool.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel,
                                             std::memory_order_acquire)) {
            known = fresh.release();  // never destroyed, as its threads never end
        }
    }
    return known->pool;
}

}  // namespace weir::detail

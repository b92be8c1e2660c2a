#include "detail/offload_core.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "../result.hpp"
#include "detail/native_thread.hpp"

namespace weir::detail {
namespace {

constexpr std::size_t threads_allowed_max = 4096;
constexpr std::size_t default_threads_max = 32;

offload_options checked(offload_options options) {
    if (options.threads_max > threads_allowed_max) {
        throw std::invalid_argument("offload_options::threads_max is " +
                                    std::to_string(options.threads_max) +
                                    "; allowed: 1 to 4096, or 0 for the default");
    }
    if (options.name == nullptr) {
        throw std::invalid_argument("offload_options::name is null; allowed: a string");
    }
    if (options.threads_max == 0) {
        options.threads_max = std::min(allowed_cpus().size() + 4, default_threads_max);
    }
    return options;
}

}  // namespace

bool offload_job::begin(offload_core& core, context& task, std::coroutine_handle<> resume,
                        bool unless_full) noexcept {
    static constexpr wait_kind kind{"blocking call", &cancel};
    if (task.stop_requested()) [[unlikely]] {
        was_canceled = true;
        return false;
    }
    core_ = &core;
    suspend(task, resume, kind);
    refusal_ = core.submit(*this, unless_full);
    if (refusal_) [[unlikely]] {
        task.end_wait();
        return false;
    }
    return true;
}

void offload_job::throw_if_not_run() const {
    if (was_canceled) [[unlikely]] {
        throw canceled();
    }
    if (refusal_) [[unlikely]] {
        throw std::system_error(refusal_,
                                std::string("offload pool \"") + core_->options().name +
                                    "\": no thread runs, and the first one could not be started");
    }
}

void offload_job::cancel(waiter& self) noexcept {
    auto& job = static_cast<offload_job&>(self);
    if (job.core_->withdraw(job)) {
        job.core_->forget();
        job.was_canceled = true;
        job.wake();
    } else {
        job.ask_to_stop();  // the wait goes on until the call has ended
    }
}

void offload_job::arrive() noexcept {
    {
        const std::scoped_lock post_has_returned(*delivery_);
    }
    core_->forget();
    wake();
}

offload_core::offload_core(const offload_options& options, bool detached)
    : options_(checked(options)),
      detached_(detached),
      workers_(std::make_unique<worker[]>(options_.threads_max)) {}

offload_core::~offload_core() {
    WEIR_ASSERT(outstanding_.load(std::memory_order_relaxed) == 0,
                "an offload pool outlives the tasks that wait for its calls");
    std::size_t threads = 0;
    {
        const std::scoped_lock lock(mutex_);
        closing_ = true;
        threads = threads_;
    }
    work_.notify_all();
    for (std::size_t index = 0; index < threads; ++index) {
        pthread_join(workers_[index].id, nullptr);
    }
}

std::error_code offload_core::submit(offload_job& job, bool unless_full) noexcept {
    const std::scoped_lock lock(mutex_);
    if (unless_full && waiting_ >= options_.queue_max &&
        waiting_ - options_.queue_max >= options_.threads_max - busy_) {
        return make_error_code(thread_errc::full);
    }
    // Those that are not busy go to the jobs that wait already.
    if (threads_ - busy_ <= waiting_ && threads_ < options_.threads_max) {
        const int error = start_worker();
        if (error != 0 && threads_ == 0) {
            return {error, std::system_category()};
        }
    }
    outstanding_.fetch_add(1, std::memory_order_relaxed);
    jobs_.push_back(job);
    ++waiting_;
    work_.notify_one();
    return {};
}

bool offload_core::withdraw(offload_job& job) noexcept {
    const std::scoped_lock lock(mutex_);
    if (!job.is_linked()) {
        return false;
    }
    job.unlink();
    --waiting_;
    return true;
}

offload_stats offload_core::stats() const noexcept {
    const std::scoped_lock lock(mutex_);
    offload_stats now;
    now.threads = threads_;
    now.busy = busy_;
    now.queued = std::min(waiting_, options_.queue_max);
    now.parked = waiting_ - now.queued;
    return now;
}

int offload_core::start_worker() noexcept {
    worker& next = workers_[threads_];
    next.core = this;
    thread_start start;
    start.argument = &next;
    start.detached = detached_;
    start.run = [](void* argument) -> void* {
        auto& self = *static_cast<worker*>(argument);
        self.core->work(self);
        return nullptr;
    };
    const int error = start_thread(next.id, start);
    if (error == 0) {
        ++threads_;
    }
    return error;
}

void offload_core::work(worker& self) noexcept {
    name_this_thread(options_.name);
    std::unique_lock lock(mutex_);
    while (true) {
        work_.wait(lock, [this] { return !jobs_.empty() || closing_; });
        if (jobs_.empty()) {
            return;
        }
        auto& job = static_cast<offload_job&>(jobs_.pop_front());
        --waiting_;
        ++busy_;
        lock.unlock();
        job.run();
        lock.lock();
        --busy_;  // before its caller goes on, who may have another call for this thread
        lock.unlock();
        deliver(job, self);
        lock.lock();
    }
}

void offload_core::deliver(offload_job& job, worker& self) noexcept {
    const std::scoped_lock until_the_post_has_returned(self.delivery);
    job.delivery_ = &self.delivery;
    auto& loop = static_cast<event_loop&>(job.owner->loop());
    post_surely(loop, [ended = &job] { ended->arrive(); });
}

}  // namespace weir::detail

#include "event_loop.hpp"

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "result.hpp"

namespace weir {
namespace {

void check_range(const char* option, std::uint64_t value, std::uint64_t min, std::uint64_t max) {
    if (value < min || value > max) {
        throw std::invalid_argument("event_loop_options::" + std::string(option) + " is " +
                                    std::to_string(value) + "; allowed: " + std::to_string(min) +
                                    " to " + std::to_string(max));
    }
}

event_loop_options checked(event_loop_options options) {
    check_range("ring_entries", options.ring_entries, 1, 32'768);
    check_range("max_in_flight", options.max_in_flight, 1, 1'048'576);
    check_range("tick_budget", options.tick_budget, 1, UINT32_MAX);
    check_range("inbox_capacity", options.inbox_capacity, 1, SIZE_MAX);
    check_range("receive_buffers", options.receive_buffers, 1, 32'768);
    check_range("receive_buffer_size", options.receive_buffer_size, 64, 1'048'576);
    if (options.stall_threshold < duration::zero()) {
        throw std::invalid_argument("event_loop_options::stall_threshold is " +
                                    std::to_string(options.stall_threshold.count()) +
                                    " ns; allowed: 0 (off) or more");
    }
    return options;
}

}  // namespace

time_point scheduler::now() const noexcept { return driver_->now(); }

event_loop::event_loop(event_loop_options options)
    : event_loop(make_default_driver(checked(options)), options) {}

event_loop::event_loop(std::unique_ptr<weir::driver> io, event_loop_options options)
    : options_(checked(options)),
      driver_owner_(std::move(io)),
      inbox_(*driver_owner_, options_.inbox_capacity) {
    driver_ = driver_owner_.get();
    tick_time_ = driver_->now();
    timers_.advance(tick_time_);
}

event_loop::~event_loop() {
    WEIR_ASSERT(scheduler::current() != this, "a loop is destroyed outside of its run()");
    if (is_own_thread()) {
        finish_orphans();  // of objects that ended between run() and here
    }
    WEIR_ASSERT(timers_.size() == 0 && driver_->in_flight() == 0 && roots_.empty(),
                "a loop outlives its tasks and pools: end them before it is destroyed");
}

void event_loop::run_root(context& root, detail::completion_flag& done) {
    done.done = true;  // where this throws, the root was never started and its frame may go
    if (scheduler::current() != nullptr) {
        throw std::system_error(make_error_code(errc::loop_already_running),
                                "run() was called inside run()");
    }
    if (!attached_) {
        driver_->attach();
        attached_ = true;
        thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }
    WEIR_ASSERT(is_own_thread(), "a loop runs on the thread of its first run() only");
    done.done = false;
    struct current_scope {
        explicit current_scope(event_loop* loop) noexcept { current_ = loop; }
        ~current_scope() { current_ = nullptr; }
        current_scope(const current_scope&) = delete;
        current_scope& operator=(const current_scope&) = delete;
    };
    const current_scope scope(this);
    roots_.push_back(root);
    make_ready(root);
    tick_time_ = driver_->now();
    while (!done.done) {
        tick(done);
    }
    finish_orphans();
}

// An orphan ends by completions, or with a task of its own that it has asked to stop. Tasks that
// run meanwhile may leave more of them.
void event_loop::finish_orphans() {
    scheduler* const previous = std::exchange(current_, this);
    detail::intrusive_list<detail::orphan> told;
    while (true) {
        while (!orphans_.empty()) {
            detail::orphan& left = orphans_.pop_front();
            told.push_back(left);
            left.give_up();
        }
        if (told.empty()) {
            break;
        }
        run_ready();
        if (inbox_.maybe_nonempty()) {
            // A call on another thread, which an orphan's task waits for, ends by a post.
            counters_.posts += inbox_.drain();
            run_continuations();
        }
        run_tick_ends();
        const bool may_sleep = !has_ready() && orphans_.empty() && !told.empty();
        if (may_sleep && inbox_.prepare_to_sleep()) {
            driver_->wait(std::nullopt);
            inbox_.awake();
        } else if (driver_->has_work()) {
            driver_->poll();  // also where posts come without end
        }
    }
    current_ = previous;
}

void event_loop::run_tick_ends() noexcept {
    while (detail::tick_end_node* const node = tick_ends_) {
        tick_ends_ = node->next_tick_end;
        if (tick_ends_ == nullptr) {
            tick_ends_tail_ = &tick_ends_;
        }
        node->next_tick_end = nullptr;
        node->is_queued = false;
        node->at_tick_end(*node);
    }
}

loop_service* event_loop::find_service(const void* key) const noexcept {
    for (const auto& [known, service] : services_) {
        if (known == key) {
            return service.get();
        }
    }
    return nullptr;
}

loop_service& event_loop::add_service(const void* key, std::unique_ptr<loop_service> made) {
    return *services_.emplace_back(key, std::move(made)).second;
}

void event_loop::tick(const detail::completion_flag& done) {
    ++counters_.ticks;
    counters_.ready_depth_max = std::max<std::uint64_t>(counters_.ready_depth_max, ready_.size());
    run_ready();
    if (inbox_.maybe_nonempty()) {
        counters_.posts += inbox_.drain();
        run_continuations();
    }
    run_tick_ends();
    if (done.done) {
        return;
    }
    if (!has_ready()) {
        wait_for_events();
    } else if (driver_->has_work()) {
        driver_->poll();
    }
    tick_time_ = driver_->now();
    if (timers_.size() != 0) {
        counters_.timers_fired += timers_.advance(tick_time_);
    }
}

void event_loop::run_ready() {
    budget_ = options_.tick_budget;
    std::uint64_t resumed = 0;
    const bool timed = options_.stall_threshold != duration::zero();
    one_by_one_ = timed;
    std::size_t soon = soon_.size();  // how many of soon_ go before the next ordinary node
    while (has_ready() && take_budget()) {
        const bool ordinary = soon == 0 && !ready_.empty();
        detail::ready_node& node = ordinary || soon_.empty() ? ready_.pop() : soon_.pop();
        running_ = node.owner;
        if (timed) [[unlikely]] {
            resume_timed(node);
        } else {
            resume(node);
        }
        soon = ordinary ? soon_.size() : soon - (soon != 0 ? 1 : 0);
        ++resumed;
    }
    running_ = nullptr;
    counters_.resumes += resumed;
}

void event_loop::run_continuations() {
    while (next_) {
        std::exchange(next_, nullptr).resume();
    }
}

inline void event_loop::resume(detail::ready_node& node) {
    if (node.handle) [[likely]] {
        node.handle.resume();
    } else {
        node.owner->start();
    }
    run_continuations();
}

void event_loop::resume_timed(detail::ready_node& node) {
    const char* const name = node.owner->name();  // the task may be gone when it is reported
    const time_point start = now();
    resume(node);
    if (const duration held = now() - start; held > options_.stall_threshold) {
        report_stall(name, held);
    }
}

void event_loop::report_stall(const char* task, duration held) {
    ++counters_.stalls;
    std::fprintf(stderr, "weir: task \"%s\" held %s for %.3f ms (stall_threshold %.3f ms)\n",
                 task != nullptr ? task : "(unnamed)", options_.name,
                 static_cast<double>(held.count()) * 1e-6,
                 static_cast<double>(options_.stall_threshold.count()) * 1e-6);
}

void event_loop::wait_for_events() {
    const std::optional<time_point> deadline = timers_.next_event();
    if (deadline && *deadline <= tick_time_) {
        if (driver_->has_work()) {
            driver_->poll();
        }
        return;
    }
    if (!inbox_.prepare_to_sleep()) {
        // Posts that come without end do not starve I/O.
        if (driver_->has_work()) {
            driver_->poll();
        }
        return;
    }
    driver_->wait(deadline);
    inbox_.awake();
}

loop_counters event_loop::counters() const noexcept {
    loop_counters counters = counters_;
    driver_->add_counters(counters);
    return counters;
}

std::string event_loop::dump() const {
    std::ostringstream out;
    dump(out);
    return out.str();
}

}  // namespace weir

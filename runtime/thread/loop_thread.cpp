#include "detail/loop_thread.hpp"

#include <new>
#include <system_error>

#include "../detail/subtask.hpp"
#include "detail/native_thread.hpp"

namespace weir::detail {

loop_thread::loop_thread(loop_thread_options options) : options_(std::move(options)) {
    thread_start start;
    start.argument = this;
    start.cpu = options_.cpu;
    start.run = [](void* argument) -> void* {
        static_cast<loop_thread*>(argument)->run();
        return nullptr;
    };
    if (const int error = start_thread(thread_, start); error != 0) {
        std::string text = "the thread of loop \"" + options_.name + "\" cannot be started";
        if (options_.cpu >= 0) {
            text += " on processor " + std::to_string(options_.cpu);
        }
        throw std::system_error(error, std::system_category(), text);
    }
    started_.wait();
    if (start_error_ != nullptr) {
        pthread_join(thread_, nullptr);
        std::rethrow_exception(start_error_);
    }
}

loop_thread::~loop_thread() {
    WEIR_ASSERT(!is_here(), "what runs a loop is not destroyed by a task of that loop");
    request_stop();
    join();
}

void loop_thread::run() noexcept {
    name_this_thread(options_.name.c_str());
    try {
        loop_.emplace(options_.loop);
        loop_->run(serve());
    } catch (...) {
        start_error_ = std::current_exception();  // serve() throws nothing, so it has not begun
        started_.count_down();
    }
}

task<> loop_thread::serve() {
    scope jobs;
    jobs_ = &jobs;
    started_.count_down();
    co_await drained_.wait();
    co_await jobs.join();
    jobs_ = nullptr;
}

loop_thread::ticket loop_thread::enter() {
    std::unique_lock lock(mutex_);
    if (!closed_ && !has_room()) {
        if (is_here()) {
            throw_thread_error(thread_errc::would_deadlock,
                               '"' + options_.name + "\": a submit by its own thread while " +
                                   std::to_string(in_flight_) + " of " +
                                   std::to_string(options_.max_in_flight) + " calls are in flight");
        }
        room_.wait(lock, [this] { return closed_ || has_room(); });
    }
    if (closed_) {
        throw_thread_error(thread_errc::closed, '"' + options_.name + '"');
    }
    ++in_flight_;
    return ticket(*this);
}

result<loop_thread::ticket> loop_thread::try_enter() {
    const std::scoped_lock lock(mutex_);
    if (closed_) {
        return std::unexpected(make_error_code(thread_errc::closed));
    }
    if (!has_room()) {
        return std::unexpected(make_error_code(thread_errc::full));
    }
    ++in_flight_;
    return result<ticket>(std::in_place, *this);
}

void loop_thread::start(task<> call) {
    loop_->post_urgent(arrival{.to = this, .call = std::move(call)});
}

// Where there is no memory, the call is destroyed, and its settlement tells who waits for it.
void loop_thread::arrival::operator()() noexcept {
    try {
        to->jobs_->spawn_named("call", std::move(call));
    } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): handled by the settlement
    }
}

void loop_thread::leave() noexcept {
    bool last = false;
    {
        const std::scoped_lock lock(mutex_);
        --in_flight_;
        last = closed_ && in_flight_ == 0;
        room_.notify_one();
    }
    if (last && is_here()) {
        drained_.set();
    } else if (last) {
        post_surely(*loop_, [this] { drained_.set(); });
    }
}

void loop_thread::ticket::leave(const std::exception_ptr& error) noexcept {
    loop_thread& from = *std::exchange(where_, nullptr);
    // A call that never reached the loop has thrown at its caller.
    if (error != nullptr && from.options_.failures != nullptr && from.is_here() &&
        !(from.jobs_->stop_requested() && is_canceled(error))) {
        from.options_.failures->note(error);
    }
    from.leave();
}

void loop_thread::close() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        if (closed_) {
            return;
        }
        closed_ = true;
        room_.notify_all();
        if (in_flight_ != 0) {
            return;  // the last call's leave() sets drained_
        }
    }
    post_surely(*loop_, [this] { drained_.set(); });
}

void loop_thread::request_stop() noexcept {
    close();
    post_surely(*loop_, [this] {
        if (jobs_ != nullptr) {
            jobs_->request_stop();
        }
    });
}

void loop_thread::join() {
    refuse_own_thread("join");
    close();
    const std::scoped_lock lock(join_mutex_);
    if (!joined_) {
        pthread_join(thread_, nullptr);
        joined_ = true;
    }
}

std::size_t loop_thread::in_flight() const noexcept {
    const std::scoped_lock lock(mutex_);
    return in_flight_;
}

void loop_thread::refuse_own_thread(const char* call) const {
    if (is_here()) {
        throw_thread_error(thread_errc::would_deadlock,
                           '"' + options_.name + "\": " + call + " by its own thread");
    }
}

}  // namespace weir::detail

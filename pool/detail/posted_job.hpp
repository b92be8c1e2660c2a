// The record of a slot that runs posted closures: a job that is used again and again.
//
// A posted closure has no job while it is in its submitter's await or in the queue; when it is
// granted a slot, it moves into a spare record, where it stays until its body has ended. A pool has
// at most as many records as slots, makes them when they are first needed, and keeps them in its
// tree, so that such a job costs no construction and no list.
//
// States (see job.hpp): a spare record is created and in pool_core::spare_; it is granted, then
// running while it has a closure, and spare again at the end. Thread: the loop's.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>

#include "../../runtime/task.hpp"
#include "callable_job.hpp"
#include "closure.hpp"
#include "job.hpp"

namespace weir::detail {

class posted_job final : public job {
  public:
    posted_job(pool_core& owner, scheduler& loop, context& group) noexcept;

    // Takes a closure to run. The source is moved from.
    void fill(const closure_ops& ops, void* closure, std::uint64_t id) noexcept {
        ops_ = &ops;
        ops.move(closure, closure_);
        id_ = id;
        set_name("job");  // the last body may have named itself
        state_ = job_state::granted;
    }

    // Begins the body of the closure; when this returns it may have ended and the record be spare.
    void begin() noexcept {
        state_ = job_state::running;
        ops_->begin(*this);
    }

    // Destroys the closure, if there is one.
    void empty() noexcept {
        if (ops_ != nullptr) {
            std::exchange(ops_, nullptr)->destroy(closure_);
        }
    }

    // Begins a body whose callable stays in its submitter's await.
    template <class T>
    void run_in_place(pool_core& owner, task<T> body) noexcept;

    void begin_in_place(std::uint64_t id) noexcept {
        id_ = id;
        set_name("job");
        state_ = job_state::running;
    }

    void end_in_place() noexcept { state_ = job_state::created; }

    void start() noexcept override;
    void on_done() noexcept override { finish_(*this); }

    void discard() noexcept {
        detach();
        delete this;
    }

    // Becomes as if made anew, in the same place: what its last body was asked to do and what was
    // asked of it is forgotten.
    void renew(context& group) noexcept;

    [[nodiscard]] bool is_spare() const noexcept override { return state() == job_state::created; }

    posted_job* next_spare = nullptr;

  private:
    template <class Closure>
    friend struct closure_ops_for;
    friend class pool_core;

    ~posted_job() override = default;

    // Starts a body; true when it has ended already, and then its frame is gone.
    template <class T>
    bool begin_body(scheduler& on, std::coroutine_handle<promise<T>> handle) noexcept {
        first_step step;
        handle.promise().set_context(*this);
        handle.promise().set_continuation(continuation(step));
        context* const previous = on.exchange_running(this);
        handle.resume();
        on.exchange_running(previous);
        if (step.ended) {
            return true;
        }
        if (handle.done()) {
            end_frame<T>(handle);
            return true;
        }
        body_ = handle;
        finish_ = &finish<T>;
        handle.promise().set_continuation(continuation(*this));
        return false;
    }

    template <class T>
    void run_body(task<T> body) noexcept {
        const std::coroutine_handle<promise<T>> handle = task_access::release(body);
        WEIR_ASSERT(handle, "a job needs a task that was not moved from");
        if (begin_body<T>(loop(), handle)) {
            empty();
            ended();
        }
    }

    template <class T>
    static void finish(posted_job& self) noexcept {
        end_body<T>(self, std::coroutine_handle<promise<T>>::from_address(self.body_.address()));
    }

    // Keeps the error that a body ended with, and destroys its frame.
    template <class T>
    void end_frame(std::coroutine_handle<promise<T>> handle) noexcept {
        if (handle.promise().failed()) [[unlikely]] {
            error_ = handle.promise().error();
        }
        handle.destroy();
    }

    // Destroys the frame, then the closure; then the slot is free.
    template <class T>
    static void end_body(posted_job& self, std::coroutine_handle<promise<T>> handle) noexcept {
        self.end_frame<T>(handle);
        self.empty();
        self.ended();
    }

    void ended() noexcept;

    void run() noexcept override { begin(); }
    void abandon(std::exception_ptr why) noexcept override { error_ = std::move(why); }
    [[nodiscard]] std::exception_ptr error() const noexcept override { return error_; }
    void replace_error(std::exception_ptr error) noexcept override { error_ = std::move(error); }

    const closure_ops* ops_ = nullptr;  // of the closure that is here
    std::coroutine_handle<> body_;
    void (*finish_)(posted_job&) noexcept = nullptr;
    std::exception_ptr error_;  // what the body ended with
    alignas(std::max_align_t) std::byte closure_[closure_size_max];
};

template <class Closure>
struct closure_ops_for;

template <class F, class... A>
struct closure_ops_for<std::tuple<F, A...>> {
    using closure = std::tuple<F, A...>;
    using call_type = typename call_result<F, A...>::type;

    static closure& at(void* memory) noexcept { return *static_cast<closure*>(memory); }

    static call_type call(closure& target) {
        if constexpr (is_task<F>) {
            return std::get<0>(std::move(target));
        } else {
            return std::apply(
                [](F& function, A&... arguments) -> call_type {
                    return std::invoke(function, std::move(arguments)...);
                },
                target);
        }
    }

    static void begin(posted_job& record) noexcept {
        try {
            if constexpr (is_task<call_type>) {
                record.run_body(call(at(record.closure_)));
                return;
            } else {
                static_cast<void>(call(at(record.closure_)));
            }
        } catch (...) {
            record.error_ = std::current_exception();
        }
        record.empty();
        record.ended();
    }

    static void move(void* from, void* to) noexcept {
        std::construct_at(static_cast<closure*>(to), std::move(at(from)));
    }

    static void destroy(void* target) noexcept { std::destroy_at(&at(target)); }

    static job* make_job(pool_core& owner, void* source);

    static constexpr closure_ops table{&begin, &move, &destroy, &make_job};
};

}  // namespace weir::detail

// The job behind a post that starts in place: it has no callable of its own, for the callable is
// still in the submitter's await when the body begins, and gone when the body has ended at once, as
// most do. A pool makes one per slot at most and keeps it, so that such a job costs no construction.
//
// States (see job.hpp): a spare one is created and in pool::spare_; it is running while its body is,
// enters the pool's tree only when the body suspends, and becomes spare again at its end.
// Thread: the loop's.
#pragma once

#include <coroutine>

#include "../../runtime/task.hpp"
#include "job.hpp"

namespace weir::detail {

class in_place_job final : public job {
  public:
    using job::job;

    in_place_job* next_spare = nullptr;

    // The body has suspended: from now on this is a job like any other.
    template <class T>
    void adopt(task<T>& body) noexcept {
        const std::coroutine_handle<promise<T>> handle = task_access::release(body);
        body_ = handle;
        finish_ = &finish<T>;
        handle.promise().set_continuation(continuation(*this));
        enter_tree();
    }

    void on_done() noexcept override { finish_(*this); }

    void discard() noexcept { delete this; }

  private:
    ~in_place_job() override = default;

    template <class T>
    static void finish(in_place_job& self) noexcept {
        const auto handle = std::coroutine_handle<promise<T>>::from_address(self.body_.address());
        self.outcome_ = job_outcome::value;
        if (handle.promise().failed()) [[unlikely]] {
            self.outcome_ = job_outcome::error;
            self.error_ = handle.promise().error();
        }
        handle.destroy();
        job_ended(self);
    }

    void enter_tree() noexcept;
    void retire() noexcept override;

    void run() noexcept override {
        WEIR_ASSERT(false, "an in-place job is begun by the await that submits it");
    }
    void abandon(std::exception_ptr why) noexcept override { error_ = std::move(why); }
    [[nodiscard]] std::exception_ptr error() const noexcept override { return error_; }
    void replace_error(std::exception_ptr error) noexcept override { error_ = std::move(error); }

    std::coroutine_handle<> body_;
    void (*finish_)(in_place_job&) noexcept = nullptr;
    std::exception_ptr error_;
};

}  // namespace weir::detail

// The context of a task that nobody awaits: it lives on the stack of event_loop::run.
#pragma once

#include <utility>

#include "../task.hpp"

namespace weir::detail {

// Whether a root has ended.
struct completion_flag {
    bool done = false;
};

template <class T>
class root_task final : public context, public completion_flag {
  public:
    root_task(scheduler& loop, task<T> main) noexcept
        : context(loop), handle_(task_access::release(main)) {
        WEIR_ASSERT(handle_, "run() needs a task that was not moved from");
        set_name("main");
        handle_.promise().set_context(*this);
        handle_.promise().set_continuation(continuation(*this));
        handle = handle_;
    }

    ~root_task() override {
        WEIR_ASSERT(done, "a loop stops running only after its main task has ended");
        handle_.destroy();
        detach();
    }

    void on_done() noexcept override { done = true; }

    T take() { return handle_.promise().take(); }

  private:
    std::coroutine_handle<promise<T>> handle_;
};

}  // namespace weir::detail

// A task that an object of the library runs for itself, one at a time: it belongs to nobody's scope
// and ends with its object.
//
// States: idle -> running (run()) -> idle (on_ended()). request_stop() is for good.
// Lifetime: the object outlives its task; on_ended() may delete it. Thread: the loop's.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

#include "../../runtime/event_loop.hpp"
#include "../../runtime/task.hpp"

namespace weir::redisq::detail {

class background : public context {
  public:
    [[nodiscard]] bool is_running() const noexcept { return handle_ != nullptr; }
    [[nodiscard]] bool is_spare() const noexcept override { return !is_running(); }

  protected:
    // `name` is static storage.
    background(event_loop& loop, const char* name) noexcept : context(loop) {
        set_name(name);
        loop.add_root(*this);
    }
    ~background() override { detach(); }

    // Starts `body` soon. Requires !is_running().
    void run(task<> body) noexcept {
        WEIR_ASSERT(handle_ == nullptr, "one task runs in the background at a time");
        handle_ = weir::detail::task_access::release(body);
        handle_.promise().set_context(*this);
        handle_.promise().set_continuation(weir::detail::continuation(*this));
        handle = handle_;
        loop().make_ready(*this);
    }

    // The task has ended, and `thrown` is what it threw, if anything.
    virtual void on_ended(std::exception_ptr thrown) noexcept = 0;

  private:
    void on_done() noexcept final {
        const auto ended = std::exchange(handle_, nullptr);
        std::exception_ptr thrown = ended.promise().error();
        ended.destroy();
        on_ended(std::move(thrown));
    }

    std::coroutine_handle<weir::detail::promise<void>> handle_;
};

}  // namespace weir::redisq::detail

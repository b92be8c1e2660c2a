// The awaiter of one kernel operation. A derived class fills `request` and turns finish() into its
// own result.
#pragma once

#include <cerrno>

#include "../driver.hpp"
#include "../result.hpp"
#include "../task.hpp"

namespace weir::detail {

class io_awaiter : protected operation {
  public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr wait_kind kind{"I/O", &cancel};
        context& owner_task = task.promise().context();
        if (owner_task.stop_requested()) [[unlikely]] {
            outcome = -ECANCELED;
            return false;
        }
        suspend(owner_task, task, kind);
        owner_task.loop().io().start(*this);
        return true;
    }

  protected:
    io_awaiter() noexcept = default;

    [[nodiscard]] result<int> finish() const noexcept { return result_from_kernel(outcome); }

  private:
    // The wait goes on until the terminal completion has arrived.
    static void cancel(waiter& self) noexcept {
        self.owner->loop().io().cancel(static_cast<operation&>(static_cast<io_awaiter&>(self)));
    }
};

}  // namespace weir::detail

// background_loop: an event loop on a thread of its own, for programs that are not made of tasks.
//
//     weir::background_loop background;
//     std::future<int> later = background.submit(fetch, 1);   // fetch returns a task or a value
//     const int now = background.run(fetch, 2);               // waits for it
//
// A call is handed to the loop with its decay-copied arguments (std::ref for a reference) and
// starts there in the order of submitting; a call that returns a task runs beside the others. At
// most max_in_flight calls are on their way or running: submit() blocks the calling thread
// meanwhile, try_submit() returns thread_errc::full and leaves the callable and its arguments as
// they are. When a future is ready, the call's frame and arguments are gone and its place is free.
// Dropping a future changes nothing for the call, and its error is then lost.
//
// Closing: close() refuses later calls; join() also waits until all that were accepted have ended;
// stop() asks those to stop as well, and futures of calls that end by it throw weir::canceled (a
// call that had not begun never runs). The destructor stops. All are repeatable.
//
// Errors: the constructor throws std::invalid_argument, what event_loop's throws, and
// std::system_error when no thread can be started. submit() and run() throw std::system_error:
// thread_errc::closed; would_deadlock where the loop's own thread would wait for itself (run(),
// join(), stop(), and submit() when it is full); forked in a child process. A loop's thread other
// than this one is blocked by run(), and by submit() when it is full: no error, but its tasks wait.
// Lifetime: outlives every call of its functions. Thread: any.
#pragma once

#include <future>
#include <utility>

#include "detail/loop_call.hpp"

namespace weir {

struct background_loop_options {
    event_loop_options loop = {};
    // Calls that were submitted and have not ended, 1 or more.
    std::size_t max_in_flight = 10'000;
    // Static storage. The thread carries it (its first 15 bytes), errors name it.
    const char* name = "weir-background";
};

class background_loop {
  public:
    // Returns when the loop runs.
    explicit background_loop(const background_loop_options& options = {});
    ~background_loop();
    background_loop(const background_loop&) = delete;
    background_loop& operator=(const background_loop&) = delete;

    // Starts function(arguments...) on the loop; waits while max_in_flight calls have not ended.
    template <class F, class... Arguments>
        requires detail::loop_callable<F, Arguments...>
    [[nodiscard]] std::future<detail::loop_value<F, Arguments...>> submit(
        F&& function, Arguments&&... arguments) {
        return detail::start_call(core("submit").enter(), std::forward<F>(function),
                                  std::forward<Arguments>(arguments)...);
    }

    // The same without waiting: thread_errc::full or closed, and nothing was moved from.
    template <class F, class... Arguments>
        requires detail::loop_callable<F, Arguments...>
    [[nodiscard]] result<std::future<detail::loop_value<F, Arguments...>>> try_submit(
        F&& function, Arguments&&... arguments) {
        auto place = core("try_submit").try_enter();
        if (!place) {
            return std::unexpected(place.error());
        }
        return detail::start_call(std::move(*place), std::forward<F>(function),
                                  std::forward<Arguments>(arguments)...);
    }

    // Starts it and waits for its value; rethrows what it throws.
    template <class F, class... Arguments>
        requires detail::loop_callable<F, Arguments...>
    detail::loop_value<F, Arguments...> run(F&& function, Arguments&&... arguments) {
        core("run").refuse_own_thread("run");
        return submit(std::forward<F>(function), std::forward<Arguments>(arguments)...).get();
    }

    void close();
    // Closes and asks to stop, but does not wait. Any thread, also the loop's.
    void request_stop();
    void join();
    void stop();

    // Calls that have not ended.
    [[nodiscard]] std::size_t in_flight() const { return core("in_flight").in_flight(); }

    // For post(), and for tools that ask for their loop.
    [[nodiscard]] event_loop& loop() { return core("loop").loop(); }

  private:
    // Throws thread_errc::forked.
    [[nodiscard]] detail::loop_thread& core(const char* call) const { return thread_.get(call); }

    detail::process_bound<detail::loop_thread> thread_;
};

}  // namespace weir

// The context of a task: which loop runs it, who stops it, what it waits for, what it is called.
//
//     weir::context& self = *weir::scheduler::current()->running();   // inside a task
//     while (!self.stop_requested()) { step(); }
//
// A context belongs to the root of a chain of awaits (the main task, a child of a scope, a job of a
// pool); the tasks that it awaits share it through their promises, so an await at any depth sees
// the stop of everything around it. Contexts form a tree, which request_stop() walks down and
// event_loop::dump() prints.
//
// States of a context, and who writes them:
//   runnable   waiting_ is null: it runs, stands in the ready queue, or awaits nothing yet
//   waiting    waiting_ names the await that suspended it (written by waiter::suspend)
// A wake (waiter::wake) ends `waiting` before the task runs again, so that a stop that comes later
// no longer reaches that await: whichever of value and stop came first wins.
//
// Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "clock.hpp"
#include "intrusive_list.hpp"
#include "ready_queue.hpp"

namespace weir {

class scheduler;
class context;

namespace detail {

struct waiter;

// What a waiter waits for: a name for dump(), and how a stop request ends the wait. `cancel` is
// null for waits that end by themselves once their children were stopped; otherwise it ends with
// waiter::wake.
struct wait_kind {
    const char* what;
    void (*cancel)(waiter&) noexcept;
};

// The part of an awaiter that stands in for its suspended task.
struct waiter : ready_node {
    const wait_kind* kind = nullptr;
    time_point since{};
    bool was_canceled = false;

    // Marks `task` as waiting here; `resume` continues it. Requires that it waits nowhere else.
    void suspend(context& task, std::coroutine_handle<> resume, const wait_kind& why) noexcept;

    // Ends the wait: the task goes to the back of the ready queue.
    void wake() noexcept;

    // The same on `loop`, which is the task's and runs, of a task that waited long: reads nothing
    // of the task, whose memory is on its way from afar.
    void wake_cold(scheduler& loop) noexcept;

    // The same, ahead of the ready queue (scheduler::make_ready_soon).
    void wake_soon() noexcept;
};

// A waiter that stands in a list of its like.
struct listed_waiter : waiter, list_node {
    // The usual `cancel`: leaves the list that it stands in, and wakes with was_canceled set.
    static void cancel_in_list(waiter& self) noexcept;
};

// Something that is told when a context is stopped; unlinks itself when it dies.
class stop_listener : public list_node {
  public:
    virtual void on_stop() noexcept = 0;

  protected:
    stop_listener() = default;
    ~stop_listener() = default;
};

class job;

}  // namespace detail

class context : public detail::ready_node, public detail::stop_listener {
  public:
    explicit context(scheduler& loop) noexcept : loop_(&loop) { owner = this; }

    // A child: it is stopped with `parent`, at once if that was stopped already.
    context(scheduler& loop, context& parent) noexcept : loop_(&loop) {
        owner = this;
        attach(parent);
    }

    context(const context&) = delete;
    context& operator=(const context&) = delete;

    [[nodiscard]] scheduler& loop() const noexcept { return *loop_; }
    [[nodiscard]] context* parent() const noexcept { return parent_; }
    [[nodiscard]] const char* name() const noexcept { return name_; }
    [[nodiscard]] const detail::waiter* waiting() const noexcept { return waiting_; }
    [[nodiscard]] detail::job* host() const noexcept { return host_; }
    [[nodiscard]] bool stop_requested() const noexcept { return stop_requested_; }

    // `name` is static storage, usually a literal.
    void set_name(const char* name) noexcept { name_ = name; }

    // Asks everything below to stop: the await that this context waits in is canceled, children
    // follow. Idempotent; nothing is resumed before the caller has returned to the loop.
    void request_stop() noexcept;

    void add_stop_listener(detail::stop_listener& listener) noexcept {
        listeners_.push_back(listener);
        if (stop_requested_) [[unlikely]] {
            listener.on_stop();
        }
    }

    // Calls `visit(detail::stop_listener&)` for each child and other listener.
    template <class Visit>
    void for_each_listener(Visit&& visit) const {
        listeners_.for_each(visit);
    }

    // Ends the present wait without waking: what waited starts another wait in its stead.
    void end_wait() noexcept { waiting_ = nullptr; }

    // Whether this stands by without a task: dump() leaves it out.
    [[nodiscard]] virtual bool is_spare() const noexcept { return false; }

    // How many tasks without a context of their own are to start on this one.
    [[nodiscard]] virtual std::size_t followers() const noexcept { return 0; }

    // Runs what a ready node without a coroutine stands for.
    virtual void start() noexcept;

    // The root task of this context has reached its end; called from its final suspension.
    virtual void on_done() noexcept = 0;

    void on_stop() noexcept override { request_stop(); }

  protected:
    virtual ~context() = default;

    // Becomes a child of `parent`, and inherits its host unless it is a host itself.
    void attach(context& parent) noexcept {
        parent_ = &parent;
        if (host_ == nullptr) {
            host_ = parent.host_;
        }
        parent.add_stop_listener(*this);
    }

    // Leaves the parent's list.
    void detach() noexcept {
        if (is_linked()) {
            unlink();
        }
    }

    void set_host(detail::job* host) noexcept { host_ = host; }

  private:
    friend struct detail::waiter;

    scheduler* loop_;
    context* parent_ = nullptr;
    detail::waiter* waiting_ = nullptr;
    detail::job* host_ = nullptr;  // the innermost pool job that this task is part of
    const char* name_ = nullptr;
    detail::intrusive_list<detail::stop_listener> listeners_;
    bool stop_requested_ = false;
};

}  // namespace weir

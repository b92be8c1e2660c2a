// hiredis_adapter: runs hiredis' asynchronous client (redisAsyncContext) on our loop.
//
//     redisAsyncContext* const redis = redisAsyncConnect("127.0.0.1", 6379);
//     weir::redisq::hiredis_adapter adapter(*redis);
//     redisAsyncCommand(redis, on_reply, nullptr, "PING");   // on_reply calls redisAsyncDisconnect
//     co_await adapter.run();                                // until the context is gone
//
// For programs that have code for hiredis already. Its callbacks are called inside run(), one at a
// time, never inside a call of the program's; they may free the context. hiredis 0.14 or newer,
// which this header alone includes: it is not part of <weir/redisq.hpp>, and the library does not
// need hiredis.
//
// A stop of the task of run() leaves the context alive: run() throws weir::canceled, and may be
// called again, or the context freed.
//
// Lifetime: the adapter and its context may die in any order, the adapter not inside run().
// Thread: the loop's, as all of the context's.
// Source: /usr/include/hiredis/async.h, struct redisAsyncContext, ev.
#pragma once

#include <hiredis/async.h>
#include <poll.h>

#include <cstdint>

#include "../runtime/assert.hpp"
#include "../runtime/detail/io_awaiter.hpp"
#include "../runtime/event.hpp"
#include "../runtime/scope.hpp"
#include "../runtime/task.hpp"

namespace weir::redisq {

class hiredis_adapter {
  public:
    // Requires a context that no other event library has, on the loop that will run it.
    explicit hiredis_adapter(redisAsyncContext& context) noexcept : context_(&context) {
        WEIR_ASSERT(context.ev.data == nullptr, "a context belongs to one event library");
        context.ev.data = this;
        context.ev.addRead = [](void* self) { of(self).reads_.set(); };
        context.ev.delRead = [](void* self) { of(self).reads_.reset(); };
        context.ev.addWrite = [](void* self) { of(self).writes_.set(); };
        context.ev.delWrite = [](void* self) { of(self).writes_.reset(); };
        context.ev.cleanup = [](void* self) { of(self).context_gone(); };
    }
    hiredis_adapter(const hiredis_adapter&) = delete;
    hiredis_adapter& operator=(const hiredis_adapter&) = delete;
    ~hiredis_adapter() {
        WEIR_ASSERT(running_ == nullptr, "a hiredis_adapter outlives its run()");
        if (context_ != nullptr) {
            context_->ev = {};
        }
    }

    // Ends when the context was freed or has disconnected. One task at a time.
    [[nodiscard]] task<> run() {
        WEIR_ASSERT(running_ == nullptr, "one task runs a hiredis_adapter");
        if (context_ == nullptr) {
            co_return;
        }
        scope both;
        const running_mark mark(*this, both);
        both.spawn(pump(reads_, POLLIN));
        both.spawn(pump(writes_, POLLOUT));
        co_await both.join();
    }

  private:
    // poll(2) for one event; the outcome is what the context finds out itself.
    class [[nodiscard]] poll_awaiter : public weir::detail::io_awaiter {
      public:
        poll_awaiter(int fd, std::uint32_t events) noexcept {
            request.opcode = io_opcode::poll;
            request.fd = fd;
            request.operation_flags = events;
        }
        void await_resume() const {
            if (outcome == -ECANCELED) {
                throw canceled();
            }
        }
    };

    class running_mark {
      public:
        running_mark(hiredis_adapter& adapter, scope& both) noexcept : adapter_(adapter) {
            adapter_.running_ = &both;
        }
        running_mark(const running_mark&) = delete;
        running_mark& operator=(const running_mark&) = delete;
        ~running_mark() { adapter_.running_ = nullptr; }

      private:
        hiredis_adapter& adapter_;
    };

    static hiredis_adapter& of(void* self) noexcept { return *static_cast<hiredis_adapter*>(self); }

    void context_gone() noexcept {
        context_ = nullptr;
        if (running_ != nullptr) {
            running_->request_stop();
        }
    }

    // ref: the event is this adapter's, which outlives run().
    task<> pump(event& wanted, short events) {
        while (context_ != nullptr) {
            co_await wanted.wait();
            if (context_ == nullptr) {
                break;  // between the wake and this
            }
            co_await poll_awaiter(context_->c.fd, static_cast<std::uint32_t>(events));
            if (context_ == nullptr || !wanted.is_set()) {
                continue;
            }
            if (events == POLLIN) {
                redisAsyncHandleRead(context_);
            } else {
                redisAsyncHandleWrite(context_);
            }
        }
    }

    redisAsyncContext* context_;  // null when it is gone
    scope* running_ = nullptr;    // in the frame of run()
    event reads_;
    event writes_;
};

}  // namespace weir::redisq

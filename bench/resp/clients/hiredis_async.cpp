// hiredis's asynchronous connection on an epoll loop by hand, which asks the kernel for a change of
// interest only right before it waits: less than what the adapters for libevent and libev cost.
#include <hiredis/async.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <exception>

#include "../catalog.hpp"
#include "hiredis_common.hpp"

namespace resp {
namespace {

class epoll_loop {
  public:
    epoll_loop() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
        if (fd_ < 0) {
            throw bench::bench_error("epoll_create1 failed");
        }
    }
    epoll_loop(const epoll_loop&) = delete;
    epoll_loop& operator=(const epoll_loop&) = delete;
    ~epoll_loop() { ::close(fd_); }

    void attach(redisAsyncContext* context) {
        context_ = context;
        context->ev.data = this;
        context->ev.addRead = [](void* self) { of(self).wanted_ |= EPOLLIN; };
        context->ev.delRead = [](void* self) { of(self).wanted_ &= ~EPOLLIN; };
        context->ev.addWrite = [](void* self) { of(self).wanted_ |= EPOLLOUT; };
        context->ev.delWrite = [](void* self) { of(self).wanted_ &= ~EPOLLOUT; };
        context->ev.cleanup = [](void* self) { of(self).context_ = nullptr; };
        epoll_event event{};
        epoll_ctl(fd_, EPOLL_CTL_ADD, context->c.fd, &event);
    }

    // Waits once and handles what came; throws where the connection is gone.
    void turn() {
        if (wanted_ != set_) {
            epoll_event change{};
            change.events = set_ = wanted_;
            epoll_ctl(fd_, EPOLL_CTL_MOD, context_->c.fd, &change);
        }
        epoll_event event{};
        if (epoll_wait(fd_, &event, 1, -1) != 1) {
            return;
        }
        if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
            redisAsyncHandleRead(context_);
        }
        if (context_ != nullptr && (event.events & EPOLLOUT) != 0) {
            redisAsyncHandleWrite(context_);
        }
        if (context_ == nullptr) {
            throw bench::bench_error("hiredis: the connection is gone");
        }
    }

  private:
    static epoll_loop& of(void* self) { return *static_cast<epoll_loop*>(self); }

    int fd_;
    std::uint32_t wanted_ = 0;
    std::uint32_t set_ = 0;
    redisAsyncContext* context_ = nullptr;
};

class async_client {
  public:
    explicit async_client(const job& what)
        : context_(redisAsyncConnectUnix(what.socket_path.c_str())),
          of_(what.of),
          arguments_(command_of(what.of.op)),
          meter_(what.warm_up, what.window) {
        if (context_ == nullptr || context_->err != 0) {
            throw bench::bench_error(std::string("hiredis: ") +
                                     (context_ == nullptr ? "no memory" : context_->errstr));
        }
        loop_.attach(context_);
    }
    async_client(const async_client&) = delete;
    async_client& operator=(const async_client&) = delete;
    ~async_client() {
        if (context_ != nullptr) {
            // Calls back for what is under way, with no reply.
            redisAsyncFree(context_);
        }
    }

    figures in_batches() {
        bool running = meter_.tick();
        while (running) {
            const std::uint64_t began = meter_.now_ns();
            submit(of_.depth, on_reply);
            while (answered_ < of_.depth) {
                turn();
            }
            meter_.count(answered_);
            answered_ = 0;
            running = meter_.tick();
            meter_.sample(began);
        }
        return meter_.result();
    }

    // A window, and callers too: what was answered is followed by the next command, within the
    // callback.
    figures one_by_one() {
        tracer trace(meter_);
        bool running = meter_.tick();
        submit(of_.depth, on_reply_next);
        trace.sent(of_.depth);
        while (running) {
            turn();
            if (answered_ == 0) {
                continue;
            }
            meter_.count(answered_);
            running = meter_.tick();
            trace.answered(answered_);
            trace.sent(answered_);
            answered_ = 0;
        }
        return meter_.result();
    }

  private:
    void turn() {
        loop_.turn();
        if (error_ != nullptr) {
            std::rethrow_exception(error_);
        }
    }

    void submit(std::uint64_t count, redisCallbackFn* then) {
        for (std::uint64_t index = 0; index < count; ++index) {
            redisAsyncCommandArgv(context_, then, this, arguments_.count, arguments_.words.data(),
                                  arguments_.sizes.data());
        }
    }

    static void on_reply(redisAsyncContext* /*context*/, void* reply, void* data) {
        async_client& self = *static_cast<async_client*>(data);
        if (reply == nullptr) {
            return;
        }
        // No exception may pass through C.
        try {
            check_reply(static_cast<const redisReply*>(reply), self.of_.op);
        } catch (...) {
            self.error_ = std::current_exception();
        }
        ++self.answered_;
    }

    static void on_reply_next(redisAsyncContext* context, void* reply, void* data) {
        on_reply(context, reply, data);
        if (reply != nullptr) {
            static_cast<async_client*>(data)->submit(1, on_reply_next);
        }
    }

    epoll_loop loop_;
    redisAsyncContext* context_;
    shape of_;
    argument_list arguments_;
    std::uint64_t answered_ = 0;
    std::exception_ptr error_;
    meter meter_;
};

}  // namespace

figures run_hiredis_async(const job& what) {
    async_client client(what);
    return what.of.how == mode::callers || is_sliding(what.of) ? client.one_by_one()
                                                               : client.in_batches();
}

}  // namespace resp

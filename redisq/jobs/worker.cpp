#include "worker.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>

#include "../../runtime/detail/post_surely.hpp"
#include "../../runtime/event.hpp"
#include "../../runtime/process/signals.hpp"
#include "../../runtime/run.hpp"
#include "../../runtime/scope.hpp"
#include "../../runtime/thread/loop_group.hpp"
#include "../../runtime/when_any.hpp"
#include "detail/metrics_end.hpp"
#include "detail/worker_core.hpp"
#include "metrics.hpp"

namespace weir::redisq {

struct worker::state {
    client_options server;
    worker_options options;
    std::vector<detail::queue_request> queues;
    detail::worker_core::handlers handlers;
    detail::worker_core* core = nullptr;  // while run() goes on
    worker_stats last;

    [[nodiscard]] std::vector<detail::queue_request> requests() const {
        return queues.empty() ? std::vector<detail::queue_request>{{"default", 1}} : queues;
    }
};

namespace {

worker_options sound(worker_options options) {
    options.check();
    return options;
}

// What the cores of several threads have told of themselves.
class shared_figures {
  public:
    explicit shared_figures(std::size_t threads) : each_(threads) {}

    void set(std::size_t thread, const worker_stats& now) {
        const std::lock_guard hold(lock_);
        each_[thread] = now;
    }
    [[nodiscard]] worker_stats sum() const {
        const std::lock_guard hold(lock_);
        return sum_of(each_);
    }

  private:
    mutable std::mutex lock_;
    std::vector<worker_stats> each_;
};

// Where the thread that started the others waits for their end.
struct waiting_room {
    event_loop loop;
    event failed;  // one of the others
};

// ref: all outlive the loop that runs this.
task<> run_core(const client_options& server, const worker_options& options,
                const std::vector<detail::queue_request>& queues,
                const detail::worker_core::handlers& handlers, shared_figures& figures,
                waiting_room& caller, std::size_t thread) {
    detail::worker_core core(*event_loop::current(), server, options, queues, handlers);
    core.on_stats([&figures, thread](const worker_stats& now) { figures.set(thread, now); });
    if (thread != 0) {
        core.skip_warnings();
    }
    try {
        co_await core.run();
    } catch (...) {
        // Ends the other threads' workers, too.
        weir::detail::post_surely(caller.loop, [&caller] { caller.failed.set(); });
        throw;
    }
}

int report_failure(const char* what) {
    std::fprintf(stderr, "weir worker: %s\n", what);
    return 1;
}

class blocked_signals {
  public:
    blocked_signals() {
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        pthread_sigmask(SIG_BLOCK, &mask, &before_);
    }
    blocked_signals(const blocked_signals&) = delete;
    blocked_signals& operator=(const blocked_signals&) = delete;
    ~blocked_signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

task<> wait_for_signal() {
    signal_stream signals({SIGTERM, SIGINT});
    static_cast<void>(co_await signals.next());
}

task<> wait_for_failure(waiting_room* here) { co_await here->failed.wait(); }

task<> wait_for_end(waiting_room* here) {
    static_cast<void>(co_await when_any(wait_for_signal(), wait_for_failure(here)));
}

// ref: the caller awaits at once.
task<> run_then_stop(scope& beside, task<> body) {
    co_await std::move(body);
    beside.request_stop();
}

// Serves the metrics where the options say so, until `body` has ended.
task<> beside_metrics(worker_options options, std::function<worker_stats()> figures, task<> body) {
    metrics_options where;
    where.address = *detail::metrics_end(options);
    where.label = options.label;
    std::ranges::replace_if(where.label, [](char c) { return c == '"' || c == '\\'; }, '_');
    scope both;
    if (options.metrics_port != 0) {
        both.spawn(serve_metrics(std::move(figures), std::move(where)));
    }
    both.spawn(run_then_stop(both, std::move(body)));
    try {
        co_await both.join();
    } catch (const canceled&) {
        co_return;  // by a signal
    }
}

}  // namespace

worker::worker(std::string_view url, worker_options options)
    : worker(client_options(url), std::move(options)) {}

worker::worker(client_options server, worker_options options) : state_(std::make_unique<state>()) {
    state_->options = sound(std::move(options));
    detail::job_link::check(server, state_->options.cluster);
    state_->server = std::move(server);
}

worker::~worker() = default;

worker& worker::serve(std::string_view queue, unsigned weight) {
    const queue_keys checked(queue);
    if (weight == 0 || weight > 1000) {
        throw std::invalid_argument("worker: the weight of queue '" + checked.queue() + "' is " +
                                    std::to_string(weight) + "; allowed: 1 to 1000");
    }
    if (std::ranges::find(state_->queues, checked.queue(), &detail::queue_request::name) !=
        state_->queues.end()) {
        throw std::invalid_argument("worker: queue '" + checked.queue() +
                                    "' is served twice; allowed: once");
    }
    state_->queues.push_back({checked.queue(), weight});
    return *this;
}

void worker::add(std::shared_ptr<const detail::job_handler> handler) {
    for (const auto& known : state_->handlers) {
        if (known->type() == handler->type()) {
            throw std::invalid_argument("worker: a second handler for the type '" +
                                        handler->type() + "'; allowed: one");
        }
    }
    state_->handlers.push_back(std::move(handler));
}

task<> worker::run() {
    WEIR_ASSERT(state_->core == nullptr, "a worker runs once at a time");
    detail::worker_core core(*event_loop::current(), state_->server, state_->options,
                             state_->requests(), state_->handlers);
    state_->core = &core;
    std::exception_ptr failure;
    try {
        co_await core.run();
    } catch (...) {
        failure = std::current_exception();
    }
    state_->last = core.stats();
    state_->core = nullptr;
    if (failure != nullptr) {
        std::rethrow_exception(failure);
    }
}

int worker::run_until_signal(std::size_t threads) {
    try {
        if (threads <= 1) {
            run_options options;
            options.stop_signals = {SIGTERM, SIGINT};
            weir::run(beside_metrics(state_->options, [this] { return stats(); }, run()), options);
            return 0;
        }
        loop_group_options options;
        options.loops = threads;
        options.name = "weir-worker";
        // The signals are blocked before the threads start, so that only the stream gets them.
        const blocked_signals blocked;
        waiting_room here;
        const std::vector<detail::queue_request> queues = state_->requests();
        shared_figures figures(threads);
        loop_group group(options);  // ends before what its threads use
        std::vector<std::future<void>> ends;
        for (std::size_t i = 0; i < threads; ++i) {
            ends.push_back(group.spawn_on(i, &run_core, std::cref(state_->server),
                                          std::cref(state_->options), std::cref(queues),
                                          std::cref(state_->handlers), std::ref(figures),
                                          std::ref(here), i));
        }
        here.loop.run(beside_metrics(
            state_->options, [&figures] { return figures.sum(); }, wait_for_end(&here)));
        group.stop();
        state_->last = figures.sum();
        return 0;
    } catch (const std::exception& problem) {
        return report_failure(problem.what());
    }
}

void worker::request_stop() noexcept {
    if (state_->core != nullptr) {
        state_->core->begin_stop();
    }
}

worker_stats worker::stats() const {
    return state_->core != nullptr ? state_->core->stats() : state_->last;
}

const worker_options& worker::options() const noexcept { return state_->options; }

}  // namespace weir::redisq

// worker: runs the jobs of one queue or several.
//
//     weir::redisq::worker w("redis://localhost", {.max_concurrency = 1000});
//     w.serve("images").on(thumbnail, make_thumbnail);
//     return w.run_until_signal();   // SIGTERM: drain, hand back what never started
//
// A handler takes the payload of its job_type, and a job_context& if it likes, and gives the result
// or a task of it. When it returns, the job is done and gone from Redis; when it throws, the job is
// tried again as the handler's retry policy says, or kept among the dead with the reason. give_up
// and a payload that does not fit its type go there at once.
//
// At least once: a job whose worker dies, is stopped for longer than its lease or cannot reach
// Redis for so long, is run by another worker. One that dies with its worker max_crashes times is
// quarantined. The lease is on the server's clock; a worker that loses it asks all its jobs to stop
// and begins anew under another name.
//
// No more jobs are claimed than there are slots, so a backlog costs a worker no memory; new ones
// are read in windows, several of them on their way at a time.
//
// On a cluster: a URL with several hosts, or worker_options::cluster. Each queue lives at the node
// of its slot; see README.md.
//
// A type's limits (handler_options) are kept by holding its jobs back, in at most half of the
// slots; what is beyond is filed for later, a hundred jobs a second, in no order. So a deep backlog
// of such jobs slows the other types of its queue: a type with a tight limit has a queue of its
// own.
//
// A job is canceled at once where it waits, and asked to stop where it runs. One of a batch that
// runs is not stopped alone: the batch goes on while any of its jobs is wanted; where it fails,
// those that were canceled are not tried again.
//
// Stopping (SIGTERM, the stop of the task that runs it, request_stop()): nothing new is claimed;
// running jobs have options.grace to end and are then asked to stop; what has not ended goes back
// and is run by others at once.
//
// Errors: std::invalid_argument for bad options, names and a handler that stands twice;
// redisq::exception from run() where the first lease is refused (wrong password, no rights). A
// server that is not there is waited for. Troubles are reported (worker_options::on_report) and
// mended by going on.
// Lifetime: outlives run(). Thread: one; run_until_signal() with several threads calls the handlers
// in each of them.
#pragma once

#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detail/job_handler.hpp"
#include "job_context.hpp"
#include "options.hpp"
#include "worker_stats.hpp"

#include "../options.hpp"

namespace weir::redisq {

class worker {
  public:
    // Throws std::invalid_argument.
    explicit worker(std::string_view url, worker_options options = {});
    explicit worker(client_options server, worker_options options = {});
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    ~worker();

    // Serves this queue; called for each, in the order of their priority. `weight` (1 to 1,000)
    // counts with queue_order::weighted. Without a call it is the queue "default".
    worker& serve(std::string_view queue, unsigned weight = 1);

    // Jobs of this type go to `function`, which is copied, and called with (payload) or
    // (payload, job_context&).
    template <class P, class R, class C, class F>
    worker& on(const job_type<P, R, C>& type, F function, handler_options options = {}) {
        add(std::make_shared<detail::typed_handler<job_type<P, R, C>, F>>(type, std::move(function),
                                                                          std::move(options)));
        return *this;
    }

    // Many jobs at once: `function` is called with a std::vector of payloads and gives a task<>.
    // All of them fail when it throws.
    template <class P, class C, class F>
    worker& on_batch(const job_type<P, void, C>& type, F function, batch_options options = {}) {
        add(std::make_shared<detail::typed_batch_handler<job_type<P, void, C>, F>>(
            type, std::move(function), std::move(options)));
        return *this;
    }

    // Runs on the loop of the calling task until that is stopped, or request_stop(). Repeatable,
    // not nested. Ends in order, which takes up to the grace and a few seconds.
    [[nodiscard]] task<> run();

    // Runs on a loop of its own, or on `threads` of them, each a worker with max_concurrency slots,
    // until SIGTERM or SIGINT, and serves metrics of all of them together where options say so.
    // Returns 0; reports what went wrong and returns 1.
    [[nodiscard]] int run_until_signal(std::size_t threads = 1);

    // Idempotent. On the thread of run().
    void request_stop() noexcept;

    // Of a run() that goes on, or of the last one, or of the last run_until_signal(). On its
    // thread.
    [[nodiscard]] worker_stats stats() const;

    [[nodiscard]] const worker_options& options() const noexcept;

  private:
    struct state;

    void add(std::shared_ptr<const detail::job_handler> handler);

    std::unique_ptr<state> state_;
};

}  // namespace weir::redisq

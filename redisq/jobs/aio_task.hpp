// aio_task: the API and the wire of nb_aio_task, so that Python producers feed C++ workers and the
// other way round.
//
//     weir::task<int> add(int x, int y) { co_return x + y; }
//     weir::redisq::aio_task<int, int, int> add_job(redis, "sums", add);
//     const int now = co_await add_job(3, 4);   // runs it directly
//     co_await add_job.submit(3, 4);            // RPUSH nb_aio_task:sums {"args":[3,4],...}
//     co_await add_job.consume();               // until add_job.stop()
//
// The Python side uses use_pickle=False; a pickle is refused, since it runs code when it is read.
// Consuming is safe where the original's is not: a call stands in a hash of its consumer until it
// has ended, and goes back when that dies. A call that throws, cannot be read, or is larger than
// the client's limits allow, is kept in nb_aio_task:<queue>:failed with the reason behind a line
// feed. Errors of the server end consume() only at its beginning; later it tries again, slower and
// slower, and reports (aio_options::on_report). At maxmemory it goes on to take and run calls.
//
// One server only: the original's keys have no cluster tag. For everything else (retries, results,
// limits, priorities) take queue and worker.
//
// Errors: redisq::exception; weir::canceled where the calling task is stopped; see aio_call.hpp.
// Lifetime: not longer than its client. Thread: the loop's.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "../../runtime/scope.hpp"
#include "aio_call.hpp"
#include "detail/aio_list.hpp"

namespace weir::redisq {

template <class R, class... A>
class aio_task {
  public:
    using function = task<R> (*)(A...);

    // Throws std::invalid_argument for a bad name or options.
    aio_task(client& server, std::string_view queue, function call, aio_options options = {})
        : call_(call), list_(server, queue, std::move(options)) {}

    // Runs it here and now.
    [[nodiscard]] task<R> operator()(A... arguments) const {
        return call_(std::move(arguments)...);
    }

    [[nodiscard]] task<> submit(const A&... arguments) {
        aio_call made;
        (made.args.push_back(detail::to_payload(arguments)), ...);
        return list_.push(write_aio_call(made));
    }

    // Runs what is submitted, here and elsewhere, at most max_concurrency at a time, until stop()
    // or the stop of the calling task; then waits for what runs.
    [[nodiscard]] task<> consume() { return list_.consume(caller{call_, &list_}); }

    // Idempotent.
    void stop() noexcept { list_.stop(); }

    // Elements that wait.
    [[nodiscard]] task<std::size_t> queue_size() { return list_.size(); }

    // Removes them.
    [[nodiscard]] task<> clear() { return list_.clear(); }

  private:
    struct caller {
        // ref: read before this returns.
        task<> operator()(const aio_call& call) const {
            return run(function_, detail::aio_arguments<A...>(call, list->options().parameters));
        }
        static task<> run(function call, std::tuple<A...> arguments) {
            co_await std::apply(call, std::move(arguments));
        }
        function function_;
        detail::aio_list* list;
    };

    function call_;
    detail::aio_list list_;
};

namespace detail {

// ref: the tasks outlive their consumption, as batch_consume says.
template <class... Tasks>
task<> consume_all(Tasks&... tasks) {
    scope s;
    (s.spawn(tasks.consume()), ...);
    co_await s.join();
}

}  // namespace detail

// Consumes several; ends when all have been stopped. The tasks outlive it.
template <class... Tasks>
[[nodiscard]] task<> batch_consume(Tasks&... tasks) {
    return detail::consume_all(tasks...);
}

}  // namespace weir::redisq

// with_pool: a pool for the length of one task.
//
//     weir::task<> crawl(weir::pool& p) { co_await p.post(fetch, std::string("a")); }
//     co_await weir::with_pool({.max_concurrency = 10}, crawl);
//
// When the function returns, the pool is drained; when it throws, or its task is stopped, the pool
// is stopped: what is queued never runs, what runs is asked to stop, and all has ended before the
// exception goes on.
//
// Inside a job of another pool, the jobs of this one belong to that job: what they run() in the
// other pool, and what has no room there, runs on that job's slot. Jobs of a `pool` that a job
// makes without with_pool do not: where they wait for the other pool, and the job for them, both
// may wait for ever.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "../runtime/this_task.hpp"
#include "detail/idle_awaiter.hpp"
#include "pool.hpp"

namespace weir {

namespace detail {

template <class F, class... Arguments>
auto run_with_pool(pool_options options, F function, Arguments... arguments)
    -> std::invoke_result_t<F, pool&, Arguments...> {
    using value = typename std::invoke_result_t<F, pool&, Arguments...>::value_type;
    pool p(options);
    detail::pool_core& core = detail::pool_access::core(p);
    context& caller = co_await detail::context_awaiter();
    core.set_outer(caller.host());  // a job around this waits for all jobs of the pool
    std::optional<detail::stored_value<value>> out;
    std::exception_ptr error;
    try {
        co_await detail::keep(std::invoke(std::move(function), p, std::move(arguments)...), out);
        core.close();
        detail::idle_awaiter until_idle(core, true);
        co_await until_idle;
    } catch (...) {
        error = std::current_exception();
    }
    if (error != nullptr) {
        core.stop_all();  // which needs no memory, unlike stop()
        detail::idle_awaiter until_idle(core, false);
        co_await until_idle;
        std::rethrow_exception(error);
    }
    if constexpr (!std::is_void_v<value>) {
        co_return std::move(*out);
    }
}

}  // namespace detail

// Runs function(pool&, arguments...), a task, and yields its value. A callable with state is named
// first, or an `owned`: see owned.hpp.
template <class F, class... Arguments>
[[nodiscard]] auto with_pool(pool_options options, F&& function, Arguments... arguments)
    -> std::invoke_result_t<std::decay_t<F>, pool&, Arguments...> {
    detail::check_callable<F>();
    return detail::run_with_pool<std::decay_t<F>, Arguments...>(options, std::forward<F>(function),
                                                                std::move(arguments)...);
}

}  // namespace weir

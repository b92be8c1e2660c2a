// with_pool: a pool for the length of one task.
//
//     weir::task<> crawl(weir::pool& p) { co_await p.post(fetch, std::string("a")); }
//     co_await weir::with_pool({.max_concurrency = 10}, crawl);
//
// When the function returns, the pool is drained; when it throws, or its task is stopped, the pool
// is stopped: what is queued never runs, what runs is asked to stop, and all has ended before the
// exception goes on.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "pool.hpp"

namespace weir {

namespace detail {

template <class F, class... Arguments>
auto run_with_pool(pool_options options, F function, Arguments... arguments)
    -> std::invoke_result_t<F, pool&, Arguments...> {
    using value = typename std::invoke_result_t<F, pool&, Arguments...>::value_type;
    pool p(options);
    std::optional<detail::stored_value<value>> out;
    std::exception_ptr error;
    try {
        co_await detail::keep(std::invoke(std::move(function), p, std::move(arguments)...), out);
        co_await p.drain();
    } catch (...) {
        error = std::current_exception();
    }
    if (error != nullptr) {
        co_await p.stop();
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

// expect: destroys a temporary callable twice beside a co_await
// compiler: gcc
// As lambda_beside_await, for batches.
#include <weir/pool/pool.hpp>

#include <cstddef>
#include <ranges>
#include <string>
#include <utility>

weir::task<> batch_lambda(weir::pool& p) {
    const std::string text = "text";
#ifdef FIXED
    const auto work = [text](std::size_t at) { return text.size() + at; };
    static_cast<void>(co_await p.batch_run(work, std::views::iota(0U, 3U)));
#else
    static_cast<void>(co_await p.batch_run([text](std::size_t at) { return text.size() + at; },
                                           std::views::iota(0U, 3U)));
#endif
}

// expect: destroys a temporary callable twice beside a co_await
// compiler: gcc
// As lambda_beside_await, for submit.
#include <weir/pool/pool.hpp>

#include <cstddef>
#include <string>
#include <utility>

weir::task<std::size_t> submit_lambda(weir::pool& p) {
    const std::string text = "text";
#ifdef FIXED
    const auto work = [text] { return text.size(); };
    auto handle = co_await p.submit(work);
    co_return co_await std::move(handle);
#else
    auto handle = co_await p.submit([text] { return text.size(); });
    co_return co_await std::move(handle);
#endif
}

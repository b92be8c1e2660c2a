// expect: destroys a temporary callable twice beside a co_await
// compiler: gcc
// As lambda_beside_await, for with_pool.
#include <weir/pool/with_pool.hpp>

#include <cstddef>
#include <string>
#include <utility>

weir::task<> post_text(weir::pool& p, std::string text) {
    co_await p.post([](const std::string& in) { return in.size(); }, std::move(text));
}

weir::task<> use_pool() {
    const std::string text = "text";
#ifdef FIXED
    const auto work = [text](weir::pool& p) { return post_text(p, text); };
    co_await weir::with_pool(weir::pool_options(), work);
#else
    co_await weir::with_pool(weir::pool_options(),
                             [text](weir::pool& p) { return post_text(p, text); });
#endif
}

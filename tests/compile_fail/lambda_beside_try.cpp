// expect: destroys a temporary callable twice beside a co_await
// compiler: gcc
// As lambda_beside_await, for try_submit, which may stand beside one too.
#include <weir/pool/pool.hpp>

#include <cstddef>
#include <string>
#include <utility>

weir::task<bool> try_lambda(weir::pool& p) {
    const std::string text = "text";
#ifdef FIXED
    const auto work = [text] { return text.size(); };
    co_return p.try_submit(work).has_value();
#else
    co_return p.try_submit([text] { return text.size(); }).has_value();
#endif
}

// expect: destroys a temporary callable twice beside a co_await
// compiler: gcc
// As lambda_beside_await, for run.
#include <weir/pool/pool.hpp>

#include <cstddef>
#include <string>
#include <utility>

weir::task<std::size_t> run_lambda(weir::pool& p) {
    const std::string text = "text";
#ifdef FIXED
    weir::owned work{[text] { return text.size(); }};
    co_return co_await p.run(std::move(work));
#else
    co_return co_await p.run([text] { return text.size(); });
#endif
}

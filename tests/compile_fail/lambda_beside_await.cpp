// expect: destroys a temporary callable twice beside a co_await
// compiler: gcc
// g++ 12 would run the destructor of the lambda's string twice.
#include <weir/pool/pool.hpp>

#include <cstddef>
#include <string>
#include <utility>

weir::task<> submit_lambda(weir::pool& p) {
    std::string text = "text";
#ifdef FIXED
    weir::owned work{[text] { return text.size(); }};
    co_await p.post(std::move(work));
#else
    co_await p.post([text] { return text.size(); });
#endif
}

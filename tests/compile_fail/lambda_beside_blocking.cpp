// expect: destroys a temporary callable twice beside a co_await
// compiler: gcc
// As lambda_beside_await, for blocking.
#include <weir/runtime/thread/blocking.hpp>

#include <cstddef>
#include <string>
#include <utility>

weir::task<std::size_t> call_lambda() {
    const std::string text = "text";
#ifdef FIXED
    const auto size = [text] { return text.size(); };
    co_return co_await weir::blocking(size);
#else
    co_return co_await weir::blocking([text] { return text.size(); });
#endif
}

// expect: destroys a temporary callable twice beside a co_await
// compiler: gcc
// As lambda_beside_await, for with_scope.
#include <weir/runtime/scope.hpp>

#include <cstddef>
#include <string>
#include <utility>

weir::task<> look_at(std::string text) {
    static_cast<void>(text.size());
    co_return;
}

weir::task<> use_scope() {
    const std::string text = "text";
#ifdef FIXED
    const auto work = [text](weir::scope& /*children*/) { return look_at(text); };
    co_await weir::with_scope(work);
#else
    co_await weir::with_scope([text](weir::scope& /*children*/) { return look_at(text); });
#endif
}

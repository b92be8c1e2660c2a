// expect: a view does not own its elements
// Moving them out of what the view shows would empty somebody else's container.
#include <weir/pool/pool.hpp>

#include <memory>
#include <span>
#include <utility>
#include <vector>

weir::task<int> unbox(std::unique_ptr<int> box) { co_return *box; }

weir::task<> unbox_all(weir::pool& p) {
    std::vector<std::unique_ptr<int>> boxes;
#ifdef FIXED
    static_cast<void>(co_await p.batch_run(unbox, std::move(boxes)));
#else
    static_cast<void>(co_await p.batch_run(unbox, std::span(boxes)));
#endif
}

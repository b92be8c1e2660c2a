// A program outside the tree: what an embedder's first build looks like.
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

#include <cstdio>
#include <utility>

namespace {

weir::task<int> square(int x) {
    co_await weir::yield();
    co_return x* x;
}

weir::task<int> sum_of_squares() {
    weir::pool_options options;
    options.max_concurrency = 2;
    weir::pool pool(std::move(options));
    int sum = 0;
    for (int i = 1; i <= 3; ++i) {
        sum += co_await pool.run(square, i);
    }
    co_await pool.drain();
    co_return sum;
}

}  // namespace

int main() {
    const int sum = weir::run(sum_of_squares());
    std::printf("%d\n", sum);
    return sum == 14 ? 0 : 1;
}

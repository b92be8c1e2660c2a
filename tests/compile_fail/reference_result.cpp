// expect: a job yields a value
// What a reference names may have gone by the time that a job's result is read.
#include <weir/pool/pool.hpp>

#include <vector>

const int& first(const std::vector<int>& numbers) { return numbers.front(); }
int first_copy(const std::vector<int>& numbers) { return numbers.front(); }

weir::task<> run_one(weir::pool& p, std::vector<int> numbers) {
#ifdef FIXED
    static_cast<void>(co_await p.run(first_copy, numbers));
#else
    static_cast<void>(co_await p.run(first, numbers));
#endif
}

// expect: no type named .type. in .*invoke_result
// Arguments are copied into the job, which may outlive the caller's; a reference is asked for by
// name.
#include <weir/pool/pool.hpp>

#include <functional>

void count(int& counter) { ++counter; }

// ref: the caller's counter outlives the pool.
weir::task<> run_one(weir::pool& p, int& counter) {
#ifdef FIXED
    co_await p.run(count, std::ref(counter));
#else
    co_await p.run(count, counter);
#endif
}

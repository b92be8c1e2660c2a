// Time that passes only while nothing else happens: a million tasks sleep five seconds each, a
// thousand at a time, and the program ends in about a second. Tests of timeouts, retries and rate
// limits run like this: at once, and the same way every time.
#include <chrono>
#include <cstdio>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

weir::task<> nap() { co_await weir::sleep_for(5s); }

weir::task<> nap_often(weir::pool& pool, int naps) {
    for (int number = 0; number < naps; ++number) {
        co_await pool.post(nap);
    }
}

weir::task<> main_task(int naps) {
    weir::pool_options limits;
    limits.max_concurrency = 1'000;
    co_await weir::with_pool(limits, nap_often, naps);
}

int main() {
    constexpr int naps = 1'000'000;
    weir::manual_clock clock;
    weir::run_options options;
    options.loop.clock = &clock;
    const weir::time_point before = clock.now();
    weir::run(main_task(naps), options);
    const std::chrono::duration<double> passed = clock.now() - before;
    std::printf("%d sleeps of 5 s, 1,000 at a time: %.0f simulated seconds\n", naps,
                passed.count());
}

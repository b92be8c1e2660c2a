// A program of ordinary functions that uses tasks: a loop in the background runs them, many at a
// time, and hands back futures. What blocks in a task goes to the offload pool.
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <vector>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

constexpr int requests = 1'000;

// Stands for a call of a library that blocks its thread.
std::size_t look_up(const std::string& name) { return std::hash<std::string_view>()(name) % 100; }

weir::task<std::size_t> handle(int number) {
    co_await weir::sleep_for(5ms);  // a thousand of them at a time, on one thread
    co_return co_await weir::blocking(look_up, "item " + std::to_string(number));
}

int main() {
    weir::background_loop_options options;
    options.max_in_flight = requests;  // submit() waits where more are under way
    weir::background_loop background(options);

    std::vector<std::future<std::size_t>> results;
    results.reserve(requests);
    for (int number = 0; number < requests; ++number) {
        results.push_back(background.submit(handle, number));
    }
    std::size_t sum = 0;
    for (std::future<std::size_t>& result : results) {
        sum += result.get();
    }
    std::printf("%d requests, sum %zu; one more: %zu\n", requests, sum, background.run(handle, 1));
    background.join();  // what was accepted has ended; later submits are refused
}

// Several tasks at a time, always with an owner that waits for them: scope, with_scope, when_all,
// when_any, with_timeout. Whoever leaves one of these leaves nothing running behind.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <variant>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

weir::task<std::string> load(std::string what, std::chrono::milliseconds delay) {
    co_await weir::sleep_for(delay);
    co_return "the " + what;
}

weir::task<> visit(int* visited) {
    co_await weir::yield();
    ++*visited;
}

weir::task<> fail_soon() {
    co_await weir::yield();
    throw std::runtime_error("one child failed");
}

// The scope is a place to spawn into; with_scope ends when this and all children have ended.
weir::task<> visit_all(weir::scope& s, int* visited) {
    for (int child = 0; child < 100; ++child) {
        s.spawn(visit, visited);
    }
    co_return;
}

// The first failure stops the siblings, and comes out when all have ended.
weir::task<> fail_together(weir::scope& s) {
    s.spawn(load, "page that nobody will wait an hour for", 1h);
    s.spawn(fail_soon);
    co_return;
}

weir::task<> main_task() {
    int visited = 0;
    co_await weir::with_scope(visit_all, &visited);
    std::printf("scope:        %d children have ended\n", visited);

    try {
        co_await weir::with_scope(fail_together);
    } catch (const std::runtime_error& error) {
        std::printf("scope:        %s, and its sibling was stopped\n", error.what());
    }

    auto [user, orders] = co_await weir::when_all(load("user", 2ms), load("orders", 1ms));
    std::printf("when_all:     %s and %s\n", user.c_str(), orders.c_str());

    auto first = co_await weir::when_any(load("slow mirror", 1h), load("near mirror", 1ms));
    if (first.index == 1) {
        std::printf("when_any:     %s was first\n", std::get<1>(first.value).c_str());
    }

    try {
        co_await weir::with_timeout(5ms, load("answer", 1h));
    } catch (const weir::timed_out&) {
        std::puts("with_timeout: no answer within 5 ms");
    }
}

int main() { weir::run(main_task()); }

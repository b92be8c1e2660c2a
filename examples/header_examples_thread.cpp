// The examples in the comments of runtime/thread/*.hpp, word for word, with what they need around
// them; the test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <cstdio>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <system_error>
#include <weir/runtime.hpp>

namespace {

int used = 0;
void use(int value) { used += value; }

int add(int left, int right) { return left + right; }

weir::task<int> fetch(int number) {
    co_await weir::yield();
    co_return number;
}

weir::task<int> handle(int number) { return fetch(2 * number); }

std::string read_whole_file(const std::string& name) {
    std::ifstream file(name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void background_loop_example() {
    weir::background_loop background;
    std::future<int> later = background.submit(fetch, 1);   // fetch returns a task or a value
    const int now = background.run(fetch, 2);               // waits for it
    use(later.get() + now);
}

weir::task<> blocking_example() {
    const std::string text = co_await weir::blocking(read_whole_file, std::string("/etc/hosts"));
    use(static_cast<int>(text.size()));
}

bool errors_example() {
    weir::background_loop background;
    background.close();
    std::future<int> later;
    bool closed = false;
    try {
        later = background.submit(handle, 2);
    } catch (const std::system_error& error) {
        closed = error.code() == weir::thread_errc::closed;
    }
    return closed;
}

void loop_group_example() {
    weir::loop_group_options options;
    options.loops = 2;
    weir::loop_group group(options);
    std::future<int> answer = group.spawn_on(1, handle, 21);
    for (std::future<int>& each : group.spawn_on_all(handle, 1)) { use(each.get()); }
    group.join();   // waits for what was spawned, and rethrows the first failure
    use(answer.get());
}

weir::task<> offload_pool_example() {
    weir::offload_options limits;
    limits.threads_max = 2;
    weir::offload_pool disk(limits);
    const int sum = co_await weir::blocking(disk, add, 1, 2);
    use(sum);
}

}  // namespace

int main() {
    background_loop_example();
    weir::run(blocking_example());
    loop_group_example();
    weir::run(offload_pool_example());
    std::printf("used %d\n", used);
    return errors_example() ? 0 : 1;
}

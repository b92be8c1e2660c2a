// The examples in the comments of runtime/*.hpp, word for word, with what they need around them;
// the test "header examples" compares. Those that are more than a declaration are also run.
// clang-format off: the lines stand as in the comments.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <weir/runtime.hpp>
#include <weir/runtime/uring_compat.hpp>
#include <weir/runtime/uring_driver.hpp>
#include <weir/runtime/uring_setup.hpp>

using namespace std::chrono_literals;

namespace {

int used = 0;
void use(int value) { used += value; }
void compute(int step) { use(step); }
void report(const std::string& text) { std::puts(text.c_str()); }

// Stops the task that it runs in.
void step() { weir::scheduler::current()->running()->request_stop(); }

weir::task<int> value(int number) {
    co_await weir::yield();
    co_return number;
}

// Runs `body`, which ends by weir::canceled or by itself.
weir::task<> until_stopped(weir::task<> body) {
    weir::stop_source never;
    try {
        co_await weir::with_stop(never, std::move(body));
    } catch (const weir::canceled&) {
        use(1);
    }
}

void assert_example(std::size_t size, std::size_t capacity) {
    WEIR_ASSERT(size <= capacity, "a buffer never holds more than its capacity");
}

weir::task<> channel_example() {
    weir::channel<int> numbers(8);
    co_await numbers.send(1);                                  // waits while it is full
    numbers.close();
    while (auto number = co_await numbers.receive()) {         // ends when closed and empty
        use(*number);
    }
}

void clock_example() {
    weir::manual_clock clock;
    weir::event_loop_options options;
    options.clock = &clock;
    weir::event_loop loop(options);  // a million sleeps of five seconds end at once
    loop.run(until_stopped(channel_example()));
}

weir::task<> condition_example() {
    weir::mutex m;
    weir::condition changed;
    const std::deque<int> queue{1};
    auto guard = co_await m.lock();
    while (queue.empty()) { co_await changed.wait(m, guard); }
}

weir::task<> context_example() {
    weir::context& self = *weir::scheduler::current()->running();   // inside a task
    while (!self.stop_requested()) { step(); }
    co_return;
}

void driver_example() {
    const weir::event_loop_options options;
    weir::event_loop loop(weir::make_default_driver(options), options);   // or another driver
    loop.run(until_stopped(channel_example()));
}

weir::task<> set(weir::event& ready) {
    ready.set();
    co_return;
}

weir::task<> event_example() {
    weir::event ready;
    weir::scope s;
    s.spawn(set, std::ref(ready));
    co_await ready.wait();   // at once when it is set
    co_await s.join();
}

namespace event_loop_hpp {

weir::task<int> serve() { return value(3); }

int example() {
    weir::event_loop loop;
    int status = loop.run(serve());  // returns what the task returns, rethrows what it throws
    return status;
}

}  // namespace event_loop_hpp

void frame_allocator_example() {
    weir::frame_cache_limit(std::size_t{1} << 20);   // this thread keeps 1 MiB of free frames
    weir::trim_frame_cache();                       // and now none
}

void inbox_example() {
    const auto owner = weir::make_default_driver(weir::event_loop_options());
    weir::driver& io = *owner;
    const auto function = [] { use(1); };
    weir::inbox posted(io, 1'024);
    posted.push(function, false);   // by any thread
    posted.drain();                 // by the loop: calls function
}

void intrusive_list_example() {
    struct guest : weir::detail::list_node {};
    guest anna;
    weir::detail::intrusive_list<guest> guests;
    guests.push_back(anna);
    anna.unlink();   // needs no list
}

weir::task<> latch_example() {
    weir::latch done(3);
    done.count_down();       // by each of three tasks
    done.count_down(2);
    co_await done.wait();
}

weir::task<> mutex_example() {
    weir::mutex m;
    auto guard = co_await m.lock();   // unlocked when `guard` dies
}

weir::task<> nop_and_result_example() {
    weir::result<void> done = co_await weir::nop();
    if (!done) { report(done.error().message()); }
}

class [[nodiscard]] read_awaiter : public weir::detail::io_awaiter {
  public:
    read_awaiter(int fd, char* into, std::uint32_t length) noexcept {
        request.opcode = weir::io_opcode::read;
        request.fd = fd;
        request.address = into;
        request.length = length;
    }
    weir::result<int> await_resume() const noexcept { return finish(); }
};

weir::task<> operation_example() {
    const int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    char byte = 'x';
    read_awaiter one_byte(fd, &byte, 1);
    const weir::result<int> count = co_await one_byte;
    close(fd);
    use(count.value_or(0));
}

weir::task<> ready_queue_example() {
    weir::detail::ready_node node;
    node.handle = std::noop_coroutine();
    weir::detail::ready_queue ready;
    ready.push(node);
    ready.pop().handle.resume();
    co_return;
}

namespace run_hpp {

weir::task<int> main_task();
int main() { return weir::run(main_task()); }

int main_with_signals() {
    weir::run_options options;
    options.stop_signals = {SIGINT, SIGTERM};
    return weir::run(main_task(), options);
}

int main_that_drains() {
    weir::run_options options;
    options.stop_signals = {SIGINT, SIGTERM};
    weir::stop_source accepting;   // with_stop(accepting, ...) in main_task
    options.on_first_signal = [&accepting] { accepting.request_stop(); };
    return weir::run(main_task(), options);
}

weir::task<int> main_task() { return value(0); }

}  // namespace run_hpp

weir::task<> scheduler_and_sleep_example() {
    weir::scheduler& loop = *weir::scheduler::current();   // inside a task
    const weir::time_point deadline = loop.tick_time() + 10ms;
    co_await weir::sleep_for(10ms);
    co_await weir::sleep_until(deadline);
}

namespace scope_hpp {

weir::task<> serve(int port) {
    use(port);
    co_return;
}

weir::task<> serve_both(weir::scope& s) {
    s.spawn(serve, 80);
    s.spawn(serve, 443);
    co_return;
}

weir::task<> example() {
    co_await weir::with_scope(serve_both);   // ends when both have ended
}

}  // namespace scope_hpp

weir::task<> semaphore_example() {
    weir::semaphore connections(16);
    auto permit = co_await connections.acquire();     // given back when `permit` dies
}

weir::task<> poll_for_ever() {
    while (true) {
        step();
        co_await weir::yield();
    }
}

weir::task<> stop_example() {
    weir::stop_source source;
    co_await weir::with_stop(source, poll_for_ever());   // until source.request_stop()
}

namespace task_hpp {

weir::task<int> twice(int x) { co_return 2 * x; }
weir::task<int> four_times(int x) { co_return 2 * co_await twice(x); }

}  // namespace task_hpp

weir::task<> this_task_example() {
    for (bool stop = false; !stop; stop = co_await weir::stop_requested()) { step(); }
    co_await weir::name_task("reader");   // how dump() and the stall detector call it
}

void timer_wheel_example() {
    const weir::time_point start{1h};
    weir::detail::timer_node timer(+[](weir::detail::timer_node&) noexcept { use(1); });
    weir::detail::timer_wheel timers;
    timers.insert(timer, start + 10ms);
    timers.advance(start + 10ms);   // calls timer.fire
}

void uring_compat_example(unsigned features) {
    const bool bundles = (features & IORING_FEAT_RECVSEND_BUNDLE) != 0;
    use(bundles ? 1 : 0);
}

void uring_driver_example() {
    weir::event_loop_options options;
    auto io = std::make_unique<weir::uring_driver>(options);   // as event_loop does itself
    weir::event_loop loop(std::move(io), options);
}

void uring_probe_example() {
    const weir::uring_report report = weir::probe_uring();
    std::puts(report.available ? "io_uring works here" : report.why_unavailable.c_str());
}

void uring_setup_example() {
    io_uring ring{};
    weir::detail::ring_setup granted = weir::detail::create_ring(ring, 256, 8'192);
    weir::detail::enable_ring(ring);
    uring_compat_example(granted.features);
    io_uring_queue_exit(&ring);
}

weir::task<int> load_user(int id) { return value(id); }
weir::task<std::string> load_orders(int id) { co_return std::to_string(id); }

weir::task<> when_all_example(int id) {
    auto [user, orders] = co_await weir::when_all(load_user(id), load_orders(id));
    use(user);
    report(orders);
}

weir::task<int> read_reply() { return value(1); }
weir::task<> read_signal() { co_await weir::sleep_for(1h); }

weir::task<> when_any_example() {
    auto first = co_await weir::when_any(read_reply(), read_signal());
    if (first.index == 0) { use(std::get<0>(first.value)); }
}

weir::task<int> ask(int server) { return value(server); }

weir::task<> with_timeout_example(int server) {
    int reply = co_await weir::with_timeout(2s, ask(server));   // or weir::timed_out
    use(reply);
}

weir::task<> yield_example(int steps) {
    for (int step = 0; step < steps; ++step) {
        compute(step);
        co_await weir::yield();
    }
}

weir::task<> run_all() {
    co_await channel_example();
    co_await condition_example();
    co_await until_stopped(context_example());
    co_await event_example();
    co_await latch_example();
    co_await mutex_example();
    co_await nop_and_result_example();
    co_await operation_example();
    co_await ready_queue_example();
    co_await scheduler_and_sleep_example();
    co_await scope_hpp::example();
    co_await semaphore_example();
    co_await until_stopped(stop_example());
    use(co_await task_hpp::four_times(2));
    co_await until_stopped(this_task_example());
    co_await when_all_example(7);
    co_await when_any_example();
    co_await with_timeout_example(1);
    co_await yield_example(3);
}

}  // namespace

int main() {
    assert_example(1, 2);
    clock_example();
    driver_example();
    frame_allocator_example();
    inbox_example();
    intrusive_list_example();
    timer_wheel_example();
    uring_driver_example();
    uring_probe_example();
    uring_setup_example();
    weir::run(run_all());
    return event_loop_hpp::example() == 3
               ? run_hpp::main() + run_hpp::main_with_signals() + run_hpp::main_that_drains()
               : 1;
}

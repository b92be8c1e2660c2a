#include <gtest/gtest.h>

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/thread/loop_group.hpp>
#include <weir/runtime/yield.hpp>

namespace weir {
namespace {

[[nodiscard]] loop_group_options of(std::size_t loops) {
    loop_group_options options;
    options.loops = loops;
    return options;
}

task<int> twice(int number) {
    co_await yield();
    co_return 2 * number;
}

task<> wait_for_ever() {
    event never;
    co_await never.wait();
}

std::vector<int> cpus_of_this_thread() {
    cpu_set_t set;
    std::vector<int> cpus;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &set)) {
                cpus.push_back(cpu);
            }
        }
    }
    return cpus;
}

TEST(LoopGroupTest, EachLoopHasAThreadOfItsOwn) {
    loop_group group(of(3));
    ASSERT_EQ(group.size(), 3U);
    std::set<std::thread::id> threads{std::this_thread::get_id()};
    for (std::size_t index = 0; index < group.size(); ++index) {
        EXPECT_EQ(group.spawn_on(index, event_loop::current).get(), &group.loop(index));
        threads.insert(group.spawn_on(index, std::this_thread::get_id).get());
    }
    EXPECT_EQ(threads.size(), 4U);
}

std::string name_of_this_thread() {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    return name;
}

TEST(LoopGroupTest, ThreadsCarryTheirNameAndNumber) {
    loop_group_options options = of(2);
    options.name = "serve";
    loop_group group(options);
    EXPECT_EQ(group.spawn_on(0, name_of_this_thread).get(), "serve-0");
    EXPECT_EQ(group.spawn_on(1, name_of_this_thread).get(), "serve-1");
}

TEST(LoopGroupTest, ThereIsALoopForEachProcessorUnlessTold) {
    const loop_group group;
    EXPECT_EQ(group.size(), cpus_of_this_thread().size());
}

TEST(LoopGroupTest, ThreadsArePinnedInTurn) {
    const std::vector<int> allowed = cpus_of_this_thread();
    loop_group group(of(allowed.size() + 1));
    for (std::size_t index = 0; index < group.size(); ++index) {
        EXPECT_EQ(group.spawn_on(index, cpus_of_this_thread).get(),
                  std::vector<int>{allowed[index % allowed.size()]});
    }
}

TEST(LoopGroupTest, ThreadsAreNotPinnedUnlessAsked) {
    loop_group_options options = of(1);
    options.pin = false;
    loop_group group(options);
    EXPECT_EQ(group.spawn_on(0, cpus_of_this_thread).get(), cpus_of_this_thread());
}

TEST(LoopGroupTest, ACallOnAllLoopsYieldsAFutureForEach) {
    loop_group group(of(3));
    const auto who = []() -> task<event_loop*> {
        co_await yield();
        co_return event_loop::current();
    };
    std::vector<std::future<event_loop*>> loops = group.spawn_on_all(who);
    ASSERT_EQ(loops.size(), 3U);
    for (std::size_t index = 0; index < loops.size(); ++index) {
        EXPECT_EQ(loops[index].get(), &group.loop(index));
    }
    std::atomic<int> sum{0};
    const auto add = [](std::atomic<int>& to, int number) { to += number; };
    static_cast<void>(group.spawn_on_all(add, std::ref(sum), 5));
    group.join();
    EXPECT_EQ(sum, 15);
}

std::string refusal_of(const loop_group_options& options) {
    try {
        const loop_group group(options);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "accepted";
}

TEST(LoopGroupTest, ARefusalNamesOptionValueAndRange) {
    EXPECT_EQ(refusal_of(of(0)), "loop_group_options::loops is 0; allowed: 1 to 1024");
    EXPECT_EQ(refusal_of(of(1025)), "loop_group_options::loops is 1025; allowed: 1 to 1024");
    manual_clock clock;
    loop_group_options options = of(2);
    options.loop.clock = &clock;
    EXPECT_EQ(refusal_of(options),
              "loop_group_options::loop.clock is a manual clock for 2 loops; allowed: for 1");
    options.loops = 1;
    EXPECT_EQ(refusal_of(options), "accepted");
    options.name = nullptr;
    EXPECT_EQ(refusal_of(options), "loop_group_options::name is null; allowed: a string");
    options = of(2);
    options.loop.tick_budget = 0;
    EXPECT_EQ(refusal_of(options),
              "event_loop_options::tick_budget is 0; allowed: 1 to 4294967295");
}

TEST(LoopGroupTest, ALoopThatIsNotThereIsRefused) {
    loop_group group(of(2));
    try {
        group.spawn_on(2, twice, 1);
        FAIL() << "there is no loop 2";
    } catch (const std::out_of_range& error) {
        EXPECT_STREQ(error.what(), "loop_group::spawn_on: loop 2; allowed: 0 to 1");
    }
    EXPECT_THROW(static_cast<void>(group.loop(7)), std::out_of_range);
}

TEST(LoopGroupTest, AJoinWaitsForAllCalls) {
    loop_group group(of(2));
    std::vector<std::future<int>> futures;
    for (int number = 0; number < 100; ++number) {
        futures.push_back(group.spawn_on(static_cast<std::size_t>(number % 2), twice, number));
    }
    group.join();
    for (int number = 0; number < 100; ++number) {
        EXPECT_EQ(futures[static_cast<std::size_t>(number)].get(), 2 * number);
    }
    try {
        group.spawn_on(0, twice, 1);
        FAIL() << "it is closed";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), thread_errc::closed);
    }
    EXPECT_NO_THROW(group.join());
    EXPECT_NO_THROW(group.stop());
}

TEST(LoopGroupTest, AStopEndsAllCallsAndIsNoFailure) {
    loop_group group(of(2));
    std::vector<std::future<void>> waiting = group.spawn_on_all(wait_for_ever);
    EXPECT_NO_THROW(group.stop());
    for (std::future<void>& each : waiting) {
        EXPECT_THROW(each.get(), canceled);
    }
}

TEST(LoopGroupTest, TheFirstFailureInTimeIsReportedOnce) {
    loop_group group(of(2));
    const auto fail = [](std::string text) -> task<> {
        co_await yield();
        throw std::runtime_error(text);
    };
    EXPECT_THROW(group.spawn_on(1, fail, "the first").get(), std::runtime_error);
    EXPECT_THROW(group.spawn_on(0, fail, "the second").get(), std::runtime_error);
    std::future<void> waiting = group.spawn_on(0, wait_for_ever);
    try {
        group.stop();
        FAIL() << "two have failed";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "the first");
    }
    EXPECT_THROW(waiting.get(), canceled);
    EXPECT_NO_THROW(group.join());
}

TEST(LoopGroupTest, ItsDestructorStopsAllLoops) {
    std::vector<std::future<void>> waiting;
    {
        loop_group group(of(2));
        waiting = group.spawn_on_all(wait_for_ever);
    }
    for (std::future<void>& each : waiting) {
        EXPECT_THROW(each.get(), canceled);
    }
}

// Hops from loop to loop.
void hop(loop_group& group, int left, std::promise<int>& landed) {
    if (left == 0) {
        landed.set_value(1);
    } else {
        group.spawn_on(static_cast<std::size_t>(left) % group.size(), hop, std::ref(group),
                       left - 1, std::ref(landed));
    }
}

TEST(LoopGroupTest, CallsSpawnOnOtherLoops) {
    loop_group group(of(3));
    std::promise<int> landed;
    group.spawn_on(0, hop, std::ref(group), 300, std::ref(landed));
    EXPECT_EQ(landed.get_future().get(), 1);
    group.join();
}

TEST(LoopGroupTest, OneOfItsThreadsDoesNotWaitForIt) {
    loop_group group(of(2));
    const auto misuse = [](loop_group& own) {
        try {
            own.join();
        } catch (const std::system_error& error) {
            return error.code();
        }
        return std::error_code();
    };
    EXPECT_EQ(group.spawn_on(1, misuse, std::ref(group)).get(), thread_errc::would_deadlock);
    const auto stop = [](loop_group& own) { own.request_stop(); };
    std::future<void> waiting = group.spawn_on(0, wait_for_ever);
    group.spawn_on(1, stop, std::ref(group)).get();
    group.join();
    EXPECT_THROW(waiting.get(), canceled);
}

TEST(LoopGroupTest, AChildOfForkIsRefused) {
    auto group = std::make_unique<loop_group>(of(2));
    const pid_t child = fork();
    if (child == 0) {
        alarm(30);  // a child that waits for its parent's threads ends here
        int status = 1;
        try {
            group->spawn_on(0, twice, 1);
        } catch (const std::system_error& error) {
            status = error.code() == thread_errc::forked ? 0 : 2;
        }
        group.reset();
        std::_Exit(status);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(group->spawn_on(1, twice, 2).get(), 4);
}

// Accepts until the peers know which loop serves them; each tells its number.
task<> tell_number(tcp_stream peer, std::byte number) {
    EXPECT_TRUE(co_await peer.write_all(std::span(&number, 1)));
}

task<> serve(file_descriptor listening, std::byte number) {
    tcp_listener server(std::move(listening));
    scope connections;
    while (true) {
        auto peer = co_await server.accept();
        if (!peer) {
            break;
        }
        connections.spawn(tell_number(std::move(*peer), number));
    }
    connections.request_stop();
    co_await connections.join();
}

task<std::set<std::byte>> visit(socket_address at, int times) {
    std::set<std::byte> numbers;
    for (int count = 0; count < times; ++count) {
        auto peer = (co_await tcp_stream::connect(at)).value();
        std::array<std::byte, 1> number;
        EXPECT_EQ((co_await peer.read_some(number)).value_or(0), 1U);
        numbers.insert(number[0]);
    }
    co_return numbers;
}

TEST(LoopGroupTest, EachLoopHasAListenerOfItsOwnOnOneAddress) {
    loop_group group(of(3));
    listen_options shared;
    shared.reuse_port = true;
    socket_address at = socket_address::loopback_ipv4(0);
    std::vector<std::future<void>> serving;
    for (std::size_t index = 0; index < group.size(); ++index) {
        file_descriptor listening = detail::open_listener(at, SOCK_STREAM, shared).value();
        at = detail::local_address_of(listening.get()).value();
        serving.push_back(
            group.spawn_on(index, serve, std::move(listening), static_cast<std::byte>(index)));
    }
    EXPECT_EQ(weir::run(visit(at, 200)).size(), 3U) << "the kernel spreads the connections";
    group.stop();
    for (std::future<void>& each : serving) {
        each.wait();
    }
}

}  // namespace
}  // namespace weir

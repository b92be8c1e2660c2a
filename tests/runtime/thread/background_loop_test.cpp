#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/thread/background_loop.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/child_process.hpp"

namespace weir {
namespace {

[[nodiscard]] background_loop_options at_most(std::size_t calls) {
    background_loop_options options;
    options.max_in_flight = calls;
    return options;
}

task<int> twice(int number) {
    co_await yield();
    co_return 2 * number;
}

// Ends when `gate` is set, which is done on the loop.
task<int> wait_for(event& gate, int value) {
    co_await gate.wait();
    co_return value;
}

void set(event& gate) { gate.set(); }

// The code with which `call` is refused.
template <class Call>
std::error_code refusal_of(Call call) {
    try {
        call();
    } catch (const std::system_error& error) {
        return error.code();
    }
    return {};
}

TEST(BackgroundLoopTest, ARunWaitsForItsValue) {
    background_loop background;
    EXPECT_EQ(background.run(twice, 21), 42);
    EXPECT_EQ(background.run([](int number) { return number + 1; }, 1), 2);
    int number = 0;
    background.run([](int& target) { target = 3; }, std::ref(number));
    EXPECT_EQ(number, 3);
    int& same = background.run([](int& target) -> int& { return target; }, std::ref(number));
    EXPECT_EQ(&same, &number);
    const auto pass = [](std::unique_ptr<int> owned) -> task<std::unique_ptr<int>> {
        co_await yield();
        co_return std::move(owned);
    };
    EXPECT_EQ(*background.run(pass, std::make_unique<int>(4)), 4);
}

TEST(BackgroundLoopTest, CallsRunOnTheLoopsThread) {
    background_loop background;
    EXPECT_EQ(background.run(event_loop::current), &background.loop());
    EXPECT_NE(background.run(std::this_thread::get_id), std::this_thread::get_id());
    EXPECT_EQ(background.run(std::this_thread::get_id), background.run(std::this_thread::get_id));
}

TEST(BackgroundLoopTest, ErrorsGoIntoTheFuture) {
    background_loop background;
    const auto fail = [](std::string text) -> task<int> {
        co_await yield();
        throw std::runtime_error(text);
    };
    std::future<int> failed = background.submit(fail, "a failure");
    EXPECT_THROW(failed.get(), std::runtime_error);
    const auto fail_at_once = [](int number) -> int { throw number; };
    EXPECT_THROW(background.run(fail_at_once, 3), int);
    EXPECT_EQ(background.run(twice, 1), 2) << "the loop goes on";
}

TEST(BackgroundLoopTest, CallsStartInOrderAndRunBesideEachOther) {
    background_loop background;
    event gate;
    std::vector<int> log;
    std::vector<std::future<int>> futures;
    const auto note = [](std::vector<int>& into, int number, event& until) -> task<int> {
        into.push_back(number);
        co_await until.wait();
        co_return number;
    };
    for (int number = 0; number < 5; ++number) {
        futures.push_back(background.submit(note, std::ref(log), number, std::ref(gate)));
    }
    EXPECT_EQ(background.run([](std::vector<int>& seen) { return seen; }, std::ref(log)),
              (std::vector<int>{0, 1, 2, 3, 4}))
        << "all have begun, and none has ended";
    EXPECT_EQ(background.in_flight(), 5U);
    background.run(set, std::ref(gate));
    for (int number = 0; number < 5; ++number) {
        EXPECT_EQ(futures[static_cast<std::size_t>(number)].get(), number);
    }
    EXPECT_EQ(background.in_flight(), 0U);
}

TEST(BackgroundLoopTest, ALambdaWithStateLivesAsLongAsItsTask) {
    background_loop background;
    const auto text = std::make_shared<std::string>("state");
    const auto call = [text](int number) { return *text + std::to_string(number); };
    EXPECT_EQ(background.run(call, 7), "state7");
    EXPECT_EQ(text.use_count(), 2) << "the copy on the loop is gone";
}

TEST(BackgroundLoopTest, WhenAFutureIsReadyTheCallIsGoneAndItsPlaceFree) {
    background_loop background(at_most(1));
    const auto argument = std::make_shared<int>(1);
    const auto take = [](std::shared_ptr<int> kept) -> task<int> {
        co_await yield();
        co_return *kept;
    };
    for (int round = 0; round < 100; ++round) {
        auto accepted = background.try_submit(take, argument);
        ASSERT_TRUE(accepted);
        EXPECT_EQ(accepted->get(), 1);
        EXPECT_EQ(argument.use_count(), 1);
    }
}

TEST(BackgroundLoopTest, ATrySubmitToAFullLoopLeavesItsArguments) {
    background_loop background(at_most(1));
    event gate;
    std::future<int> first = background.submit(wait_for, std::ref(gate), 1);
    auto owned = std::make_unique<int>(2);
    const auto read = [](std::unique_ptr<int> value) { return *value; };
    const auto refused = background.try_submit(read, std::move(owned));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), thread_errc::full);
    ASSERT_NE(owned, nullptr);
    background.loop().post([&gate] { gate.set(); });
    EXPECT_EQ(first.get(), 1);
    EXPECT_EQ(background.try_submit(read, std::move(owned))->get(), 2);
    EXPECT_EQ(owned, nullptr);
}

TEST(BackgroundLoopTest, ASubmitToAFullLoopWaits) {
    for (const std::size_t calls_max : {1U, 2U, 3U}) {
        background_loop background(at_most(calls_max));
        std::atomic<std::size_t> running{0};
        std::atomic<std::size_t> running_max{0};
        const auto count = [](std::atomic<std::size_t>& now,
                              std::atomic<std::size_t>& max) -> task<> {
            max = std::max(max.load(), ++now);
            co_await yield();
            co_await yield();
            --now;
        };
        std::vector<std::future<void>> futures;
        for (int number = 0; number < 50; ++number) {
            futures.push_back(background.submit(count, std::ref(running), std::ref(running_max)));
            EXPECT_LE(background.in_flight(), calls_max);
        }
        background.join();
        EXPECT_EQ(running, 0U);
        EXPECT_LE(running_max, calls_max);
    }
}

TEST(BackgroundLoopTest, ManyThreadsSubmitAndNothingIsLost) {
    background_loop background(at_most(3));
    std::atomic<int> sum{0};
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (int number = 1; number <= 100; ++number) {
                    sum += background.submit(twice, number).get();
                }
            });
        }
    }
    EXPECT_EQ(sum, 4 * 100 * 101);
}

TEST(BackgroundLoopTest, AJoinWaitsForAllAndThenNobodyEnters) {
    background_loop background;
    std::vector<std::future<int>> futures;
    for (int number = 0; number < 100; ++number) {
        futures.push_back(background.submit(twice, number));
    }
    background.join();
    for (int number = 0; number < 100; ++number) {
        EXPECT_EQ(futures[static_cast<std::size_t>(number)].get(), 2 * number);
    }
    EXPECT_EQ(refusal_of([&] { background.run(twice, 1); }), thread_errc::closed);
    EXPECT_EQ(background.try_submit(twice, 1).error(), thread_errc::closed);
    background.join();
    background.stop();
    background.close();
}

TEST(BackgroundLoopTest, AClosedLoopFinishesWhatItHas) {
    background_loop background;
    event gate;
    std::future<int> waiting = background.submit(wait_for, std::ref(gate), 5);
    background.close();
    EXPECT_EQ(refusal_of([&] { static_cast<void>(background.submit(twice, 1)); }),
              thread_errc::closed);
    background.loop().post([&gate] { gate.set(); });
    EXPECT_EQ(waiting.get(), 5);
    background.join();
}

TEST(BackgroundLoopTest, AStopEndsWhatRunsAndWhatWaits) {
    background_loop background(at_most(1));
    event never;
    std::future<int> running = background.submit(wait_for, std::ref(never), 1);
    std::latch submits(1);
    std::error_code refused;
    std::jthread waiting([&] {
        submits.count_down();
        refused = refusal_of([&] { static_cast<void>(background.submit(twice, 1)); });
    });
    submits.wait();
    background.stop();
    waiting.join();
    EXPECT_THROW(running.get(), canceled);
    EXPECT_EQ(refused, thread_errc::closed);
}

TEST(BackgroundLoopTest, ACallThatHasNotBegunNeverRunsAfterAStop) {
    background_loop background;
    std::latch begun(1);
    std::latch gate(1);
    bool ran = false;
    const auto block = [](std::latch& at, std::latch& until) {
        at.count_down();
        until.wait();
    };
    std::future<void> first = background.submit(block, std::ref(begun), std::ref(gate));
    begun.wait();
    std::future<void> second = background.submit([](bool& flag) { flag = true; }, std::ref(ran));
    background.request_stop();
    gate.count_down();
    background.join();
    EXPECT_NO_THROW(first.get()) << "it had begun, and ended by itself";
    EXPECT_THROW(second.get(), canceled);
    EXPECT_FALSE(ran);
}

TEST(BackgroundLoopTest, ItsDestructorStops) {
    event never;
    std::future<int> running;
    {
        background_loop background;
        running = background.submit(wait_for, std::ref(never), 1);
    }
    EXPECT_THROW(running.get(), canceled);
}

task<std::vector<std::error_code>> misuse(background_loop& background) {
    std::vector<std::error_code> codes;
    codes.push_back(refusal_of([&] { background.run(twice, 1); }));
    codes.push_back(refusal_of([&] { background.join(); }));
    codes.push_back(refusal_of([&] { background.stop(); }));
    codes.push_back(refusal_of([&] { static_cast<void>(background.submit(twice, 1)); }));
    co_return codes;
}

TEST(BackgroundLoopTest, ItsOwnThreadIsRefusedInsteadOfBlocked) {
    background_loop background(at_most(1));
    for (const std::error_code code : background.run(misuse, std::ref(background))) {
        EXPECT_EQ(code, thread_errc::would_deadlock);
        EXPECT_EQ(code, std::errc::resource_deadlock_would_occur);
    }
}

TEST(BackgroundLoopTest, ItsOwnThreadMaySubmitWhereThereIsRoom) {
    background_loop background(at_most(2));
    const auto nest = [](background_loop& on) { return on.submit(twice, 4); };
    EXPECT_EQ(background.run(nest, std::ref(background)).get(), 8);
}

TEST(BackgroundLoopTest, AFailingAllocationOfASubmitTakesNoPlace) {
    background_loop background(at_most(1));
    const auto argument = std::make_shared<int>(3);
    const auto read = [](std::shared_ptr<int> kept) -> task<int> { co_return *kept; };
    const test::unrecycled_frames fresh;
    std::size_t failures = 0;
    for (bool accepted = false; !accepted; ++failures) {
        std::future<int> later;
        {
            const test::allocation_failure failure(failures);
            try {
                later = background.submit(read, argument);
                accepted = !failure.triggered();
            } catch (const std::bad_alloc&) {
                EXPECT_EQ(background.in_flight(), 0U);
            }
        }
        if (later.valid()) {
            EXPECT_EQ(later.get(), 3);
        }
        EXPECT_EQ(argument.use_count(), 1);
        ASSERT_LT(failures, 100U);
    }
    EXPECT_GE(failures, 4U) << "the promise, the frames, the argument's";
}

// The next allocation on the loop fails.
task<> starve(std::latch& begun, event& until) {
    const test::unrecycled_frames fresh;
    const test::allocation_failure failure(0);
    begun.count_down();
    co_await until.wait();
    EXPECT_TRUE(failure.triggered());
}

TEST(BackgroundLoopTest, ACallForWhichTheLoopHasNoMemoryFails) {
    background_loop background;
    std::latch begun(1);
    event gate;
    std::future<void> starving = background.submit(starve, std::ref(begun), std::ref(gate));
    begun.wait();
    std::future<int> refused = background.submit(twice, 1);
    EXPECT_THROW(refused.get(), std::bad_alloc);
    EXPECT_EQ(background.run(twice, 2), 4) << "the loop goes on";
    background.run(set, std::ref(gate));
    starving.get();
    background.join();
}

TEST(BackgroundLoopTest, BadOptionsAreRefusedByName) {
    EXPECT_THROW(background_loop{at_most(0)}, std::invalid_argument);
    background_loop_options options;
    options.name = nullptr;
    EXPECT_THROW(background_loop{options}, std::invalid_argument);
    options = {};
    options.loop.ring_entries = 0;
    EXPECT_THROW(background_loop{options}, std::invalid_argument) << "what the loop refuses";
}

TEST(BackgroundLoopDeathTest, WithoutAThreadTheConstructorNamesTheLoop) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            test::refuse_system_call(__NR_clone3, EAGAIN);
            test::refuse_system_call(__NR_clone, EAGAIN);
            try {
                const background_loop background;
            } catch (const std::system_error& error) {
                std::fprintf(stderr, "%s\n", error.what());
                std::_Exit(0);
            }
            std::_Exit(1);
        },
        testing::ExitedWithCode(0),
        "the thread of loop \"weir-background\" cannot be started: Resource temporarily");
}

TEST(BackgroundLoopTest, AChildOfForkIsRefused) {
    auto background = std::make_unique<background_loop>();
    EXPECT_EQ(background->run(twice, 1), 2);
    const pid_t child = fork();
    if (child == 0) {
        alarm(30);  // a child that waits for its parent's thread ends here
        const std::error_code code = refusal_of([&] { background->run(twice, 1); });
        background.reset();
        std::_Exit(code == thread_errc::forked ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(background->run(twice, 2), 4);
}

}  // namespace
}  // namespace weir

#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <semaphore>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/net/detail/lookup_pool.hpp>
#include <weir/runtime/net/resolver.hpp>

#include "support/run_test.hpp"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEIR_TEST_THREAD_SANITIZED 1
#endif
#endif

namespace weir {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(WEIR_TEST_THREAD_SANITIZED)
constexpr bool thread_sanitized = true;
#else
constexpr bool thread_sanitized = false;
#endif

using namespace std::chrono_literals;
using addresses = std::vector<socket_address>;
using answer = result<addresses>;

// On virtual time an idle loop jumps to the next deadline, and would not wait for a thread.
const resolve_options patient(duration::max());

// A resolver whose lookups a test holds back: each tells that it has begun, and ends when let go.
class held_pool {
  public:
    held_pool(std::size_t threads, std::size_t waiting)
        : gate_(std::make_shared<gate>()),
          pool_(std::make_shared<detail::lookup_pool>(
              threads, waiting,
              [gate = gate_](const detail::lookup_question& asked) { return gate->pass(asked); })) {
    }
    held_pool(const held_pool&) = delete;
    held_pool& operator=(const held_pool&) = delete;
    ~held_pool() {
        gate_->open.release(1'000);
        pool_->close();
    }

    // Ends when a thread is inside the next lookup. Requires that it was asked for.
    task<> one_more_inside() {
        co_await test::settle();
        gate_->inside.acquire();
    }
    void let_go() { gate_->open.release(); }
    [[nodiscard]] int passed() const { return gate_->passed; }
    [[nodiscard]] const std::shared_ptr<detail::lookup_pool>& get() const { return pool_; }

  private:
    struct gate {
        answer pass(const detail::lookup_question& asked) {
            inside.release();
            open.acquire();
            ++passed;
            if (asked.host == "unknown") {
                return std::unexpected(make_error_code(net_errc::host_not_found));
            }
            return addresses{socket_address::loopback_ipv6(2), socket_address::loopback_ipv4(1)};
        }

        std::counting_semaphore<> inside{0};
        std::counting_semaphore<> open{0};
        std::atomic<int> passed{0};
    };

    std::shared_ptr<gate> gate_;
    std::shared_ptr<detail::lookup_pool> pool_;
};

std::string text_of(const answer& found) {
    if (!found) {
        return found.error().message();
    }
    std::string text;
    for (const socket_address& address : *found) {
        text += (text.empty() ? "" : " ") + address.to_string();
    }
    return text;
}

// ref: the test outlives its tasks
task<> ask(const held_pool& pool, std::string host, std::string& out,
           resolve_options options = patient) {
    const answer found = co_await detail::resolve_on(pool.get(), std::move(host), "80", options);
    out = text_of(found);
}

std::string message(net_errc code) { return make_error_code(code).message(); }
const std::string canceled_text = std::make_error_code(std::errc::operation_canceled).message();

task<> numbers() {
    held_pool nobody(1, 0);
    std::string out;
    co_await ask(nobody, "1.2.3.4", out);
    EXPECT_EQ(out, "1.2.3.4:80");
    co_await ask(nobody, "::1", out);
    EXPECT_EQ(out, "[::1]:80");
    co_await ask(nobody, "fe80::1%lo", out);
    EXPECT_EQ(out, "[fe80::1%lo]:80");
    EXPECT_EQ(nobody.passed(), 0);
}

TEST(ResolverTest, NumbersNeedNoThread) { test::run_test(numbers()); }

task<> families() {
    held_pool nobody(1, 0);
    std::string out;
    co_await ask(nobody, "1.2.3.4", out, resolve_options(1h, address_family::ipv6));
    EXPECT_EQ(out, message(net_errc::host_not_found));
    co_await ask(nobody, "::1", out, resolve_options(1h, address_family::ipv4));
    EXPECT_EQ(out, message(net_errc::host_not_found));
    co_await ask(nobody, "::1", out, resolve_options(1h, address_family::ipv6));
    EXPECT_EQ(out, "[::1]:80");
    co_await ask(nobody, "::1", out, resolve_options(1h, address_family::unix_domain));
    EXPECT_EQ(out, std::make_error_code(std::errc::address_family_not_supported).message());
}

TEST(ResolverTest, AnAddressOfAnotherFamilyIsNotFound) { test::run_test(families()); }

task<> bad_hosts() {
    held_pool nobody(1, 0);
    std::string out;
    for (const std::string& host :
         {std::string(), std::string("a\0b", 3), std::string("\0", 1), std::string(254, 'a')}) {
        co_await ask(nobody, host, out);
        EXPECT_EQ(out, message(net_errc::bad_host_name));
    }
}

TEST(ResolverTest, WhatIsNoHostNameIsRefused) { test::run_test(bad_hosts()); }

task<> bad_services() {
    for (const std::string& service :
         {std::string(), std::string("65536"), std::string("-1"), std::string("+80"),
          std::string(" 80"), std::string("99999999999999999999"), std::string("a\0", 2)}) {
        const answer found = co_await resolve("127.0.0.1", service);
        EXPECT_EQ(text_of(found), message(net_errc::service_not_found)) << service;
    }
    const answer highest = co_await resolve("127.0.0.1", "65535");
    EXPECT_EQ(text_of(highest), "127.0.0.1:65535");
    const answer lowest = co_await resolve("127.0.0.1", 0);
    EXPECT_EQ(text_of(lowest), "127.0.0.1:0");
}

TEST(ResolverTest, WhatIsNoServiceIsRefused) { test::run_test(bad_services()); }

task<> names() {
    held_pool pool(1, 1);
    std::string found;
    std::string unknown;
    scope s;
    s.spawn(ask(pool, "a.example", found));
    s.spawn(ask(pool, "unknown", unknown));
    co_await test::settle();
    EXPECT_EQ(s.size(), 2U);
    co_await pool.one_more_inside();
    pool.let_go();
    pool.let_go();
    co_await s.join();
    EXPECT_EQ(found, "[::1]:2 127.0.0.1:1") << "in the order that the system gave";
    EXPECT_EQ(unknown, message(net_errc::host_not_found));
}

TEST(ResolverTest, ANameIsLookedUpByAThread) { test::run_test(names()); }

task<> time_is_up() {
    held_pool pool(1, 1);
    std::string running;
    std::string waiting;
    const time_point start = scheduler::current()->now();
    scope s;
    s.spawn(ask(pool, "a.example", running, resolve_options(5s)));
    s.spawn(ask(pool, "b.example", waiting, resolve_options(7s)));
    co_await pool.one_more_inside();
    co_await s.join();
    EXPECT_EQ(scheduler::current()->now() - start, 7s);
    EXPECT_EQ(running, message(net_errc::resolver_timeout));
    EXPECT_EQ(waiting, message(net_errc::resolver_timeout));
    EXPECT_EQ(pool.passed(), 0) << "the thread is still inside";
    std::string later;
    pool.let_go();
    pool.let_go();
    co_await ask(pool, "c.example", later);
    EXPECT_EQ(later, "[::1]:2 127.0.0.1:1") << "not the answer to what was given up";
    EXPECT_EQ(pool.passed(), 2) << "what still waited was never asked";
}

TEST(ResolverTest, ATimeoutEndsTheAwaitThoughTheThreadIsInside) { test::run_test(time_is_up()); }

task<> no_time() {
    held_pool pool(1, 1);
    std::string out;
    co_await ask(pool, "a.example", out, resolve_options(0s));
    EXPECT_EQ(out, message(net_errc::resolver_timeout));
}

TEST(ResolverTest, WithoutTimeNothingIsFound) { test::run_test(no_time()); }

task<> stop_both() {
    held_pool pool(1, 1);
    std::string running;
    std::string waiting;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, ask(pool, "a.example", running)));
    co_await pool.one_more_inside();
    s.spawn(with_stop(source, ask(pool, "b.example", waiting)));
    co_await test::settle();
    EXPECT_EQ(s.size(), 2U);
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(running, canceled_text);
    EXPECT_EQ(waiting, canceled_text);
    EXPECT_EQ(pool.passed(), 0);
    std::string out;
    co_await with_stop(source, ask(pool, "c.example", out));
    EXPECT_EQ(out, canceled_text) << "a task that was stopped before does not ask";
}

TEST(ResolverTest, AStopEndsTheAwaitThoughTheThreadIsInside) { test::run_test(stop_both()); }

task<> bounded() {
    held_pool pool(1, 1);
    std::string first;
    std::string second;
    std::string third;
    stop_source source;
    scope s;
    s.spawn(ask(pool, "a.example", first));
    co_await pool.one_more_inside();
    s.spawn(with_stop(source, ask(pool, "b.example", second)));
    co_await test::settle();
    co_await ask(pool, "c.example", third);
    EXPECT_EQ(third, message(net_errc::resolver_busy));
    source.request_stop();
    co_await test::settle();
    EXPECT_EQ(second, canceled_text);
    s.spawn(ask(pool, "d.example", third));
    co_await test::settle();
    EXPECT_EQ(s.size(), 2U) << "the place of the one that was stopped is free";
    pool.let_go();
    pool.let_go();
    co_await s.join();
    EXPECT_EQ(first, third);
}

TEST(ResolverTest, LookupsAreBounded) { test::run_test(bounded()); }

task<> in_parallel() {
    held_pool pool(3, 0);
    std::string one;
    std::string two;
    std::string three;
    std::string four;
    scope s;
    s.spawn(ask(pool, "a.example", one));
    s.spawn(ask(pool, "b.example", two));
    s.spawn(ask(pool, "c.example", three));
    for (int inside = 0; inside < 3; ++inside) {
        co_await pool.one_more_inside();
    }
    co_await ask(pool, "d.example", four);
    EXPECT_EQ(four, message(net_errc::resolver_busy));
    for (int inside = 0; inside < 3; ++inside) {
        pool.let_go();
    }
    co_await s.join();
    EXPECT_EQ(pool.passed(), 3);
}

TEST(ResolverTest, ThreadsWorkBesideEachOther) { test::run_test(in_parallel()); }

// ref: the test outlives its tasks
task<> give_up_while_inside(held_pool& pool, std::string& out) {
    scope s;
    s.spawn(ask(pool, "a.example", out, resolve_options(1s)));
    co_await pool.one_more_inside();
    co_await s.join();
}

TEST(ResolverTest, ALoopMayEndBeforeItsLookup) {
    held_pool pool(1, 1);
    std::string out;
    {
        test::virtual_loop loop;
        loop.run(give_up_while_inside(pool, out));
        EXPECT_EQ(out, message(net_errc::resolver_timeout));
    }
    EXPECT_EQ(pool.passed(), 0);
    pool.let_go();
    pool.let_go();
    test::run_test(ask(pool, "b.example", out));
    EXPECT_EQ(out, "[::1]:2 127.0.0.1:1");
}

// ref: the test outlives its tasks
task<> use_system(answer& out, std::string host, std::string service) {
    out = co_await resolve(std::move(host), std::move(service), patient);
}

TEST(ResolverTest, TheSystemKnowsThisHost) {
    answer found;
    test::run_test(use_system(found, "localhost", "8080"));
    ASSERT_TRUE(found) << found.error().message();
    ASSERT_FALSE(found->empty());
    for (const socket_address& address : *found) {
        EXPECT_TRUE(address == socket_address::loopback_ipv4(8080) ||
                    address == socket_address::loopback_ipv6(8080))
            << address.to_string();
    }
}

TEST(ResolverTest, AServiceThatNobodyKnowsIsNotFound) {
    answer found;
    test::run_test(use_system(found, "127.0.0.1", "no-such-service"));
    EXPECT_EQ(text_of(found), message(net_errc::service_not_found));
}

TEST(ResolverTest, ErrorsOfTheSystemAreMapped) {
    using detail::lookup_error;
    EXPECT_EQ(lookup_error(EAI_NONAME, 0), net_errc::host_not_found);
    EXPECT_EQ(lookup_error(EAI_NODATA, 0), net_errc::host_not_found);
    EXPECT_EQ(lookup_error(EAI_ADDRFAMILY, 0), net_errc::host_not_found);
    EXPECT_EQ(lookup_error(EAI_SERVICE, 0), net_errc::service_not_found);
    EXPECT_EQ(lookup_error(EAI_AGAIN, 0), net_errc::name_server_failure);
    EXPECT_EQ(lookup_error(EAI_FAIL, 0), net_errc::name_server_failure);
    EXPECT_EQ(lookup_error(EAI_MEMORY, 0), std::errc::not_enough_memory);
    EXPECT_EQ(lookup_error(EAI_FAMILY, 0), std::errc::address_family_not_supported);
    EXPECT_EQ(lookup_error(EAI_SYSTEM, EMFILE), std::errc::too_many_files_open);
    EXPECT_EQ(lookup_error(EAI_SYSTEM, 0), net_errc::name_server_failure);
}

TEST(ResolverTest, AChildOfForkHasThreadsOfItsOwn) {
    if (thread_sanitized) {
        GTEST_SKIP() << "the sanitizer allows no threads in a child";
    }
    answer found;
    test::run_test(use_system(found, "localhost", "1"));
    const auto of_parent = detail::default_lookup_pool();
    EXPECT_EQ(of_parent, detail::default_lookup_pool());
    const pid_t child = fork();
    if (child == 0) {
        alarm(30);  // one that waits for its parent's threads ends here
        test::run_test(use_system(found, "localhost", "2"));
        const bool fresh = detail::default_lookup_pool() != of_parent;
        std::_Exit(fresh && found && found->front().port() == 2 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace weir

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include <weir/redisq/client.hpp>
#include <weir/redisq/embedded_server.hpp>
#include <weir/runtime/run.hpp>

#include "support/redis_server.hpp"
#include "support/temporary_folder.hpp"

namespace weir::redisq {
namespace {

task<> set_and_get(std::string url) {
    client redis(url);
    EXPECT_TRUE(co_await redis.command<void>("SET", "key", "value"));
    EXPECT_EQ(co_await redis.command<std::string>("GET", "key"), "value");
    const auto kept = co_await redis.command<std::string>("INFO", "persistence");
    EXPECT_NE(kept->find("aof_enabled:1"), std::string::npos);
}

bool is_gone(const std::string& folder) {
    return test::becomes_true([&folder] { return !std::filesystem::exists(folder); });
}

TEST(EmbeddedServerTest, LivesAsLongAsItsObject) {
    WEIR_NEEDS_REDIS();
    std::string folder;
    {
        embedded_server first;
        embedded_server server = std::move(first);
        folder = std::filesystem::path(server.socket()).parent_path();
        EXPECT_EQ(server.url(), "unix://" + server.socket());
        run(set_and_get(server.url()));
    }
    EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(EmbeddedServerTest, ItsUrlMeansOneForAllClients) {
    WEIR_NEEDS_REDIS();
    run(set_and_get("embedded://"));
    const auto read_again = []() -> task<> {
        client redis("embedded://?db=0");
        EXPECT_EQ(co_await redis.command<std::string>("GET", "key"), "value");
    };
    run(read_again());
}

TEST(EmbeddedServerTest, GoesWithAProgramThatIsKilled) {
    WEIR_NEEDS_REDIS();
    const test::temporary_folder place;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t program = ::fork();
    if (program == 0) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread of this process
        ::setenv("TMPDIR", place.path().c_str(), 1);
        const embedded_server server;
        run(set_and_get(server.url()));
        static_cast<void>(::write(ends[1], "x", 1));
        ::pause();
    }
    char up = 0;
    ASSERT_EQ(::read(ends[0], &up, 1), 1);
    std::string folder;
    for (const auto& entry : std::filesystem::directory_iterator(place.path())) {
        folder = entry.path();
    }
    EXPECT_FALSE(folder.empty());
    ::kill(program, SIGKILL);
    ::waitpid(program, nullptr, 0);
    EXPECT_TRUE(is_gone(folder));
    ::close(ends[0]);
    ::close(ends[1]);
}

void start_without_the_program() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread of this process
    ::setenv("PATH", "/nowhere", 1);
    try {
        const embedded_server server;
    } catch (const exception& thrown) {
        if (thrown.code() == errc::unsupported &&
            std::string(thrown.what()).find("apt-get install redis-server") != std::string::npos) {
            std::_Exit(0);
        }
    }
    std::_Exit(1);
}

TEST(EmbeddedServerTest, AMissingProgramIsNamedWithTheCure) {
    EXPECT_EXIT(start_without_the_program(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace weir::redisq

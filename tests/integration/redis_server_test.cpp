// The servers that the other tests lean on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "support/redis_cluster.hpp"
#include "support/redis_server.hpp"

namespace weir::test {
namespace {

TEST(RedisServerTest, AnswersOnItsSocketAndOnItsPort) {
    WEIR_NEEDS_REDIS();
    redis_server server(redis_settings().on_tcp());
    EXPECT_EQ(server.command({"SET", "key", "value"}), "OK");
    redis_admin remote(socket_address::loopback_ipv4(server.port()));
    EXPECT_EQ(remote.command({"GET", "key"}), "value");
    EXPECT_EQ(remote.command({"MGET", "key", "none"}), "value\n(nil)");
    EXPECT_TRUE(remote.command({"NONSENSE"}).starts_with("-ERR unknown command"));
}

TEST(RedisServerTest, KeepsItsDataOverAKillWhenToldTo) {
    WEIR_NEEDS_REDIS();
    redis_server server(
        redis_settings().on_tcp().line("appendonly yes").line("appendfsync always"));
    EXPECT_EQ(server.command({"SET", "key", "value"}), "OK");
    const std::string url = server.tcp_url();
    server.kill();
    EXPECT_THROW(server.command({"PING"}), std::system_error);
    server.start();
    EXPECT_EQ(server.command({"GET", "key"}), "value");
    EXPECT_EQ(server.tcp_url(), url);
}

TEST(RedisServerTest, AStoppedOneAnswersWhenItGoesOn) {
    WEIR_NEEDS_REDIS();
    redis_server server;
    redis_admin admin = server.connect();
    server.stop();
    admin.send({"SET", "key", "value"});
    server.resume();
    EXPECT_EQ(server.command({"PING"}), "PONG");
    EXPECT_TRUE(becomes_true([&] { return server.command({"GET", "key"}) == "value"; }));
}

TEST(RedisServerTest, DiesWithItsProcess) {
    WEIR_NEEDS_REDIS();
    const temporary_folder left_behind;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread of this process
        ::setenv("TMPDIR", left_behind.path().c_str(), 1);
        const redis_server server;
        const pid_t pid = server.pid();
        static_cast<void>(::write(ends[1], &pid, sizeof pid));
        ::raise(SIGKILL);
    }
    pid_t server = 0;
    ASSERT_EQ(::read(ends[0], &server, sizeof server), static_cast<ssize_t>(sizeof server));
    ASSERT_GT(server, 1);
    ::waitpid(parent, nullptr, 0);
    // Gone, or a zombie that whoever adopted it has not reaped.
    EXPECT_TRUE(becomes_true([&] {
        std::error_code ignored;
        return std::filesystem::read_symlink("/proc/" + std::to_string(server) + "/exe", ignored)
            .empty();
    }));
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(RedisServerTest, TellsWhyItDoesNotComeUp) {
    WEIR_NEEDS_REDIS();
    try {
        const redis_server server(redis_settings().line("no-such-setting 1"));
        FAIL() << "a server with a bad configuration came up";
    } catch (const std::runtime_error& thrown) {
        EXPECT_NE(std::string(thrown.what()).find("no-such-setting"), std::string::npos);
    }
}

TEST(RedisServerTest, UsersComeFromAnAclFile) {
    WEIR_NEEDS_REDIS();
    redis_server server(redis_settings()
                            .line("aclfile users.acl")
                            .file("users.acl",
                                  "user default off\nuser root on >toor ~* &* +@all\n"
                                  "user reader on >r ~* +get\n")
                            .admin("root", "toor"));
    EXPECT_EQ(server.command({"ACL", "WHOAMI"}), "root");
    redis_admin reader(socket_address::unix_path(server.socket()).value());
    EXPECT_TRUE(reader.command({"GET", "k"}).starts_with("-NOAUTH"));
    EXPECT_EQ(reader.command({"AUTH", "reader", "r"}), "OK");
    EXPECT_TRUE(reader.command({"SET", "k", "v"}).starts_with("-NOPERM"));
}

TEST(RedisServerTest, AClusterServesAndMovesSlots) {
    WEIR_NEEDS_REDIS();
    redis_cluster cluster;
    // Slot 12182.
    EXPECT_EQ(cluster.node(2).command({"SET", "foo", "1"}), "OK");
    EXPECT_TRUE(cluster.node(0).command({"GET", "foo"}).starts_with("-MOVED 12182 127.0.0.1:"));
    EXPECT_NE(cluster.node(5).command({"INFO", "replication"}).find("role:slave"),
              std::string::npos);
    cluster.begin_move(12'182, 2, 0);
    EXPECT_TRUE(cluster.node(2).command({"GET", "{foo}2"}).starts_with("-ASK 12182"));
    EXPECT_EQ(cluster.move_keys(12'182, 2, 0, 10), 1U);
    cluster.end_move(12'182, 0);
    EXPECT_EQ(cluster.node(0).command({"GET", "foo"}), "1");
}

TEST(RedisServerTest, SentinelsPromoteTheReplica) {
    WEIR_NEEDS_REDIS();
    redis_sentinels watched;
    EXPECT_EQ(watched.master_port(), watched.master().port());
    watched.master().kill();
    EXPECT_TRUE(becomes_true([&] { return watched.master_port() == watched.replica().port(); },
                             std::chrono::seconds(60)));
    EXPECT_TRUE(
        becomes_true([&] { return watched.replica().command({"ROLE"}).starts_with("master"); }));
}

}  // namespace
}  // namespace weir::test

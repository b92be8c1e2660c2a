#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <weir/redisq/detail/handshake.hpp>
#include <weir/redisq/resp/parser.hpp>

namespace weir::redisq {
namespace {

using detail::handshake;
using progress = detail::handshake::progress;

std::string sent(const handshake& talk) {
    const auto bytes = talk.output();
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (std::size_t at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n")) {
        text.replace(at, 2, " ");
    }
    return text;
}

// Gives the handshake every reply in `wire`; the outcome of the last.
result<progress> answer(handshake& talk, std::string_view wire) {
    resp::parser replies;
    const auto room = replies.prepare(wire.size());
    std::memcpy(room.data(), wire.data(), wire.size());
    replies.commit(wire.size());
    result<progress> last = progress::waiting;
    while (true) {
        const auto next = replies.next();
        if (!next || !*next) {
            EXPECT_TRUE(next);
            return last;
        }
        last = talk.take(**next);
        if (!last) {
            return last;
        }
    }
}

constexpr std::string_view hello_of_a_master =
    "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n"
    "$2\r\nid\r\n:11\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
    "$7\r\nmodules\r\n*0\r\n";

TEST(HandshakeTest, AServerOfTodayIsGreetedInOneRoundTrip) {
    client_options options("redis://worker:secret@h/2?client_name=me");
    options.role = server_role::master;
    handshake talk(options);
    EXPECT_EQ(sent(talk),
              "*7 $5 HELLO $1 3 $4 AUTH $6 worker $6 secret $7 SETNAME $2 me *2 $6 SELECT $1 2 ");
    EXPECT_EQ(answer(talk, hello_of_a_master), progress::waiting);
    EXPECT_EQ(answer(talk, "+OK\r\n"), progress::done);
    EXPECT_EQ(talk.facts().protocol, 3);
    EXPECT_EQ(talk.facts().version, "7.0.15");
    EXPECT_EQ(talk.facts().mode, "standalone");
    EXPECT_EQ(talk.facts().role, "master");
    EXPECT_EQ(talk.facts().client_id, 11);
    EXPECT_TRUE(talk.output().empty());
}

TEST(HandshakeTest, WhatIsNotGivenIsNotSaid) {
    EXPECT_EQ(sent(handshake(client_options("redis://h"))), "*2 $5 HELLO $1 3 ");
    EXPECT_EQ(sent(handshake(client_options("redis://:pw@h"))),
              "*5 $5 HELLO $1 3 $4 AUTH $7 default $2 pw ");
    EXPECT_EQ(sent(handshake(client_options("redis://h?client_name=me"))),
              "*4 $5 HELLO $1 3 $7 SETNAME $2 me ");
    EXPECT_EQ(sent(handshake(client_options("redis://h?protocol=2"))), "*1 $4 PING ");
}

TEST(HandshakeTest, AServerWithoutHelloIsSpokenToInVersionTwo) {
    client_options options("redis://worker:secret@h/2?client_name=me");
    options.role = server_role::master;
    for (const std::string_view refusal :
         {"-ERR unknown command `HELLO`, with args beginning with: `3` `AUTH`\r\n+OK\r\n",
          "-NOPROTO unsupported protocol version\r\n-NOAUTH Authentication required.\r\n",
          "-NOPERM this user has no permissions\r\n-NOAUTH Authentication required.\r\n"}) {
        handshake talk(options);
        EXPECT_EQ(answer(talk, refusal), progress::sending);
        EXPECT_EQ(sent(talk),
                  "*3 $4 AUTH $6 worker $6 secret *3 $6 CLIENT $7 SETNAME $2 me "
                  "*2 $6 SELECT $1 2 *1 $4 ROLE *1 $4 PING ");
        EXPECT_EQ(answer(talk, "+OK\r\n-ERR unknown subcommand\r\n+OK\r\n"), progress::waiting);
        EXPECT_EQ(answer(talk, "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n+PONG\r\n"), progress::done);
        EXPECT_EQ(talk.facts().protocol, 2);
        EXPECT_EQ(talk.facts().role, "master");
    }
}

TEST(HandshakeTest, ThePasswordOfAnOldServerGoesAlone) {
    handshake talk(client_options("redis://:secret@h"));
    EXPECT_EQ(answer(talk, "-ERR unknown command 'HELLO'\r\n"), progress::sending);
    EXPECT_EQ(sent(talk), "*2 $4 AUTH $6 secret *1 $4 PING ");
}

TEST(HandshakeTest, PushesArePassedOver) {
    handshake talk(client_options("redis://h"));
    EXPECT_EQ(answer(talk, ">2\r\n+a\r\n+b\r\n"), progress::waiting);
    EXPECT_EQ(answer(talk, hello_of_a_master), progress::done);
}

TEST(HandshakeTest, AServerThatLoadsIsReachedAllTheSame) {
    handshake talk(client_options("redis://h?protocol=2"));
    EXPECT_EQ(answer(talk, "-LOADING Redis is loading the dataset in memory\r\n"), progress::done);
}

struct refused {
    std::string_view url;
    std::string_view wire;
    errc code;
    std::string_view text;
};

TEST(HandshakeTest, ARefusalIsATypedErrorWithoutSecrets) {
    const refused all[] = {
        {"redis://u:secret@h", "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
         errc::wrong_password, "redis://h:6379: WRONGPASS invalid"},
        {"redis://h", "-NOAUTH HELLO must be called with the client already authenticated\r\n",
         errc::no_auth, "the URL gives no password"},
        {"redis://h?protocol=2", "-NOAUTH Authentication required.\r\n", errc::no_auth,
         "the URL gives no password"},
        {"redis://:secret@h?protocol=2",
         "-ERR unknown command 'AUTH', with args beginning with: 'secret' \r\n", errc::server_error,
         "ERR unknown command 'AUTH'"},
        {"redis://:secret@h?protocol=2", "-ERR I know secret\r\n", errc::server_error,
         "ERR I know ***"},
        {"redis://:secret@h?protocol=2", "-ERR invalid password\r\n", errc::wrong_password,
         "invalid password"},
        {"redis://h/99", "%0\r\n-ERR DB index is out of range\r\n", errc::server_error,
         "redis://h:6379/99: SELECT 99: ERR DB index is out of range"},
        {"redis://h", "-DENIED Redis is running in protected mode\r\n", errc::server_error,
         "DENIED"},
        {"redis://h", "+OK\r\n", errc::protocol_error, "HELLO is of the type simple string"},
        {"redis://h", "*1\r\n+a\r\n", errc::protocol_error, "HELLO is of the type array"},
        {"redis://h?protocol=2", ":1\r\n", errc::protocol_error, "of the type integer"},
    };
    for (const refused& one : all) {
        handshake talk{client_options(one.url)};
        const result<progress> end = answer(talk, one.wire);
        ASSERT_FALSE(end) << one.wire;
        EXPECT_EQ(end.error(), one.code) << end.error().message();
        EXPECT_NE(end.error().message().find(one.text), std::string::npos) << end.error().message();
        EXPECT_EQ(end.error().message().find("secret"), std::string::npos) << end.error().message();
    }
}

TEST(HandshakeTest, AServerOfTheWrongRoleIsRefused) {
    client_options options("redis://h");
    options.role = server_role::replica;
    handshake talk(options);
    const result<progress> end = answer(talk, hello_of_a_master);
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error(), errc::wrong_role);
    EXPECT_EQ(end.error().message(), "redis://h:6379: the server is a master; allowed: replica");

    options.role = server_role::master;
    options.protocol = 2;
    handshake plain(options);
    EXPECT_EQ(answer(plain, "*2\r\n$5\r\nslave\r\n:0\r\n").error(), errc::wrong_role);
    handshake odd(options);
    EXPECT_EQ(answer(odd, "*0\r\n").error(), errc::protocol_error);
}

}  // namespace
}  // namespace weir::redisq

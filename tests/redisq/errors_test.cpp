#include <weir/redisq/errors.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

using weir::redisq::errc;
using weir::redisq::error;
using weir::redisq::server_reply_error;

TEST(RedisErrorsTest, EveryCodeHasATextOfItsOwn) {
    std::set<std::string> texts;
    int codes = 0;
    for (int value = 1; value <= static_cast<int>(errc::too_many_clients); ++value) {
        const std::string text = make_error_code(static_cast<errc>(value)).message();
        if (text.find("unknown error") == std::string::npos) {
            ++codes;
            texts.insert(text);
        }
    }
    EXPECT_EQ(codes, 35);
    EXPECT_EQ(texts.size(), 35U);
}

TEST(RedisErrorsTest, AnErrorReplyGetsTheCodeOfItsFirstWord) {
    const error moved = server_reply_error("MOVED 3999 127.0.0.1:6381");
    EXPECT_EQ(moved, errc::moved);
    EXPECT_EQ(moved.message(), "MOVED 3999 127.0.0.1:6381");
    EXPECT_TRUE(moved.from_server());
    EXPECT_EQ(server_reply_error("BUSY Redis is busy"), errc::busy);
    EXPECT_EQ(server_reply_error("BUSYGROUP Consumer Group name already exists"), errc::busy_group);
    EXPECT_EQ(server_reply_error("OOM"), errc::out_of_memory);
    EXPECT_EQ(server_reply_error("ERR invalid password"), errc::wrong_password);
    EXPECT_EQ(server_reply_error("ERR max number of clients reached"), errc::too_many_clients);
    EXPECT_EQ(server_reply_error("ERR max number of clients + cluster connections reached"),
              errc::too_many_clients);
}

TEST(RedisErrorsTest, AnUnknownWordIsTheServersError) {
    EXPECT_EQ(server_reply_error("ERR unknown command 'FOO'"), errc::server_error);
    EXPECT_EQ(server_reply_error("MOVEDX 1"), errc::server_error);
    EXPECT_EQ(server_reply_error(""), errc::server_error);
}

TEST(RedisErrorsTest, AnErrorWithoutDetailSpeaksItsCodesText) {
    const error lost(errc::connection_lost);
    EXPECT_NE(lost.message().find("may have run or not"), std::string::npos);
    EXPECT_FALSE(lost.from_server());
}

TEST(RedisErrorsTest, ValueOrThrowThrowsWithCodeAndText) {
    EXPECT_EQ(weir::redisq::value_or_throw(weir::redisq::result<int>(7)), 7);
    try {
        weir::redisq::value_or_throw(
            weir::redisq::result<void>(std::unexpected(server_reply_error("OOM no room"))));
        FAIL() << "nothing was thrown";
    } catch (const weir::redisq::exception& thrown) {
        EXPECT_EQ(thrown.code(), errc::out_of_memory);
        EXPECT_STREQ(thrown.what(), "OOM no room");
    }
}

}  // namespace

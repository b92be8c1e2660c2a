#include <weir/redisq/resp/reply.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "support/allocations.hpp"
#include "support/resp.hpp"

namespace {

using weir::redisq::resp::parser;
using weir::redisq::resp::reply;
using weir::redisq::resp::reply_view;
using weir::test::receive;
using weir::test::text_of;

TEST(ReplyTest, ADefaultReplyIsANull) { EXPECT_TRUE(reply().view().is_null()); }

TEST(ReplyTest, ASmallReplyIsOneBlockThatOutlivesTheParsersBytes) {
    parser replies;
    receive(replies, "*2\r\n$3\r\nabc\r\n=7\r\ntxt:def\r\n+next\r\n");
    static_cast<void>(replies.next());
    const weir::test::allocation_counter counter;
    const reply kept = replies.take();
    EXPECT_EQ(counter.allocations(), 1U);
    EXPECT_EQ(replies.next().value().value().text(), "next");
    receive(replies, std::string(10'000, '+'));
    EXPECT_EQ(text_of(kept.view()), "[\"abc\",=txt:def]");
}

TEST(ReplyTest, ALargeReplyTakesTheBytesWithIt) {
    const std::string text(1'000'000, 'x');
    parser replies;
    receive(replies, "$1000000\r\n" + text + "\r\n+next\r\n:1");
    const reply_view view = replies.next().value().value();
    const reply kept = replies.take();
    EXPECT_EQ(kept.view().text().data(), view.text().data());
    EXPECT_EQ(replies.next().value().value().text(), "next");
    receive(replies, "2\r\n");
    EXPECT_EQ(replies.next().value().value().integer(), 12);
    EXPECT_EQ(kept.view().text(), text);
    EXPECT_EQ(replies.position(), 1'000'012U + 7U + 5U);
}

TEST(ReplyTest, TheNextBlockIsAsLargeAsTheOneThatWasTaken) {
    const std::string bytes = "$100000\r\n" + std::string(100'000, 'x') + "\r\n";
    const std::string_view all = bytes;
    parser replies;
    for (int round = 0; round < 3; ++round) {
        const weir::test::allocation_counter counter;
        receive(replies, all.substr(0, 50));
        receive(replies, all.substr(50, 50'000));
        receive(replies, all.substr(50'050));
        ASSERT_TRUE(replies.next().value().has_value());
        const reply kept = replies.take();
        if (round != 0) {
            EXPECT_EQ(counter.allocations(), 2U);  // the bytes, the nodes
        }
    }
}

TEST(ReplyTest, ACopyOfAnElementHoldsItsAttributesAndNothingElse) {
    parser replies;
    receive(replies, "*2\r\n+no\r\n|1\r\n+k\r\n=7\r\ntxt:abc\r\n%1\r\n$1\r\nx\r\n*1\r\n(12\r\n");
    const reply copy(replies.next().value().value()[1]);
    receive(replies, std::string(1'000, '+'));
    EXPECT_EQ(text_of(copy.view()), "|[+k,=txt:abc]%[\"x\",[(12]]");
    const reply again(copy.view()[1]);
    EXPECT_EQ(text_of(again.view()), "[(12]");
    EXPECT_TRUE(reply(reply_view()).view().is_null());
}

TEST(ReplyTest, ViewsLiveOnWhileItIsMoved) {
    parser replies;
    receive(replies, "+abc\r\n");
    static_cast<void>(replies.next());
    reply first = replies.take();
    const reply_view view = first.view();
    reply second(std::move(first));
    EXPECT_EQ(view.text(), "abc");
    EXPECT_TRUE(first.view().is_null());  // NOLINT(bugprone-use-after-move): the promise under test
    first = std::move(second);
    EXPECT_EQ(first.view().text(), "abc");
}

TEST(ReplyDeathTest, AReplyIsTakenOnce) {
    parser replies;
    EXPECT_DEATH(static_cast<void>(replies.take()), "take");
    receive(replies, "+abc\r\n");
    static_cast<void>(replies.next());
    const reply kept = replies.take();
    EXPECT_DEATH(static_cast<void>(replies.take()), "once");
}

}  // namespace

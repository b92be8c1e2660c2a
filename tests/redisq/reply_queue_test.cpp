#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <random>

#include <weir/redisq/detail/call.hpp>
#include <weir/redisq/detail/reply_queue.hpp>

namespace weir::redisq::detail {
namespace {

class silent_call final : public call {
  public:
    silent_call() : call(call_options()) {}
    void encode(resp::command_buffer& /*out*/) override {}
    void take(const resp::reply_view& /*reply*/, resp::parser& /*from*/) override {}
    void fail(error /*why*/) noexcept override {}
};

reply_queue::ticket push(reply_queue& to, call& who, std::uint32_t replies = 1) {
    to.reserve_one();
    return to.push(who, replies);
}

TEST(ReplyQueueTest, RepliesGoToTheCallersInTheirOrder) {
    reply_queue queue;
    silent_call first;
    silent_call second;
    EXPECT_TRUE(queue.empty());
    push(queue, first);
    push(queue, second);
    EXPECT_EQ(queue.size(), 2U);
    EXPECT_EQ(queue.front().who, &first);
    EXPECT_TRUE(queue.took_reply());
    EXPECT_EQ(queue.front().who, &second);
    EXPECT_TRUE(queue.took_reply());
    EXPECT_TRUE(queue.empty());
}

TEST(ReplyQueueTest, ACallerOfSeveralRepliesStaysUntilTheLast) {
    reply_queue queue;
    silent_call many;
    silent_call next;
    push(queue, many, 3);
    push(queue, next);
    EXPECT_EQ(queue.replies(), 4U);
    EXPECT_FALSE(queue.took_reply());
    EXPECT_FALSE(queue.took_reply());
    EXPECT_EQ(queue.front().who, &many);
    EXPECT_TRUE(queue.took_reply());
    EXPECT_EQ(queue.front().who, &next);
    EXPECT_EQ(queue.replies(), 1U);
}

TEST(ReplyQueueTest, WhoGoesAwayLeavesATombstone) {
    reply_queue queue;
    silent_call gone;
    silent_call stays;
    const auto ticket = push(queue, gone, 2);
    push(queue, stays);
    queue.abandon(ticket);
    EXPECT_EQ(queue.callers(), 1U);
    EXPECT_EQ(queue.size(), 2U);
    EXPECT_EQ(queue.front().who, nullptr);
    EXPECT_FALSE(queue.took_reply());
    EXPECT_TRUE(queue.took_reply());
    EXPECT_EQ(queue.front().who, &stays);
    EXPECT_EQ(queue.callers(), 1U);
}

TEST(ReplyQueueTest, DroppingForgetsTheRepliesThatAreLeft) {
    reply_queue queue;
    silent_call who;
    push(queue, who, 5);
    EXPECT_FALSE(queue.took_reply());
    EXPECT_EQ(queue.drop_front().who, &who);
    EXPECT_EQ(queue.replies(), 0U);
    EXPECT_EQ(queue.callers(), 0U);
    EXPECT_TRUE(queue.empty());
}

// Against a plain model, over growing and wrapping around.
TEST(ReplyQueueTest, ManyCallersComeAndGo) {
    reply_queue queue;
    silent_call callers[7];
    struct expected {
        call* who;
        std::uint32_t replies;
    };
    std::deque<expected> model;
    std::mt19937 chance(7);
    for (int step = 0; step < 20'000; ++step) {
        const auto what = chance() % 8;
        if (what < (step < 10'000 ? 4U : 3U)) {
            call& who = callers[chance() % 7];
            const auto replies = static_cast<std::uint32_t>(1 + chance() % 3);
            push(queue, who, replies);
            model.push_back({&who, replies});
        } else if (what == 7 && !model.empty()) {
            const std::size_t at = chance() % model.size();
            if (model[at].who != nullptr) {
                queue.abandon(queue.begin_ticket() + at);
                model[at].who = nullptr;
            }
        } else if (!model.empty()) {
            ASSERT_EQ(queue.front().who, model.front().who);
            const bool last = --model.front().replies == 0;
            ASSERT_EQ(queue.took_reply(), last);
            if (last) {
                model.pop_front();
            }
        }
        ASSERT_EQ(queue.size(), model.size());
    }
}

}  // namespace
}  // namespace weir::redisq::detail

#include <gtest/gtest.h>

#include <array>

#include <weir/runtime/ready_queue.hpp>

namespace weir {
namespace {

using detail::ready_node;
using detail::ready_queue;

TEST(ReadyQueueTest, HandsOutInTheOrderOfPushing) {
    std::array<ready_node, 3> nodes;
    ready_queue queue;
    EXPECT_TRUE(queue.empty());
    for (ready_node& node : nodes) {
        queue.push(node);
    }
    EXPECT_FALSE(queue.empty());
    for (ready_node& node : nodes) {
        EXPECT_EQ(&queue.pop(), &node);
    }
    EXPECT_TRUE(queue.empty());
}

TEST(ReadyQueueTest, CountsWhatItHolds) {
    std::array<ready_node, 2> nodes;
    ready_queue queue;
    EXPECT_EQ(queue.size(), 0U);
    queue.push(nodes[0]);
    EXPECT_EQ(queue.size(), 1U);
    queue.push(nodes[1]);
    EXPECT_EQ(queue.size(), 2U);
    queue.pop();
    EXPECT_EQ(queue.size(), 1U);
    queue.pop();
    EXPECT_EQ(queue.size(), 0U);
}

TEST(ReadyQueueTest, ANodeMayQueueAgainOnceItWasTaken) {
    std::array<ready_node, 2> nodes;
    ready_queue queue;
    queue.push(nodes[0]);
    queue.push(nodes[1]);
    queue.push(queue.pop());
    EXPECT_EQ(&queue.pop(), &nodes[1]);
    EXPECT_EQ(&queue.pop(), &nodes[0]);
    EXPECT_TRUE(queue.empty());
    queue.push(nodes[0]);
    EXPECT_EQ(&queue.pop(), &nodes[0]);
    EXPECT_TRUE(queue.empty());
}

#ifndef NDEBUG
TEST(ReadyQueueDeathTest, ANodeThatIsQueuedTwiceEndsADebugBuild) {
    EXPECT_DEATH(
        {
            ready_node node;
            ready_queue queue;
            queue.push(node);
            queue.push(node);
        },
        "a node is queued once");
}

TEST(ReadyQueueDeathTest, ANodeInTheMiddleThatIsQueuedTwiceEndsADebugBuild) {
    EXPECT_DEATH(
        {
            ready_node first;
            ready_node second;
            ready_queue queue;
            queue.push(first);
            queue.push(second);
            queue.push(first);
        },
        "a node is queued once");
}
#endif

}  // namespace
}  // namespace weir

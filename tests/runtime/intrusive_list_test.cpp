#include <gtest/gtest.h>

#include <array>
#include <vector>

#include <weir/runtime/intrusive_list.hpp>

namespace weir {
namespace {

struct element : detail::list_node {
    explicit element(int number) : value(number) {}
    int value;
};

using list = detail::intrusive_list<element>;

std::vector<int> values(const list& of) {
    std::vector<int> seen;
    of.for_each([&](const element& each) { seen.push_back(each.value); });
    return seen;
}

void clear(list& all) {
    while (!all.empty()) {
        all.pop_front();
    }
}

TEST(IntrusiveListTest, HandsOutInTheOrderOfPushing) {
    element a(1);
    element b(2);
    list all;
    EXPECT_TRUE(all.empty());
    all.push_back(a);
    all.push_back(b);
    EXPECT_FALSE(all.empty());
    EXPECT_EQ(&all.front(), &a);
    EXPECT_EQ(&all.pop_front(), &a);
    EXPECT_EQ(&all.pop_front(), &b);
    EXPECT_TRUE(all.empty());
}

TEST(IntrusiveListTest, AnElementKnowsWhetherItIsLinked) {
    element a(1);
    list all;
    EXPECT_FALSE(a.is_linked());
    all.push_back(a);
    EXPECT_TRUE(a.is_linked());
    a.unlink();
    EXPECT_FALSE(a.is_linked());
    all.push_back(a);
    all.pop_front();
    EXPECT_FALSE(a.is_linked());
}

TEST(IntrusiveListTest, AnElementLeavesFromAnyPlace) {
    for (int leaving = 0; leaving < 3; ++leaving) {
        std::array<element, 3> elements{element(0), element(1), element(2)};
        list all;
        for (element& each : elements) {
            all.push_back(each);
        }
        elements[static_cast<std::size_t>(leaving)].unlink();
        std::vector<int> expected{0, 1, 2};
        expected.erase(expected.begin() + leaving);
        EXPECT_EQ(values(all), expected);
        clear(all);
    }
}

TEST(IntrusiveListTest, InsertsBeforeAnElement) {
    element first(1);
    element last(9);
    element middle(5);
    list all;
    all.push_back(last);
    all.insert(last, first);
    all.insert(last, middle);
    EXPECT_EQ(values(all), (std::vector<int>{1, 5, 9}));
    clear(all);
}

TEST(IntrusiveListTest, BothEndsTakeAndGive) {
    element a(1);
    element b(2);
    element c(3);
    list all;
    all.push_front(b);
    all.push_front(a);
    all.push_back(c);
    EXPECT_EQ(values(all), (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(&all.pop_back(), &c);
    EXPECT_EQ(&all.pop_back(), &b);
    EXPECT_EQ(&all.pop_back(), &a);
    EXPECT_TRUE(all.empty());
}

TEST(IntrusiveListTest, ASplicedListFollowsAndIsLeftEmpty) {
    std::array<element, 4> elements{element(0), element(1), element(2), element(3)};
    list front;
    list back;
    front.push_back(elements[0]);
    front.push_back(elements[1]);
    back.push_back(elements[2]);
    back.push_back(elements[3]);
    front.splice_back(back);
    EXPECT_TRUE(back.empty());
    EXPECT_EQ(values(front), (std::vector<int>{0, 1, 2, 3}));
    element later(4);
    front.push_back(later);
    EXPECT_EQ(values(front), (std::vector<int>{0, 1, 2, 3, 4}));
    clear(front);
}

TEST(IntrusiveListTest, SplicingWithAnEmptyListKeepsTheOther) {
    element a(1);
    list full;
    list empty;
    full.push_back(a);
    full.splice_back(empty);
    EXPECT_EQ(values(full), std::vector<int>{1});
    empty.splice_back(full);
    EXPECT_EQ(values(empty), std::vector<int>{1});
    EXPECT_TRUE(full.empty());
    clear(empty);
}

TEST(IntrusiveListTest, AVisitorMayUnlinkWhatItIsGiven) {
    std::array<element, 4> elements{element(0), element(1), element(2), element(3)};
    list all;
    for (element& each : elements) {
        all.push_back(each);
    }
    all.for_each([](element& each) {
        if (each.value % 2 == 0) {
            each.unlink();
        }
    });
    EXPECT_EQ(values(all), (std::vector<int>{1, 3}));
    clear(all);
}

#ifndef NDEBUG
TEST(IntrusiveListDeathTest, AnElementThatDiesWhileLinkedEndsADebugBuild) {
    EXPECT_DEATH(
        {
            list all;
            element a(1);
            all.push_back(a);
        },
        "a list element dies while it is linked");
}

TEST(IntrusiveListDeathTest, AListThatDiesBeforeItsElementsEndsADebugBuild) {
    EXPECT_DEATH(
        {
            element a(1);
            list all;
            all.push_back(a);
        },
        "a list dies before its elements");
}

TEST(IntrusiveListDeathTest, AnElementInTwoListsEndsADebugBuild) {
    EXPECT_DEATH(
        {
            element a(1);
            list one;
            list two;
            one.push_back(a);
            two.push_back(a);
        },
        "an element is in one list at a time");
}
#endif

}  // namespace
}  // namespace weir

#include <weir/redisq/resp/reply_view.hpp>

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <type_traits>
#include <vector>

#include <weir/redisq/resp/reply.hpp>

#include "support/resp.hpp"

namespace {

using weir::redisq::resp::parser;
using weir::redisq::resp::reply;
using weir::redisq::resp::reply_view;
using weir::redisq::resp::type;
using weir::test::text_of;

static_assert(std::is_trivially_copyable_v<reply_view> && sizeof(reply_view) == 2 * sizeof(void*));
static_assert(std::forward_iterator<reply_view::iterator>);

reply kept(std::string_view bytes) {
    parser replies;
    weir::test::receive(replies, bytes);
    EXPECT_TRUE(replies.next().value().has_value());
    return replies.take();
}

TEST(ReplyViewTest, ADefaultViewIsANull) {
    const reply_view nothing;
    EXPECT_TRUE(nothing.is_null());
    EXPECT_EQ(nothing.size(), 0U);
    EXPECT_EQ(nothing.begin(), nothing.end());
    EXPECT_FALSE(nothing.attributes().has_value());
}

TEST(ReplyViewTest, AskedForWhatItIsNotItGivesNothing) {
    const reply whole = kept("*6\r\n+text\r\n:5\r\n#t\r\n,2.5\r\n_\r\n*1\r\n:1\r\n");
    for (const reply_view each : whole.view()) {
        EXPECT_EQ(each.text(), each.kind() == type::simple_string ? "text" : "");
        EXPECT_EQ(each.integer(), each.kind() == type::integer ? 5 : 0);
        EXPECT_EQ(each.boolean(), each.kind() == type::boolean);
        EXPECT_EQ(each.floating(), each.kind() == type::floating ? 2.5 : 0);
        EXPECT_EQ(each.is_null(), each.kind() == type::null);
        EXPECT_EQ(each.size(), each.kind() == type::array ? 1U : 0U);
        EXPECT_EQ(each.verbatim_format(), "");
    }
}

TEST(ReplyViewTest, ElementsAreFoundByIndexAmongLeavesAndAmongOthers) {
    const reply leaves = kept("*3\r\n+a\r\n+b\r\n+c\r\n");
    EXPECT_EQ(leaves.view()[2].text(), "c");
    const reply nested = kept("*4\r\n*2\r\n+x\r\n*0\r\n+b\r\n%1\r\n+k\r\n*1\r\n:1\r\n+d\r\n");
    EXPECT_EQ(nested.view()[0].size(), 2U);
    EXPECT_EQ(nested.view()[1].text(), "b");
    EXPECT_EQ(nested.view()[2].pairs(), 1U);
    EXPECT_EQ(nested.view()[2][1][0].integer(), 1);
    EXPECT_EQ(nested.view()[3].text(), "d");
}

TEST(ReplyViewTest, AttributesBelongToTheNextReplyAndAreNoElement) {
    const reply whole =
        kept("*3\r\n+a\r\n|1\r\n+k\r\n|1\r\n+inner\r\n_\r\n*1\r\n:7\r\n+b\r\n|0\r\n*0\r\n");
    const reply_view view = whole.view();
    EXPECT_EQ(view.size(), 3U);
    EXPECT_EQ(std::distance(view.begin(), view.end()), 3);
    EXPECT_FALSE(view.attributes().has_value());
    EXPECT_FALSE(view[0].attributes().has_value());
    ASSERT_TRUE(view[1].attributes().has_value());
    EXPECT_EQ(view[1].text(), "b");
    EXPECT_EQ(view[1].attributes()->kind(), type::map);
    EXPECT_EQ(text_of(*view[1].attributes()), "%[+k,|[+inner,null][7]]");
    EXPECT_EQ(view[2].attributes()->size(), 0U);
}

TEST(ReplyViewTest, AnIteratorMayBeCopiedAndGoesOnFromThere) {
    const reply whole = kept("*2\r\n*1\r\n:1\r\n:2\r\n");
    auto at = whole.view().begin();
    const auto first = at++;
    EXPECT_EQ((*first).size(), 1U);
    EXPECT_EQ((*at).integer(), 2);
    EXPECT_NE(first, at);
    EXPECT_EQ(++at, whole.view().end());
}

TEST(ReplyViewDeathTest, AnIndexBeyondTheElementsEndsTheProgram) {
    const reply whole = kept("*1\r\n:1\r\n");
    EXPECT_DEATH(static_cast<void>(whole.view()[1]), "less than size");
}

}  // namespace

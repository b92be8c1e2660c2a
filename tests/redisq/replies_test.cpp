#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/redisq/replies.hpp>
#include <weir/redisq/resp/parser.hpp>

namespace weir::redisq {
namespace {

replies parsed(std::string_view bytes) {
    resp::parser from;
    const std::span<std::byte> room = from.prepare(bytes.size());
    std::memcpy(room.data(), bytes.data(), bytes.size());
    from.commit(bytes.size());
    replies all;
    for (auto next = from.next(); next && *next; next = from.next()) {
        all.add(**next);
    }
    return all;
}

TEST(RepliesTest, EachIsFoundByItsPlace) {
    const replies all = parsed(
        "+OK\r\n:7\r\n*2\r\n$1\r\na\r\n*1\r\n+deep\r\n_\r\n-ERR no\r\n=7\r\ntxt:abc\r\n,2.5\r\n");
    EXPECT_EQ(all.size(), 7U);
    EXPECT_EQ(all.get<std::string>(0), "OK");
    EXPECT_EQ(all.get<int>(1), 7);
    EXPECT_EQ(all[2][0].text(), "a");
    EXPECT_EQ(all[2][1][0].text(), "deep");
    EXPECT_FALSE(all.get<std::optional<int>>(3).value());
    EXPECT_EQ(all.get<std::string>(4).error(), errc::server_error);
    EXPECT_EQ(all[5].text(), "abc");
    EXPECT_EQ(all[5].verbatim_format(), "txt");
    EXPECT_EQ(all.get<double>(6), 2.5);
    EXPECT_EQ(all.first_error()->message(), "ERR no");
    EXPECT_EQ(all.get<std::vector<int>>(1).error(), errc::wrong_reply_type);
}

TEST(RepliesTest, ViewsLiveAsLongAsTheReplies) {
    replies all = parsed("$5\r\nhello\r\n");
    const std::string_view text = all.get<std::string_view>(0).value();
    const replies moved = std::move(all);
    EXPECT_EQ(text, "hello");
    EXPECT_EQ(moved.get<std::string_view>(0).value().data(), text.data());
}

TEST(RepliesTest, ClearedTheyBeginAnew) {
    replies all = parsed(":1\r\n:2\r\n");
    all.clear();
    EXPECT_TRUE(all.empty());
    EXPECT_FALSE(all.first_error());
    all.add(resp::reply_view());
    EXPECT_TRUE(all[0].is_null());
}

}  // namespace
}  // namespace weir::redisq

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <weir/redisq/scan.hpp>

#include "support/client_test.hpp"

namespace weir::redisq {
namespace {

using test::array_of;
using test::bulk;

// Three portions, the second of them empty.
void answer_in_portions(test::fake_redis& server, std::string first, std::string last) {
    server.answer = [&server, first, last](const test::words& words) -> std::string {
        if (!words[0].ends_with("SCAN")) {
            return server.usual(words);
        }
        const std::string& cursor = words[words[0] == "SCAN" ? 1 : 2];
        if (cursor == "0") {
            return array_of({bulk("17"), first});
        }
        return cursor == "17" ? array_of({bulk("18"), array_of({})}) : array_of({bulk("0"), last});
    };
}

task<> keys_come_one_by_one(test::fake_redis& server, client& redis) {
    answer_in_portions(server, array_of({bulk("a"), bulk("b")}), array_of({bulk("c")}));
    scan_options options;
    options.match = "?";
    options.type = "string";
    options.count = 2;
    scanner<std::string> keys = scan_keys(redis, options);
    std::vector<std::string> all;
    for (auto next = co_await keys.next(); next && *next; next = co_await keys.next()) {
        all.push_back(**next);
    }
    EXPECT_EQ(all, std::vector<std::string>({"a", "b", "c"}));
    EXPECT_EQ(server.log[0],
              test::words({"SCAN", "0", "MATCH", "?", "COUNT", "2", "TYPE", "string"}));
    EXPECT_EQ(server.log.back()[1], "18");
    const auto after = co_await keys.next();
    EXPECT_TRUE(after && !*after) << "the end stays the end";
}

TEST(ScanTest, KeysComeOneByOne) { test::run_with_client(&keys_come_one_by_one); }

task<> pairs_come_in_portions(test::fake_redis& server, client& redis) {
    answer_in_portions(server, array_of({bulk("a"), bulk("1"), bulk("b"), bulk("2")}),
                       array_of({bulk("c"), bulk("3")}));
    auto fields = scan_hash(redis, "h");
    const auto first = co_await fields.next_portion();
    EXPECT_EQ(first.value().size(), 2U);
    EXPECT_EQ(first.value().back(), std::pair(std::string("b"), std::string("2")));
    const auto second = co_await fields.next_portion();
    EXPECT_EQ(second.value().size(), 1U);
    const auto third = co_await fields.next_portion();
    EXPECT_TRUE(third.value().empty());
    EXPECT_EQ(server.log[0], test::words({"HSCAN", "h", "0", "COUNT", "500"}));
    auto scores = scan_sorted_set(redis, "z");
    const auto score = co_await scores.next();
    const std::pair<std::string, double> expected("a", 1.0);
    EXPECT_TRUE(score && *score == expected);
}

TEST(ScanTest, PairsComeInPortions) { test::run_with_client(&pairs_come_in_portions); }

task<> after_an_error_it_goes_on(test::fake_redis& server, client& redis) {
    server.answer = [&server](const test::words& words) {
        return words[0] == "SSCAN" ? std::string("-LOADING not yet\r\n") : server.usual(words);
    };
    auto members = scan_set(redis, "s");
    const auto loading = co_await members.next();
    EXPECT_EQ(loading.error(), errc::loading);
    answer_in_portions(server, array_of({bulk("a")}), array_of({bulk("b")}));
    const auto first = co_await members.next();
    EXPECT_EQ(first.value().value(), "a");
}

TEST(ScanTest, AfterAnErrorItGoesOn) { test::run_with_client(&after_an_error_it_goes_on); }

}  // namespace
}  // namespace weir::redisq

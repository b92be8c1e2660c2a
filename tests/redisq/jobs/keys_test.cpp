#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <weir/redisq/jobs/keys.hpp>

namespace weir::redisq {
namespace {

TEST(QueueKeysTest, AllKeysHaveTheQueueAsTheirTag) {
    const queue_keys keys("mail#2");
    EXPECT_EQ(keys.queue(), "mail#2");
    EXPECT_EQ(keys.lane(0), "weir:{mail#2}:s0");
    EXPECT_EQ(keys.lane(3), "weir:{mail#2}:s3");
    EXPECT_EQ(keys.delayed(), "weir:{mail#2}:z");
    EXPECT_EQ(keys.filed(), "weir:{mail#2}:h");
    EXPECT_EQ(keys.dead(), "weir:{mail#2}:dead");
    EXPECT_EQ(keys.unique("user 7"), "weir:{mail#2}:u:user 7");
    EXPECT_EQ(keys.token("abc"), "weir:{mail#2}:t:abc");
    EXPECT_EQ(keys.result("1-0.1"), "weir:{mail#2}:r:1-0.1");
    EXPECT_EQ(keys.lane_of("weir:{mail#2}:s2"), 2U);
    EXPECT_EQ(keys.lane_of("weir:{mail}:s2"), std::nullopt);
}

TEST(QueueKeysTest, ANameIsPrintableAndHasNoBracesOrBlanks) {
    for (const std::string& bad :
         {std::string(), std::string("a b"), std::string("a{b"), std::string("a}"),
          std::string("\n"), std::string("a\0b", 3), std::string(129, 'a')}) {
        EXPECT_THROW(queue_keys{bad}, std::invalid_argument);
    }
    EXPECT_NO_THROW(queue_keys(std::string(128, 'a')));
}

TEST(JobIdTest, TellsWhenAndWhereTheJobWasMade) {
    EXPECT_EQ(first_job_id("1795380296359-7", 2), "1795380296359-7.2");
    EXPECT_EQ(parse_job_id("1795380296359-7.2"), (job_id_parts{1795380296359, 7, '2'}));
    EXPECT_EQ(parse_job_id("1-0.d"), (job_id_parts{1, 0, 'd'}));
}

TEST(JobIdTest, AnythingElseIsNone) {
    for (const char* bad : {"", "1", "1-", "1-2", "1-2.", "1-2.4", "1-2.e", "-1-2.1", "1-2.1 ",
                            "x-2.1", "1-x.1", "99999999999999999999-1.1", "1-2:1"}) {
        EXPECT_EQ(parse_job_id(bad), std::nullopt) << bad;
    }
}

}  // namespace
}  // namespace weir::redisq

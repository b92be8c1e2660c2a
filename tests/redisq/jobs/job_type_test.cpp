#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <weir/redisq/jobs/job_type.hpp>

namespace job_type_test {

struct resize {
    std::string url;
    int width = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(resize, url, width)

}  // namespace job_type_test

namespace weir::redisq {
namespace {

using job_type_test::resize;

TEST(JobTypeTest, BuildsThePayloadInPlaceOrTakesItReady) {
    const job_type<resize, std::string> thumbnail("thumbnail");
    std::string in_place;
    thumbnail.encode(in_place, "a.png", 128);
    EXPECT_EQ(in_place, R"({"url":"a.png","width":128})");
    std::string ready;
    thumbnail.encode(ready, resize{"a.png", 128});
    EXPECT_EQ(ready, in_place);
    EXPECT_EQ(thumbnail.name(), "thumbnail");
}

TEST(JobTypeTest, RawBytesAreLeftAsTheyAre) {
    const job_type<std::string, void, raw_payload> note("note");
    std::string bytes;
    note.encode(bytes, "as it is");
    EXPECT_EQ(bytes, "as it is");
}

TEST(JobTypeTest, ItsNameHas1To255Bytes) {
    EXPECT_THROW(job_type<>(""), std::invalid_argument);
    const std::string long_name(256, 'a');
    EXPECT_THROW(job_type<>{long_name}, std::invalid_argument);
}

}  // namespace
}  // namespace weir::redisq

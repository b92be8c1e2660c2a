#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>
#include <weir/redisq/jobs/payload.hpp>

namespace weir::redisq {
namespace {

struct resize {
    std::string url;
    int width = 0;
    friend bool operator==(const resize&, const resize&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(resize, url, width)

std::string refusal(const std::function<void()>& call) {
    try {
        call();
    } catch (const exception& problem) {
        EXPECT_EQ(problem.code(), job_errc::bad_payload);
        return problem.what();
    }
    return "nothing was refused";
}

std::string json_refusal(const std::string& bytes) {
    return refusal([&] { static_cast<void>(json_payload::decode<resize>(bytes)); });
}

std::string messagepack_refusal(const std::string& bytes) {
    return refusal([&] { static_cast<void>(messagepack_payload::decode<resize>(bytes)); });
}

template <class Codec, class T>
T there_and_back(const T& value) {
    std::string bytes;
    Codec::encode(bytes, value);
    return Codec::template decode<T>(bytes);
}

TEST(PayloadTest, ComesBackFromEachFormat) {
    const resize value{"a.png", 128};
    EXPECT_EQ((there_and_back<json_payload>(value)), value);
    EXPECT_EQ((there_and_back<messagepack_payload>(value)), value);
    const std::string bytes("\0\xFFraw", 5);
    EXPECT_EQ((there_and_back<raw_payload>(bytes)), bytes);
    EXPECT_EQ(raw_payload::decode<std::vector<std::byte>>("ab").size(), 2U);
    std::string none;
    json_payload::encode(none, no_payload{});
    EXPECT_EQ(none, "");
    static_cast<void>(json_payload::decode<no_payload>(""));
}

TEST(PayloadTest, WhatIsNoJsonIsRefusedWithThePlaceAndNotTheContent) {
    const std::string told = json_refusal(R"({"url": secret})");
    EXPECT_THAT(told, testing::HasSubstr("payload: not valid JSON at byte"));
    EXPECT_THAT(told, testing::Not(testing::HasSubstr("secret")));
    for (const char* bad : {"", "{", R"({"url":"a","width":1}x)", R"({"url":"a","width":NaN})",
                            R"({"url":"a","width":01})", "\xFF", "{\"url\":\"\xC3\x28\"}"}) {
        EXPECT_THAT(json_refusal(bad), testing::HasSubstr("not valid JSON")) << bad;
    }
}

TEST(PayloadTest, WhatIsOfAnotherTypeIsRefused) {
    EXPECT_EQ(json_refusal(R"({"url":1,"width":1})"),
              "payload: type must be string, but is number");
    EXPECT_EQ(json_refusal(R"({"url":"a"})"), "payload: key 'width' not found");
    EXPECT_THAT(json_refusal("[]"), testing::HasSubstr("payload: "));
}

TEST(PayloadTest, ARepeatedKeyIsRefused) {
    EXPECT_EQ(json_refusal(R"({"url":"a","width":1,"url":"b"})"),
              "payload: a key stands twice in one object");
}

TEST(PayloadTest, DepthIsLimitedHoweverDeepItGoes) {
    const std::string deep_text(1'000'000, '[');
    EXPECT_EQ(json_refusal(deep_text), "payload: nested deeper than 32 levels");
    const std::string deep_bytes(1'000'000, '\x91');
    EXPECT_EQ(messagepack_refusal(deep_bytes), "payload: nested deeper than 32 levels");
    nlohmann::json value = 1;
    for (int i = 0; i < 32; ++i) {
        value = nlohmann::json::array({value});
    }
    EXPECT_EQ((there_and_back<json_payload>(value)), value);
    EXPECT_EQ((there_and_back<messagepack_payload>(value)), value);
    const nlohmann::json deeper = nlohmann::json::array({value});
    std::string bytes;
    EXPECT_EQ(refusal([&] { json_payload::encode(bytes, deeper); }),
              "payload: nested deeper than 32 levels");
}

TEST(PayloadTest, MessagePackThatIsCutOrLiesIsRefused) {
    std::string bytes;
    messagepack_payload::encode(bytes, resize{"a.png", 128});
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        EXPECT_THAT(messagepack_refusal(bytes.substr(0, length)),
                    testing::HasSubstr("not valid MessagePack"))
            << length;
    }
    EXPECT_THAT(messagepack_refusal(bytes + '\x01'), testing::HasSubstr("not valid MessagePack"));
    EXPECT_THAT(messagepack_refusal("\xDD\xFF\xFF\xFF\xFF"),
                testing::HasSubstr("not valid MessagePack"));
    EXPECT_THAT(messagepack_refusal("\xC1"), testing::HasSubstr("not valid MessagePack"));
}

TEST(PayloadTest, EveryKindOfMessagePackIsMeasuredRightly) {
    nlohmann::json value =
        nlohmann::json::array({nullptr,
                               true,
                               1,
                               -1,
                               200,
                               70'000,
                               5'000'000'000,
                               -200,
                               -70'000,
                               -5'000'000'000,
                               1.5,
                               std::string(40, 'a'),
                               std::string(300, 'a'),
                               std::string(70'000, 'a'),
                               nlohmann::json::binary({1, 2}),
                               nlohmann::json::binary({1, 2, 3, 4}, 7),
                               nlohmann::json::binary(std::vector<std::uint8_t>(300), 7),
                               nlohmann::json::binary(std::vector<std::uint8_t>(70'000)),
                               nlohmann::json(std::vector<int>(20, 1)),
                               nlohmann::json(std::vector<int>(70'000, 1))});
    for (int i = 0; i < 20; ++i) {
        value.push_back({{"k" + std::to_string(i), i}});
    }
    EXPECT_EQ((there_and_back<messagepack_payload>(value)), value);
}

TEST(PayloadTest, WhatCannotBeWrittenIsRefusedAtOnce) {
    std::string bytes;
    EXPECT_EQ(refusal([&] { json_payload::encode(bytes, std::vector<double>{1.0, std::nan("")}); }),
              "payload: a number that is not finite");
    EXPECT_EQ(refusal([&] {
                  messagepack_payload::encode(bytes, std::numeric_limits<double>::infinity());
              }),
              "payload: a number that is not finite");
    EXPECT_EQ(refusal([&] { json_payload::encode(bytes, resize{"\xFF", 1}); }),
              "payload: text that is not UTF-8");
}

}  // namespace
}  // namespace weir::redisq

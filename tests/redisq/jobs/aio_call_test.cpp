#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include <weir/redisq/jobs/aio_call.hpp>

namespace weir::redisq {
namespace {

std::pair<std::error_code, std::string> refusal(const std::string& text) {
    try {
        static_cast<void>(read_aio_call(text));
    } catch (const exception& problem) {
        return {problem.code(), problem.what()};
    }
    return {};
}

TEST(AioCallTest, ReadsWhatPythonWrites) {
    const aio_call call = read_aio_call(R"({"args": [1, "two"], "kwargs": {"y": 4.5}})");
    EXPECT_EQ(call.args, (nlohmann::json{1, "two"}));
    EXPECT_EQ(call.kwargs["y"], 4.5);
    EXPECT_EQ(read_aio_call(write_aio_call(call)).args, call.args);
    EXPECT_EQ(write_aio_call({}), R"({"args":[],"kwargs":{}})");
}

TEST(AioCallTest, APickleIsRefusedWithTheCure) {
    // pickle.dumps({"args": (1,), "kwargs": {}}) in protocols 4 and 0.
    const std::string newer(
        "\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04"
        "args\x94K\x01\x85\x94\x8c\x06kwargs\x94}\x94u.",
        37);
    const std::string older = "(dp0\nVargs\np1\n(I1\ntp2\nsVkwargs\np3\n(dp4\ns.";
    for (const std::string& pickle : {newer, older}) {
        EXPECT_EQ(refusal(pickle).first, job_errc::pickled);
        EXPECT_THAT(refusal(pickle).second, testing::HasSubstr("use_pickle=False"));
    }
}

TEST(AioCallTest, AnythingElseIsABadPayload) {
    for (const char* bad : {"", "{", "[]", "{}", R"({"args": 1})", R"({"args": [], "kwargs": 1})",
                            R"({"args": [], "args": []})", "\xFF"}) {
        EXPECT_EQ(refusal(bad).first, job_errc::bad_payload) << bad;
    }
}

TEST(AioCallTest, ArgumentsAreFoundByPlaceAndByName) {
    const std::vector<std::string> names = {"x", "text"};
    const auto both = [&names](const std::string& text) {
        return detail::aio_arguments<int, std::string>(read_aio_call(text), names);
    };
    const std::tuple<int, std::string> wanted(3, "four");
    EXPECT_EQ(both(R"({"args": [3, "four"], "kwargs": {}})"), wanted);
    EXPECT_EQ(both(R"({"args": [3], "kwargs": {"text": "four"}})"), wanted);
    EXPECT_EQ(both(R"({"args": [], "kwargs": {"text": "four", "x": 3}})"), wanted);
    for (const char* bad :
         {R"({"args": [3], "kwargs": {}})", R"({"args": [3, "four", 5], "kwargs": {}})",
          R"({"args": [3, "four"], "kwargs": {"x": 3}})", R"({"args": ["3", "four"]})",
          R"({"args": [3, "four"], "kwargs": {"z": 3}})"}) {
        EXPECT_THROW(both(bad), exception) << bad;
    }
}

}  // namespace
}  // namespace weir::redisq

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <system_error>

#include <weir/runtime/net/errors.hpp>

namespace weir {
namespace {

constexpr int first_code = static_cast<int>(net_errc::bad_address);
constexpr int last_code = static_cast<int>(net_errc::end_of_stream);

TEST(NetErrorsTest, EveryErrorHasATextOfItsOwn) {
    std::set<std::string> texts;
    for (int code = first_code; code <= last_code; ++code) {
        const std::string text = std::error_code(code, net_category()).message();
        EXPECT_EQ(text.find("unknown network error"), std::string::npos) << code;
        EXPECT_TRUE(texts.insert(text).second) << text;
    }
}

TEST(NetErrorsTest, AnUnknownValueIsNamedInItsText) {
    EXPECT_EQ(std::error_code(777, net_category()).message(), "unknown network error 777");
    EXPECT_EQ(std::error_code(0, net_category()).message(), "unknown network error 0");
}

TEST(NetErrorsTest, ErrorsBelongToTheirOwnCategory) {
    const std::error_code code = net_errc::bad_port;
    EXPECT_STREQ(code.category().name(), "weir.net");
    EXPECT_EQ(code, net_errc::bad_port);
    EXPECT_NE(code, net_errc::bad_address);
}

TEST(NetErrorsTest, TheTextSaysWhatIsAllowed) {
    EXPECT_NE(make_error_code(net_errc::bad_address).message().find("[::1]:80"), std::string::npos);
    EXPECT_NE(make_error_code(net_errc::bad_port).message().find("65535"), std::string::npos);
    EXPECT_NE(make_error_code(net_errc::bad_port).message().find("missing"), std::string::npos);
    EXPECT_NE(make_error_code(net_errc::path_too_long).message().find("107"), std::string::npos);
    EXPECT_NE(make_error_code(net_errc::bad_host_name).message().find("253"), std::string::npos);
}

TEST(NetErrorsTest, WhereAnErrnoMeansTheSameTheyAreEqual) {
    EXPECT_EQ(make_error_code(net_errc::bad_address), std::errc::invalid_argument);
    EXPECT_EQ(make_error_code(net_errc::bad_port), std::errc::invalid_argument);
    EXPECT_EQ(make_error_code(net_errc::bad_host_name), std::errc::invalid_argument);
    EXPECT_EQ(make_error_code(net_errc::path_too_long), std::errc::filename_too_long);
    EXPECT_EQ(make_error_code(net_errc::resolver_timeout), std::errc::timed_out);
    EXPECT_EQ(make_error_code(net_errc::resolver_busy), std::errc::resource_unavailable_try_again);
    EXPECT_EQ(make_error_code(net_errc::line_too_long), std::errc::message_size);
    EXPECT_NE(make_error_code(net_errc::unexpected_end), std::errc::invalid_argument);
}

}  // namespace
}  // namespace weir

// What does not happen to most items: lines that are cut off, lengths that are no plain numbers,
// values that take their time, and what is wrong.
#include <charconv>
#include <cstdio>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "detail/scan.hpp"
#include "parser.hpp"

namespace weir::redisq::resp {
namespace {

constexpr std::size_t length_digits_max = 20;

std::string describe_byte(char byte) {
    char text[16];
    const auto value = static_cast<unsigned>(static_cast<unsigned char>(byte));
    const bool printable = value > 0x20 && value < 0x7f;
    const int length = printable ? std::snprintf(text, sizeof(text), "0x%02x '%c'", value, byte)
                                 : std::snprintf(text, sizeof(text), "0x%02x", value);
    return {text, static_cast<std::size_t>(length)};
}

// [+-]digits; without a needless zero.
bool is_whole_number(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    if (text.empty() || (text.size() > 1 && text.front() == '0')) {
        return false;
    }
    return text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool read_double(std::string_view text, double& value) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (text == "inf" || text == "+inf") {
        value = infinity;
        return true;
    }
    if (text == "-inf") {
        value = -infinity;
        return true;
    }
    if (text == "nan" || text == "-nan") {
        value = std::numeric_limits<double>::quiet_NaN();
        return true;
    }
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
        return false;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string protocol_error::message() const {
    return "protocol error at byte " + std::to_string(offset) + ": " + reason;
}

parser::length_line parser::read_length_slowly(const char* item) {
    const char* const begin = item + 1;
    const char* const received = buffer_.end();
    const char* at = begin;
    if (at != received && (*at == '-' || *at == '+')) {
        ++at;
    }
    while (detail::digit_at(at) <= 9 && static_cast<std::size_t>(at - begin) <= length_digits_max) {
        ++at;
    }
    const std::string_view text(begin, static_cast<std::size_t>(at - begin));
    if (text.size() > length_digits_max) {
        return {fail(begin, "a length of more than 20 characters")};
    }
    if (at == received || (*at == '\r' && at + 1 == received)) {
        return {wait_until(received + 1)};
    }
    if (*at == '?' && text.empty()) {
        return {fail(at, "a streamed string or aggregate, which is not supported")};
    }
    if (!detail::is_line_end(at)) {
        return {fail_line_end(*at == '\r' ? at + 1 : at, "in a length")};
    }
    if (text == "-1" && (*item == '$' || *item == '*')) {
        return {progress::done, 0, at + 2};
    }
    if (text.empty()) {
        return {fail(at, "a length is missing")};
    }
    if (text.front() == '-') {
        return {fail(begin, "length " + std::string(text) +
                                (*item == '$' || *item == '*' ? ", allowed: -1 or 0 and more"
                                                              : ", allowed: 0 and more"))};
    }
    if (!is_whole_number(text) || text.front() == '+') {
        return {fail(begin, "length " + std::string(text) +
                                ", allowed: digits without a sign and without leading zeros")};
    }
    std::uint64_t value = std::numeric_limits<std::uint64_t>::max();
    static_cast<void>(std::from_chars(text.data(), text.data() + text.size(), value));
    return {progress::item, value, at + 2};
}

parser::progress parser::read_value(const char* item, const char* line_end, type kind,
                                    detail::node& value) {
    std::string_view text(item + 1, static_cast<std::size_t>(line_end - item - 1));
    if (kind == type::null && text.empty()) {
        value = detail::node::null();
        return progress::item;
    }
    if (kind == type::boolean && (text == "t" || text == "f")) {
        value = detail::node::boolean(text == "t");
        return progress::item;
    }
    if (kind == type::big_number && is_whole_number(text)) {
        value = detail::node::text(kind, text.size(),
                                   static_cast<std::uint64_t>(item + 1 - buffer_.begin()));
        return progress::item;
    }
    double floating = 0;
    if (kind == type::floating && read_double(text, floating)) {
        value = detail::node::floating(floating);
        return progress::item;
    }
    std::int64_t integer = 0;
    if (kind == type::integer && is_whole_number(text)) {
        text.remove_prefix(text.front() == '+' ? 1 : 0);
        if (std::from_chars(text.data(), text.data() + text.size(), integer).ec == std::errc()) {
            value = detail::node::integer(integer);
            return progress::item;
        }
        return fail(item + 1, "an integer of more than 64 bits");
    }
    return fail(item + 1, "no valid " + std::string(name(kind)));
}

parser::progress parser::no_line(const char* item, const char* line_end) {
    const char* const received = buffer_.end();
    if (static_cast<std::size_t>(line_end - item - 1) > limits_.line_bytes_max) {
        return fail(item + 1 + limits_.line_bytes_max, "a line that goes on beyond " +
                                                           std::to_string(limits_.line_bytes_max) +
                                                           " bytes (limits.line_bytes_max)");
    }
    if (line_end == received || (*line_end == '\r' && line_end + 1 == received)) {
        scanned_ = static_cast<std::size_t>(line_end - buffer_.begin());
        return wait_until(received + 1);
    }
    return fail_line_end(*line_end == '\r' ? line_end + 1 : line_end, "in a line");
}

parser::progress parser::wait_until(const char* end) noexcept {
    needed_ = static_cast<std::size_t>(end - buffer_.begin());
    return progress::more;
}

parser::progress parser::fail_mark(const char* item) {
    return fail(item, "unknown type byte " + describe_byte(*item));
}

// CR LF does not stand at `at`, or where the LF of one has to.
parser::progress parser::fail_line_end(const char* at, const char* where) {
    return fail(at, describe_byte(*at) + " instead of CR LF " + where);
}

parser::progress parser::fail_limit(const char* item, const char* what, const char* limit,
                                    std::size_t most) {
    const char* end = item + 1;
    while (detail::digit_at(end) <= 9) {
        ++end;
    }
    return fail(item, std::string(item + 1, end) + " " + what + ", allowed: 0 to " +
                          std::to_string(most) + " (limits." + limit + ")");
}

parser::progress parser::fail_depth(const char* item) {
    return fail(item, "more than " + std::to_string(limits_.depth_max) +
                          " aggregates inside each other (limits.depth_max)");
}

parser::progress parser::fail_aggregate(const char* item) {
    if (*item == '|') {
        return fail(item, "attributes of attributes");
    }
    return fail(item, is_inside() ? "a push inside another reply" : "a push without elements");
}

parser::progress parser::fail(const char* at, std::string reason) {
    return fail_at(static_cast<std::size_t>(at - buffer_.begin()), std::move(reason));
}

parser::progress parser::fail_at(std::size_t bytes_of_reply, std::string reason) {
    error_ = protocol_error{dropped_ + bytes_of_reply, std::move(reason)};
    return progress::failed;
}

}  // namespace weir::redisq::resp

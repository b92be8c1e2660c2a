#include "decode.hpp"

#include <charconv>
#include <limits>
#include <system_error>

namespace weir::redisq::resp::detail {
namespace {

// "a null", "a bulk string of 3 bytes", "an array of 3 elements".
std::string describe(reply_view view) {
    const std::string_view kind = name(view.kind());
    const bool vowel = kind.starts_with('a') || kind.starts_with('e') || kind.starts_with('i');
    std::string text = (vowel ? "an " : "a ") + std::string(kind);
    if (view.kind() == type::map) {
        text += " of " + std::to_string(view.pairs()) + " pairs";
    } else if (view.is_aggregate()) {
        text += " of " + std::to_string(view.size()) + " elements";
    } else if (view.kind() == type::bulk_string) {
        text += " of " + std::to_string(view.text().size()) + " bytes";
    }
    return text;
}

template <class Number>
number_state read_whole(reply_view view, Number& out) noexcept {
    if (!is_string(view)) {
        return number_state::wrong_type;
    }
    const std::string_view text = view.text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (end != text.data() + text.size() || text.empty()) {
        return number_state::wrong_type;
    }
    return error == std::errc() ? number_state::good : number_state::out_of_range;
}

}  // namespace

bool wrong_type(std::string& why, reply_view got, std::string_view wanted) {
    why = "expected " + std::string(wanted) + ", got " + describe(got);
    return false;
}

bool out_of_range(std::string& why, std::string_view wanted) {
    why = "expected " + std::string(wanted) + ", got an integer beyond its range";
    return false;
}

bool at_element(std::string& why, std::size_t index) {
    why = "element " + std::to_string(index) + ": " + why;
    return false;
}

bool at_field(std::string& why, std::string_view field) {
    why = "field '" + std::string(field) + "'" + (why.empty() ? " is missing" : ": " + why);
    return false;
}

number_state read_signed(reply_view view, std::int64_t& out) noexcept {
    if (view.kind() == type::integer || view.kind() == type::boolean) {
        out = view.kind() == type::integer ? view.integer() : view.boolean() ? 1 : 0;
        return number_state::good;
    }
    return read_whole(view, out);
}

number_state read_unsigned(reply_view view, std::uint64_t& out) noexcept {
    std::int64_t number = 0;
    if (view.kind() == type::integer || view.kind() == type::boolean) {
        static_cast<void>(read_signed(view, number));
        out = static_cast<std::uint64_t>(number);
        return number < 0 ? number_state::out_of_range : number_state::good;
    }
    if (is_string(view) && view.text().starts_with('-')) {
        return read_whole(view, number) == number_state::wrong_type ? number_state::wrong_type
                                                                    : number_state::out_of_range;
    }
    return read_whole(view, out);
}

bool read_floating(reply_view view, double& out) noexcept {
    if (view.kind() == type::floating) {
        out = view.floating();
        return true;
    }
    if (view.kind() == type::integer) {
        out = static_cast<double>(view.integer());
        return true;
    }
    // from_chars knows "inf" and "nan", as the server writes them.
    const std::string_view text = is_string(view) ? view.text() : std::string_view();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

bool read_boolean(reply_view view, bool& out) noexcept {
    if (view.kind() == type::boolean) {
        out = view.boolean();
        return true;
    }
    std::int64_t number = 0;
    if (read_signed(view, number) != number_state::good || (number != 0 && number != 1)) {
        return false;
    }
    out = number == 1;
    return true;
}

}  // namespace weir::redisq::resp::detail

// What the tests of RESP share: bytes into a parser, replies as one text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weir/redisq/resp/parser.hpp>
#include <weir/redisq/resp/reply_view.hpp>

namespace weir::test {

inline void receive(redisq::resp::parser& into, std::string_view bytes) {
    const std::span<std::byte> room = into.prepare(bytes.size());
    if (!bytes.empty()) {
        std::memcpy(room.data(), bytes.data(), bytes.size());
    }
    into.commit(bytes.size());
}

// A reply on one line: [1,"bulk",+simple,-error,null,%{...}]; attributes as |{...} before it.
inline std::string text_of(redisq::resp::reply_view view) {
    using redisq::resp::type;
    std::string out;
    if (const auto attributes = view.attributes()) {
        out += '|' + text_of(*attributes).substr(1);
    }
    switch (view.kind()) {
        case type::simple_string:
            return out + '+' + std::string(view.text());
        case type::error:
            return out + '-' + std::string(view.text());
        case type::integer:
            return out + std::to_string(view.integer());
        case type::bulk_string:
            return out + '"' + std::string(view.text()) + '"';
        case type::null:
            return out + "null";
        case type::boolean:
            return out + (view.boolean() ? "true" : "false");
        case type::floating:
            return out + std::to_string(view.floating());
        case type::big_number:
            return out + '(' + std::string(view.text());
        case type::bulk_error:
            return out + '!' + std::string(view.text());
        case type::verbatim_string:
            return out + '=' + std::string(view.verbatim_format()) + ':' + std::string(view.text());
        case type::array:
            out += '[';
            break;
        case type::map:
            out += "%[";
            break;
        case type::set:
            out += "~[";
            break;
        case type::push:
            out += ">[";
            break;
    }
    const std::size_t before = out.size();
    for (const redisq::resp::reply_view element : view) {
        out += (out.size() > before ? "," : "") + text_of(element);
    }
    return out + ']';
}

// What a parser makes of bytes: the replies, then the error where there is one.
struct parsed {
    std::vector<std::string> replies;
    std::string error;

    friend bool operator==(const parsed&, const parsed&) = default;
    friend std::ostream& operator<<(std::ostream& out, const parsed& what) {
        for (const std::string& reply : what.replies) {
            out << reply << '\n';
        }
        return out << what.error;
    }
};

inline void collect(redisq::resp::parser& from, parsed& into) {
    while (true) {
        const auto next = from.next();
        if (!next) {
            into.error = next.error().message();
            return;
        }
        if (!*next) {
            return;
        }
        into.replies.push_back(text_of(**next));
    }
}

// Received in pieces of `piece_bytes`.
inline parsed parse_in_pieces(std::string_view bytes, std::size_t piece_bytes,
                              const redisq::resp::limits& allowed = {}) {
    redisq::resp::parser replies(allowed);
    parsed out;
    while (!bytes.empty() && out.error.empty()) {
        receive(replies, bytes.substr(0, piece_bytes));
        bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
        collect(replies, out);
    }
    return out;
}

// In one piece.
inline parsed parse(std::string_view bytes, const redisq::resp::limits& allowed = {}) {
    return parse_in_pieces(bytes, bytes.size(), allowed);
}

}  // namespace weir::test

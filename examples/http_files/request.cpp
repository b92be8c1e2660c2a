#include "request.hpp"

#include <http_parser.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace http_files {
namespace {

struct parsed_head {
    std::string target;
    std::vector<std::pair<std::string, std::string>> fields;
    bool in_name = false;
    bool is_complete = false;
    bool keep_alive = false;
    bool has_body = false;
};

parsed_head& of(http_parser* parser) { return *static_cast<parsed_head*>(parser->data); }

int on_target(http_parser* parser, const char* at, std::size_t size) {
    of(parser).target.append(at, size);
    return 0;
}

int on_name(http_parser* parser, const char* at, std::size_t size) {
    parsed_head& head = of(parser);
    if (!std::exchange(head.in_name, true)) {
        head.fields.emplace_back();
    }
    head.fields.back().first.append(at, size);
    return 0;
}

int on_value(http_parser* parser, const char* at, std::size_t size) {
    parsed_head& head = of(parser);
    head.in_name = false;
    head.fields.back().second.append(at, size);
    return 0;
}

int on_complete(http_parser* parser) {
    parsed_head& head = of(parser);
    head.is_complete = true;
    head.keep_alive = http_should_keep_alive(parser) != 0;
    const bool has_length = parser->content_length != UINT64_MAX;
    head.has_body = (has_length && parser->content_length != 0) || (parser->flags & F_CHUNKED) != 0;
    return 1;  // a body is not read
}

std::vector<std::string> values(const parsed_head& head, const char* name) {
    std::vector<std::string> found;
    for (const auto& [known, value] : head.fields) {
        if (::strcasecmp(known.c_str(), name) == 0) {
            found.push_back(value);
        }
    }
    return found;
}

std::optional<std::uint64_t> to_number(std::string_view digits) {
    if (digits.empty() ||
        !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return read.ec == std::errc() ? number : UINT64_MAX;
}

// %XX to bytes; empty where that is wrong, or gives a NUL.
std::string decode(std::string_view text) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            decoded += text[at];
            continue;
        }
        unsigned byte = 0;
        const std::string_view digits = text.substr(at + 1, 2);
        const char* const end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, byte, 16);
        if (digits.size() != 2 || read.ptr != end || byte == 0) {
            return std::string();
        }
        decoded += static_cast<char>(byte);
        at += 2;
    }
    return decoded;
}

// The path in a target such as /a%20b?c or http://host/a; empty where there is none.
std::string path_of(const std::string& target) {
    http_parser_url parts;
    http_parser_url_init(&parts);
    if (http_parser_parse_url(target.data(), target.size(), 0, &parts) != 0 ||
        (parts.field_set & (1U << UF_PATH)) == 0) {
        return std::string();
    }
    return decode(std::string_view(target).substr(parts.field_data[UF_PATH].off,
                                                  parts.field_data[UF_PATH].len));
}

request refused(int status, request of) {
    of.status = status;
    of.keep_alive = of.keep_alive && status == 404;
    return of;
}

}  // namespace

request parse_request(std::string_view head) {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_url = on_target;
    settings.on_header_field = on_name;
    settings.on_header_value = on_value;
    settings.on_headers_complete = on_complete;
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    parsed_head found;
    parser.data = &found;
    const std::string text = std::string(head) + "\r\n\r\n";
    const std::size_t read = http_parser_execute(&parser, &settings, text.data(), text.size());

    request asked;
    asked.is_head = parser.method == HTTP_HEAD;
    asked.keep_alive = found.keep_alive;
    const bool is_version_1 = parser.http_major == 1 && parser.http_minor <= 1;
    if (HTTP_PARSER_ERRNO(&parser) == HPE_INVALID_VERSION || (found.is_complete && !is_version_1)) {
        return refused(505, asked);
    }
    const std::size_t hosts = values(found, "Host").size();
    if (!found.is_complete || HTTP_PARSER_ERRNO(&parser) != HPE_OK || read != text.size() ||
        hosts > 1 || (hosts == 0 && parser.http_minor == 1)) {
        return refused(400, asked);
    }
    if (parser.method != HTTP_GET && parser.method != HTTP_HEAD) {
        return refused(405, asked);
    }
    if (found.has_body) {
        return refused(413, asked);
    }
    asked.path = path_of(found.target);
    if (!asked.path.starts_with('/')) {
        return refused(400, asked);
    }
    if (asked.path.find("/.") != std::string::npos) {
        return refused(404, asked);  // parents of the folder, and what is hidden
    }
    const std::vector<std::string> ranges = values(found, "Range");
    asked.range = ranges.size() == 1 && !asked.is_head ? ranges.front() : std::string();
    return asked;
}

selection select_range(std::string_view range, std::uint64_t size) {
    constexpr std::string_view unit = "bytes=";
    const selection whole{200, 0, size};
    const std::size_t dash = range.find('-');
    if (!range.starts_with(unit) || dash == std::string_view::npos) {
        return whole;
    }
    const std::string_view from = range.substr(unit.size(), dash - unit.size());
    const std::optional<std::uint64_t> first = to_number(from);
    const std::optional<std::uint64_t> last = to_number(range.substr(dash + 1));
    if (from.empty() && last) {  // so many bytes from the end
        const std::uint64_t count = std::min(*last, size);
        return count == 0 ? selection{416, 0, 0} : selection{206, size - count, count};
    }
    const bool is_open = range.ends_with('-');
    if (!first || (!last && !is_open) || (last && *last < *first)) {
        return whole;
    }
    if (*first >= size) {
        return {416, 0, 0};
    }
    const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
    return {206, *first, end - *first + 1};
}

const char* reason(int status) { return http_status_str(static_cast<http_status>(status)); }

std::string_view content_type(std::string_view path) {
    using known = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<known, 9> types{{{".html", "text/html; charset=utf-8"},
                                                 {".txt", "text/plain; charset=utf-8"},
                                                 {".css", "text/css"},
                                                 {".js", "text/javascript"},
                                                 {".json", "application/json"},
                                                 {".svg", "image/svg+xml"},
                                                 {".png", "image/png"},
                                                 {".jpg", "image/jpeg"},
                                                 {".pdf", "application/pdf"}}};
    for (const auto& [ending, type] : types) {
        if (path.ends_with(ending)) {
            return type;
        }
    }
    return "application/octet-stream";
}

}  // namespace http_files

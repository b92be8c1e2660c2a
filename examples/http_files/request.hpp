// What a client asks for: the head of an HTTP/1.1 request, read by http_parser, and the range of
// bytes that it wants of a file. Nothing here does I/O, so each can be tried on its own.
//
// Source: RFC 9110 (Range: section 14), RFC 9112 (heads of requests).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace http_files {

struct request {
    int status = 200;  // otherwise what to refuse it with; path and range are empty then
    bool is_head = false;
    bool keep_alive = false;
    std::string path;   // decoded: begins with '/', no part of it begins with '.' or holds a NUL
    std::string range;  // the field's value, or empty
};

// `head` is the request without the empty line that ends it.
[[nodiscard]] request parse_request(std::string_view head);

// 200: the whole file; 206: the part; 416: no such part.
struct selection {
    int status = 200;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

// One range is served; several, and what is no range at all, count as none.
[[nodiscard]] selection select_range(std::string_view range, std::uint64_t size);

// As "Not Found".
[[nodiscard]] const char* reason(int status);

// As "text/plain", by how the path ends.
[[nodiscard]] std::string_view content_type(std::string_view path);

}  // namespace http_files

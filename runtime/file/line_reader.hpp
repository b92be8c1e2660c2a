// line_reader: the lines of a stream of bytes.
//
//     weir::line_reader lines(*input, 65'536);   // a line of more bytes is an error
//     while (auto line = co_await lines.next()) {
//         if (!*line) { break; }   // the end
//         use((*line)->size());
//     }
//
// A line ends with "\n" or "\r\n", neither of which is part of it; the last one may lack it. A "\r"
// elsewhere is an ordinary byte. The source is anything with
// `read_some(std::span<std::byte>)`, whose await yields a result<std::size_t>, 0 at the end: a
// pipe_reader, a file_cursor, a socket. At most the limit and two bytes are held.
//
// Errors: those of the source, after which the reader may go on (what was read is kept);
// file_errc::line_too_long, after which every next() yields it again, because where the next line
// begins is not known; error_text() then names the line and the limit.
// Lifetime: the source outlives the reader, the reader its awaits; a line is valid until the next
// is asked for. Thread: the loop's; one operation at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "../result.hpp"
#include "../task.hpp"
#include "detail/line_buffer.hpp"

namespace weir {

template <class Source>
class line_reader {
  public:
    // `line_max`: bytes of a line without its end, 1 to 1 GiB. Throws std::invalid_argument.
    line_reader(Source& source, std::size_t line_max) : source_(&source), buffer_(line_max) {}

    // The next line; empty at the end of the stream.
    [[nodiscard]] task<result<std::optional<std::string_view>>> next() {
        while (true) {
            const result<std::optional<std::string_view>> line = buffer_.take();
            if (!line || *line || buffer_.ended()) {
                co_return line;
            }
            const std::span<std::byte> free = buffer_.free_space();
            const result<std::size_t> count = co_await source_->read_some(free);
            if (!count) {
                co_return std::unexpected(count.error());
            }
            buffer_.add(*count);
        }
    }

    // Lines that were yielded.
    [[nodiscard]] std::uint64_t line_count() const noexcept { return buffer_.line_count(); }
    [[nodiscard]] std::size_t line_max() const noexcept { return buffer_.line_max(); }

    // What `error`, which next() has yielded, says here: "line 7 is longer than line_max, 4096
    // bytes".
    [[nodiscard]] std::string error_text(const std::error_code& error) const {
        return buffer_.error_text(error);
    }

  private:
    Source* source_;
    detail::line_buffer buffer_;
};

}  // namespace weir

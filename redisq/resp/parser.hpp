// parser: replies out of bytes as they come, cut anywhere.
//
//     weir::redisq::resp::parser replies;
//     const std::span<std::byte> room = replies.prepare(4'096);
//     replies.commit(receive(room));
//     while (auto reply = value_of(replies.next())) { use(reply->integer()); }
//
// It does no I/O: the owner receives into prepare()'s room, says how much has come, and takes what
// is complete. Bytes are parsed where they were received; texts are views of them. A reply that is
// cut off stays where it is, or moves to a block of twice the size when there is no room behind it.
// What was parsed of it is not parsed again.
//
// Memory follows the bytes that have come, never a length that the peer has declared: at most twice
// the bytes of the replies not yet taken or 16 KiB, and 16 bytes an element. A warm parser
// allocates nothing.
//
// Errors: bytes that are no RESP, or beyond the limits, are a protocol_error, and so is every
// next() from then on: the connection is of no more use. Streamed strings and aggregates of RESP3
// ("$?") are refused, no server sends them. prepare() and next() throw std::bad_alloc and may be
// called again.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "detail/node_list.hpp"
#include "detail/receive_buffer.hpp"
#include "limits.hpp"
#include "reply.hpp"
#include "reply_view.hpp"
#include "stream_event.hpp"

namespace weir::redisq::resp {

struct protocol_error {
    // Of the first byte that is wrong, counted from the first that the parser ever got.
    std::uint64_t offset = 0;
    std::string reason;

    // "protocol error at byte N: REASON"; no bytes of the peer but one, and lengths.
    [[nodiscard]] std::string message() const;
};

class parser {
  public:
    using outcome = std::expected<std::optional<reply_view>, protocol_error>;
    using event_outcome = std::expected<std::optional<stream_event>, protocol_error>;

    // Throws std::invalid_argument when a limit is out of its range.
    explicit parser(const limits& allowed = {});
    parser(const parser&) = delete;
    parser& operator=(const parser&) = delete;
    ~parser() = default;

    // Room for `at_least` bytes or more, behind those that have come. Ends the life of views.
    std::span<std::byte> prepare(std::size_t at_least = 1);
    // The first `count` bytes of that room have come.
    void commit(std::size_t count) noexcept { buffer_.commit(count); }

    // The next reply or push; empty when its bytes have not all come. The view lives until the next
    // prepare() or next(). To be called until it is empty.
    [[nodiscard]] outcome next();

    // What next() has just returned, or next_event() as a value or an element, to keep. Once each;
    // requires that neither prepare() nor one of these was called since. Small replies are copied
    // into one block, large ones take the blocks with them and leave the view valid as long as they
    // live.
    [[nodiscard]] reply take();

    // The next part of a reply, instead of next(): for replies that are to be worked on while they
    // arrive, in memory of one element or of what was received at once. Between the begin and the
    // end of a reply, next() may not be called; everywhere else both may. limits.reply_bytes_max
    // then counts for each element.
    [[nodiscard]] event_outcome next_event();

    // How many bytes of the stream the replies were that next() has returned.
    [[nodiscard]] std::uint64_t position() const noexcept {
        return dropped_ + (complete_ ? parsed_ : 0);
    }
    // Bytes behind that: of a reply that is not complete, or not asked for yet.
    [[nodiscard]] std::size_t buffered() const noexcept {
        return buffer_.size() - (complete_ ? parsed_ : 0);
    }
    // Bytes of memory that it holds.
    [[nodiscard]] std::size_t memory() const noexcept {
        return buffer_.capacity() + nodes_.capacity() * sizeof(detail::node);
    }

    // Forgets all bytes and errors, keeps its memory: for a new connection.
    void reset() noexcept;

  private:
    // What a step of parsing has come to.
    enum class progress : std::uint8_t {
        item,    // one more element is complete
        opened,  // an aggregate or attributes, whose elements come next
        done,    // the reply is complete
        more,    // needs more bytes
        failed   // error_ tells
    };
    struct run;
    // A length that is not just a few digits, a CR and an LF.
    struct length_line {
        progress state = progress::failed;  // item: `value` holds; done: it is a null
        std::uint64_t value = 0;
        const char* after = nullptr;
    };
    struct frame {
        std::uint32_t node;       // the aggregate
        std::uint32_t remaining;  // what the one around it lacks
    };

    enum class stream_state : std::uint8_t {
        none,      // between two replies, or replies come whole
        elements,  // stream_left_ of them are to come
        text       // stream_left_ bytes of it and a CR LF are to come
    };

    void restart() noexcept;
    [[nodiscard]] bool is_inside() const noexcept {
        return depth_ != 0 || stream_ == stream_state::elements;
    }
    outcome next_whole();
    bool parse_small() noexcept;
    bool keep_small(const detail::node& parsed, std::size_t bytes) noexcept;
    progress parse();
    [[nodiscard]] std::size_t root() const noexcept;

    event_outcome begin_event();
    event_outcome whole_event(stream_event::kind what);
    event_outcome element_event();
    event_outcome text_event();
    event_outcome end_event();
    void hand_out(std::size_t count) noexcept;

    // What does not happen to most items. `item` is the mark of one that is not complete.
    length_line read_length_slowly(const char* item);
    progress read_value(const char* item, const char* line_end, type kind, detail::node& value);
    progress no_line(const char* item, const char* line_end);
    progress wait_until(const char* end) noexcept;
    progress fail_mark(const char* item);
    progress fail_line_end(const char* at, const char* what);
    progress fail_limit(const char* item, const char* what, const char* limit, std::size_t most);
    progress fail_depth(const char* item);
    progress fail_aggregate(const char* item);
    progress fail(const char* at, std::string reason);
    progress fail_at(std::size_t bytes_of_reply, std::string reason);

    limits limits_;
    detail::receive_buffer buffer_;  // begins with the first byte of the current reply
    detail::node_list nodes_;        // of the current reply
    std::unique_ptr<frame[]> frames_;
    std::size_t depth_ = 0;
    std::uint32_t remaining_ = 1;  // elements that the innermost open aggregate lacks
    std::size_t parsed_ = 0;       // bytes of the current reply
    std::size_t needed_ = 1;       // bytes of it before there is any use in going on
    std::size_t scanned_ = 0;      // bytes of it that hold no end of the line at parsed_
    std::uint64_t dropped_ = 0;    // bytes before the current reply
    bool complete_ = false;        // next() has returned the current reply
    bool taken_ = false;           // and it cannot be taken, or not any more
    stream_state stream_ = stream_state::none;
    std::size_t stream_left_ = 0;
    std::size_t depth_max_;  // for what is parsed now
    std::optional<protocol_error> error_;
};

}  // namespace weir::redisq::resp

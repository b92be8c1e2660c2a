#include "parser.hpp"

#include <string>
#include <utility>

#include "../../runtime/assert.hpp"
#include "detail/scan.hpp"

namespace weir::redisq::resp {

using detail::node;

// One go through the bytes that are there. Its members live in registers: no function that is not
// inlined gets to see the object.
struct parser::run {
    explicit run(parser& owner) noexcept
        : self(owner),
          base(owner.buffer_.begin()),
          at(base + owner.parsed_),
          end(owner.buffer_.end()),
          remaining(owner.remaining_) {
        take_nodes();
    }

    progress all();

    progress read_item();
    progress read_line(type kind);
    progress read_integer();
    progress read_rare(type kind);
    progress read_bulk(type kind);
    progress read_aggregate(type kind, unsigned elements_each);
    progress read_length(const char*& after, std::uint64_t& length);
    progress find_end(const char*& end_of_line);
    progress open(const node& opened, std::size_t elements, bool attributes);
    void close() noexcept;

    [[gnu::always_inline]] progress item(const node& parsed, const char* after) noexcept {
        *out++ = parsed;
        at = after;
        return progress::item;
    }

    [[gnu::always_inline]] void take_nodes() noexcept {
        out = self.nodes_.data() + self.nodes_.size();
        out_end = self.nodes_.data() + self.nodes_.capacity();
    }

    [[gnu::always_inline]] void save() noexcept {
        self.parsed_ = static_cast<std::size_t>(at - base);
        self.remaining_ = remaining;
        self.nodes_.set_size(static_cast<std::size_t>(out - self.nodes_.data()));
    }

    [[nodiscard]] std::uint64_t offset_of(const char* byte) const noexcept {
        return static_cast<std::uint64_t>(byte - base);
    }

    parser& self;
    const char* const base;  // the first byte of the reply
    const char* at;          // the first byte of the next item
    const char* const end;
    node* out = nullptr;
    node* out_end = nullptr;
    std::uint32_t remaining;  // elements that the innermost open aggregate lacks
};

[[gnu::always_inline]] inline parser::progress parser::run::all() {
    while (true) {
        // Room for the item and for the end of attributes behind it.
        if (out_end - out < 2) [[unlikely]] {
            save();
            self.nodes_.grow();
            take_nodes();
        }
        const progress step = read_item();
        if (step == progress::item) {
            while (--remaining == 0) {
                if (self.depth_ == 0) {
                    return progress::done;
                }
                close();
            }
        } else if (step != progress::opened) {
            return step;
        }
    }
}

[[gnu::always_inline]] inline parser::progress parser::run::read_item() {
    if (at == end) [[unlikely]] {
        return self.wait_until(at + 1);
    }
    switch (*at) {
        case '$':
            return read_bulk(type::bulk_string);
        case '+':
            return read_line(type::simple_string);
        case ':':
            return read_integer();
        case '*':
            return read_aggregate(type::array, 1);
        case '-':
            return read_line(type::error);
        case '%':
            return read_aggregate(type::map, 2);
        case '_':
            return read_rare(type::null);
        case '#':
            return read_rare(type::boolean);
        case ',':
            return read_rare(type::floating);
        case '(':
            return read_rare(type::big_number);
        case '!':
            return read_bulk(type::bulk_error);
        case '=':
            return read_bulk(type::verbatim_string);
        case '~':
            return read_aggregate(type::set, 1);
        case '>':
            return read_aggregate(type::push, 1);
        case '|':
            return read_aggregate(type::map, 2);
        default:
            return self.fail_mark(at);
    }
}

// From the first byte behind the mark on.
[[gnu::always_inline]] inline parser::progress parser::run::find_end(const char*& end_of_line) {
    const char* const unseen = base + self.scanned_;
    const char* const line_end = detail::find_line_end(unseen > at ? unseen : at + 1, end);
    if (end - line_end < 2 || !detail::is_line_end(line_end) ||
        static_cast<std::size_t>(line_end - at) > self.limits_.line_bytes_max + 1) [[unlikely]] {
        return self.no_line(at, line_end);
    }
    end_of_line = line_end;
    return progress::item;
}

[[gnu::always_inline]] inline parser::progress parser::run::read_line(type kind) {
    const char* line_end = nullptr;
    if (const progress found = find_end(line_end); found != progress::item) {
        return found;
    }
    const auto length = static_cast<std::size_t>(line_end - at - 1);
    return item(node::text(kind, length, offset_of(at + 1)), line_end + 2);
}

[[gnu::always_inline]] inline parser::progress parser::run::read_integer() {
    const bool negative = at[1] == '-';
    const char* after = at + 1 + (negative ? 1 : 0);
    std::uint64_t number = 0;
    if (detail::read_short_number(after, number) && end - after >= 2 && detail::is_line_end(after))
        [[likely]] {
        const auto value = static_cast<std::int64_t>(number);
        return item(node::integer(negative ? -value : value), after + 2);
    }
    return read_rare(type::integer);
}

// What is rare, or takes its time anyway.
inline parser::progress parser::run::read_rare(type kind) {
    const char* line_end = nullptr;
    if (const progress found = find_end(line_end); found != progress::item) {
        return found;
    }
    node value;
    if (const progress read = self.read_value(at, line_end, kind, value); read != progress::item) {
        return read;
    }
    return item(value, line_end + 2);
}

// The length behind the mark. done: it is a null.
[[gnu::always_inline]] inline parser::progress parser::run::read_length(const char*& after,
                                                                        std::uint64_t& length) {
    after = at + 1;
    if (detail::read_short_number(after, length) && end - after >= 2 && detail::is_line_end(after))
        [[likely]] {
        after += 2;
        return progress::item;
    }
    const length_line line = self.read_length_slowly(at);
    after = line.after;
    length = line.value;
    return line.state;
}

[[gnu::always_inline]] inline parser::progress parser::run::read_bulk(type kind) {
    const char* text = nullptr;
    std::uint64_t length = 0;
    if (const progress read = read_length(text, length); read != progress::item) [[unlikely]] {
        return read == progress::done ? item(node::null(), text) : read;
    }
    if (length > self.limits_.bulk_bytes_max) [[unlikely]] {
        return self.fail_limit(at, "bytes", "bulk_bytes_max", self.limits_.bulk_bytes_max);
    }
    if (static_cast<std::uint64_t>(end - text) < length + 2) [[unlikely]] {
        return self.wait_until(text + length + 2);
    }
    const char* const text_end = text + length;
    if (!detail::is_line_end(text_end)) [[unlikely]] {
        return self.fail_line_end(text_end, "behind a string of the declared length");
    }
    if (kind == type::verbatim_string) {
        if (length < 4 || text[3] != ':') {
            return self.fail(text,
                             "a verbatim string that does not begin with a format of three "
                             "characters and a colon");
        }
        return item(node::text(kind, length - 4, offset_of(text + 4)), text_end + 2);
    }
    return item(node::text(kind, length, offset_of(text)), text_end + 2);
}

[[gnu::always_inline]] inline parser::progress parser::run::read_aggregate(type kind,
                                                                           unsigned elements_each) {
    const char* after = nullptr;
    std::uint64_t length = 0;
    if (const progress read = read_length(after, length); read != progress::item) [[unlikely]] {
        return read == progress::done ? item(node::null(), after) : read;
    }
    const std::uint64_t elements = length * elements_each;
    if (length > self.limits_.elements_max || elements > self.limits_.elements_max) [[unlikely]] {
        return self.fail_limit(at, "elements", "elements_max", self.limits_.elements_max);
    }
    const bool attributes = *at == '|';
    if ((kind == type::push && (self.is_inside() || elements == 0)) ||
        (attributes && (out - 1)->is_attributes_end())) [[unlikely]] {
        return self.fail_aggregate(at);
    }
    const node opened = attributes ? node::attributes(elements) : node::aggregate(kind, elements);
    if (elements == 0) {
        static_cast<void>(item(opened, after));
        if (attributes) {
            *out++ = node::attributes_end(1);
            return progress::opened;
        }
        return progress::item;
    }
    if (self.depth_ == self.depth_max_) [[unlikely]] {
        return self.fail_depth(at);
    }
    self.frames_[self.depth_++] = {static_cast<std::uint32_t>(out - self.nodes_.data()),
                                   remaining + (attributes ? 1 : 0)};
    remaining = static_cast<std::uint32_t>(elements);
    static_cast<void>(item(opened, after));
    return progress::opened;
}

// The innermost aggregate has all its elements.
[[gnu::always_inline]] inline void parser::run::close() noexcept {
    const frame closed = self.frames_[--self.depth_];
    node& aggregate = self.nodes_.data()[closed.node];
    const auto span = static_cast<std::uint64_t>(out - &aggregate);
    aggregate.set_span(span);
    if (aggregate.is_attributes()) {
        *out++ = node::attributes_end(span);
    }
    remaining = closed.remaining;
}

parser::parser(const limits& allowed) : limits_(allowed), depth_max_(allowed.depth_max) {
    limits_.check();
    frames_ = std::make_unique_for_overwrite<frame[]>(limits_.depth_max);
}

std::span<std::byte> parser::prepare(std::size_t at_least) {
    if (complete_) {
        restart();
    }
    const std::size_t here = buffer_.size();
    return buffer_.prepare(at_least, needed_ > here ? needed_ - here : 0);
}

parser::outcome parser::next_whole() {
    if (buffer_.size() < needed_ && !error_) {
        return std::optional<reply_view>();
    }
    if (const progress made = error_ ? progress::failed : parse(); made != progress::done) {
        if (made == progress::failed) {
            return std::unexpected(*error_);
        }
        return std::optional<reply_view>();
    }
    complete_ = true;
    return reply_view(nodes_.data() + root(), buffer_.begin());
}

// The index of the reply itself, behind its attributes.
std::size_t parser::root() const noexcept {
    const node& first = nodes_.data()[1];
    return first.is_attributes() ? 2 + first.span() : 1;
}

parser::progress parser::parse() {
    if (nodes_.capacity() == 0) {
        nodes_.grow();
    }
    run here(*this);
    const progress made = here.all();
    here.save();
    if (made == progress::done ? parsed_ > limits_.reply_bytes_max
                               : made == progress::more && needed_ > limits_.reply_bytes_max)
        [[unlikely]] {
        return fail_at(limits_.reply_bytes_max, "a reply that goes on beyond " +
                                                    std::to_string(limits_.reply_bytes_max) +
                                                    " bytes (limits.reply_bytes_max)");
    }
    return made;
}

void parser::reset() noexcept {
    restart();
    buffer_.clear();
    dropped_ = 0;
    stream_ = stream_state::none;
    depth_max_ = limits_.depth_max;
    error_.reset();
}

reply parser::take() {
    WEIR_ASSERT(complete_ && !taken_, "take() follows a next() that has returned a reply, once");
    const char* const base = buffer_.begin();
    const std::span<const node> nodes(nodes_.data(), nodes_.size());
    taken_ = true;
    if (!buffer_.worth_handing_over(parsed_)) {
        return {nodes, root(), {base, parsed_}};
    }
    reply kept(nodes, root(), {});
    kept.keep_bytes(buffer_.hand_over(parsed_), base);
    dropped_ += std::exchange(parsed_, 0);
    return kept;
}

}  // namespace weir::redisq::resp

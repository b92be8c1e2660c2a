// The examples in the comments of redisq/resp/*.hpp, word for word, with what they need around
// them; the test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>
#include <weir/redisq/resp/decode.hpp>
#include <weir/redisq/resp/encoder.hpp>
#include <weir/redisq/resp/limits.hpp>
#include <weir/redisq/resp/parser.hpp>
#include <weir/redisq/resp/reply.hpp>
#include <weir/redisq/resp/reply_view.hpp>
#include <weir/redisq/resp/stream_event.hpp>
#include <weir/redisq/resp/type.hpp>

namespace {

std::size_t reported = 0;
void report(std::string_view text) { reported += text.size(); }
std::int64_t used = 0;
void use(std::int64_t value) { used += value; }
std::size_t sent = 0;
void send(std::span<const std::byte> bytes) { sent += bytes.size(); }

std::size_t receive(std::span<std::byte> room) {
    const std::string_view bytes = ":1\r\n*2\r\n:2\r\n:3\r\n";
    std::memcpy(room.data(), bytes.data(), bytes.size());
    return bytes.size();
}

void give(weir::redisq::resp::parser& to, std::string_view bytes) {
    std::memcpy(to.prepare(bytes.size()).data(), bytes.data(), bytes.size());
    to.commit(bytes.size());
}

template <class Outcome>
auto value_of(Outcome outcome) { return outcome.value(); }

void type_example() {
    const weir::redisq::resp::type kind = weir::redisq::resp::type::bulk_string;
    report(weir::redisq::resp::name(kind));   // "bulk string"
}

void limits_example() {
    weir::redisq::resp::limits allowed;
    allowed.bulk_bytes_max = std::size_t{512} << 20;
    weir::redisq::resp::parser replies(allowed);
}

void parser_example() {
    weir::redisq::resp::parser replies;
    const std::span<std::byte> room = replies.prepare(4'096);
    replies.commit(receive(room));
    while (auto reply = value_of(replies.next())) { use(reply->integer()); }
}

void reply_examples() {
    weir::redisq::resp::parser replies;
    give(replies, "*2\r\n:4\r\n:5\r\n");
    const weir::redisq::resp::reply_view view = *replies.next().value();
    for (const weir::redisq::resp::reply_view element : view) {
        use(element.kind() == weir::redisq::resp::type::integer ? element.integer() : 0);
    }
    const weir::redisq::resp::reply kept = replies.take();
    report(kept.view().text());
}

void stream_event_example() {
    weir::redisq::resp::parser replies;
    give(replies, "*2\r\n:1\r\n");   // the second element is still to come
    while (auto part = value_of(replies.next_event())) {
        using kind = weir::redisq::resp::stream_event::kind;
        use(part->what == kind::element ? part->view.integer() : 0);
    }
}

void encoder_examples(const std::string& text) {
    weir::redisq::resp::command_buffer commands;
    commands.add("SET", "greeting", "hello", "EX", 60);
    commands.add("MGET", std::vector<std::string>{"a", "b"});
    send(commands.bytes());

    static constexpr weir::redisq::resp::static_command<"XADD", "jobs", "*"> add_job;
    commands.add(add_job, "payload", text);
}

namespace decode_hpp {

struct user { std::string name; std::optional<int> age; };
auto decode_fields(user& into) {
    return std::tuple(weir::redisq::resp::field("name", into.name),
                      weir::redisq::resp::field("age", into.age));
}

void example(weir::redisq::resp::reply_view view) {
    const auto scores = weir::redisq::resp::decode<std::map<std::string, double>>(view);
    if (!scores) { report(scores.error().message()); }
    use(weir::redisq::resp::decode<user>(view).has_value() ? 1 : 0);
}

}  // namespace decode_hpp

}  // namespace

int main() {
    type_example();
    limits_example();
    parser_example();
    reply_examples();
    stream_event_example();
    encoder_examples("text");
    weir::redisq::resp::parser replies;
    give(replies, "%1\r\n+name\r\n+Ann\r\n");
    decode_hpp::example(*replies.next().value());
    return used == 12 && sent > 0 && reported > 0 ? 0 : 1;
}

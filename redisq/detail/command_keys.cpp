#include "command_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <expected>
#include <string>

#include "../slot.hpp"

namespace weir::redisq::detail {
namespace {

enum class places : std::uint8_t {
    none,
    range,    // from first to last, every step
    counted,  // `first` holds how many keys follow it
    stored,   // the same, and word 1 is a key as well
    streams   // the first half of what follows STREAMS
};

struct command {
    std::string_view name;
    places where = places::none;
    std::int16_t first = 0;
    std::int16_t last = 0;  // -1: the last word, -2: the one before it
    std::int16_t step = 1;
};

// Commands whose keys are not word 1 alone; sorted by name.
// https://redis.io/docs/latest/commands/command/ tells positions.
constexpr std::array commands = {
    command{"ACL"},
    command{"ASKING"},
    command{"AUTH"},
    command{"BGREWRITEAOF"},
    command{"BGSAVE"},
    command{"BITOP", places::range, 2, -1},
    command{"BLMOVE", places::range, 1, 2},
    command{"BLMPOP", places::counted, 2},
    command{"BLPOP", places::range, 1, -2},
    command{"BRPOP", places::range, 1, -2},
    command{"BRPOPLPUSH", places::range, 1, 2},
    command{"BZMPOP", places::counted, 2},
    command{"BZPOPMAX", places::range, 1, -2},
    command{"BZPOPMIN", places::range, 1, -2},
    command{"CLIENT"},
    command{"CLUSTER"},
    command{"COMMAND"},
    command{"CONFIG"},
    command{"COPY", places::range, 1, 2},
    command{"DBSIZE"},
    command{"DEBUG"},
    command{"DEL", places::range, 1, -1},
    command{"DISCARD"},
    command{"ECHO"},
    command{"EVAL", places::counted, 2},
    command{"EVALSHA", places::counted, 2},
    command{"EVALSHA_RO", places::counted, 2},
    command{"EVAL_RO", places::counted, 2},
    command{"EXEC"},
    command{"EXISTS", places::range, 1, -1},
    command{"FAILOVER"},
    command{"FCALL", places::counted, 2},
    command{"FCALL_RO", places::counted, 2},
    command{"FLUSHALL"},
    command{"FLUSHDB"},
    command{"FUNCTION"},
    command{"GEOSEARCHSTORE", places::range, 1, 2},
    command{"HELLO"},
    command{"INFO"},
    command{"KEYS"},
    command{"LASTSAVE"},
    command{"LATENCY"},
    command{"LCS", places::range, 1, 2},
    command{"LMOVE", places::range, 1, 2},
    command{"LMPOP", places::counted, 1},
    command{"LOLWUT"},
    command{"MEMORY", places::range, 2, 2},
    command{"MGET", places::range, 1, -1},
    command{"MIGRATE", places::range, 3, 3},
    command{"MODULE"},
    command{"MONITOR"},
    command{"MSET", places::range, 1, -1, 2},
    command{"MSETNX", places::range, 1, -1, 2},
    command{"MULTI"},
    command{"OBJECT", places::range, 2, 2},
    command{"PFCOUNT", places::range, 1, -1},
    command{"PFMERGE", places::range, 1, -1},
    command{"PING"},
    command{"PSUBSCRIBE"},
    command{"PUBLISH"},
    command{"PUBSUB"},
    command{"PUNSUBSCRIBE"},
    command{"QUIT"},
    command{"RANDOMKEY"},
    command{"READONLY"},
    command{"READWRITE"},
    command{"RENAME", places::range, 1, 2},
    command{"RENAMENX", places::range, 1, 2},
    command{"REPLICAOF"},
    command{"RESET"},
    command{"ROLE"},
    command{"RPOPLPUSH", places::range, 1, 2},
    command{"SAVE"},
    command{"SCAN"},
    command{"SCRIPT"},
    command{"SDIFF", places::range, 1, -1},
    command{"SDIFFSTORE", places::range, 1, -1},
    command{"SELECT"},
    command{"SHUTDOWN"},
    command{"SINTER", places::range, 1, -1},
    command{"SINTERCARD", places::counted, 1},
    command{"SINTERSTORE", places::range, 1, -1},
    command{"SLAVEOF"},
    command{"SLOWLOG"},
    command{"SMOVE", places::range, 1, 2},
    command{"SSUBSCRIBE", places::range, 1, -1},
    command{"SUBSCRIBE"},
    command{"SUNION", places::range, 1, -1},
    command{"SUNIONSTORE", places::range, 1, -1},
    command{"SUNSUBSCRIBE", places::range, 1, -1},
    command{"SWAPDB"},
    command{"TIME"},
    command{"TOUCH", places::range, 1, -1},
    command{"UNLINK", places::range, 1, -1},
    command{"UNSUBSCRIBE"},
    command{"UNWATCH"},
    command{"WAIT"},
    command{"WAITAOF"},
    command{"WATCH", places::range, 1, -1},
    command{"XGROUP", places::range, 2, 2},
    command{"XINFO", places::range, 2, 2},
    command{"XREAD", places::streams},
    command{"XREADGROUP", places::streams},
    command{"ZDIFF", places::counted, 1},
    command{"ZDIFFSTORE", places::stored, 2},
    command{"ZINTER", places::counted, 1},
    command{"ZINTERCARD", places::counted, 1},
    command{"ZINTERSTORE", places::stored, 2},
    command{"ZMPOP", places::counted, 1},
    command{"ZRANGESTORE", places::range, 1, 2},
    command{"ZUNION", places::counted, 1},
    command{"ZUNIONSTORE", places::stored, 2},
};
static_assert(std::ranges::is_sorted(commands, {}, &command::name));

constexpr std::size_t name_max = 16;

constexpr char upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

command find_command(std::string_view name) noexcept {
    constexpr command usual{"", places::range, 1, 1};
    if (name.size() > name_max) {
        return usual;
    }
    std::array<char, name_max> letters{};
    std::ranges::transform(name, letters.begin(), upper);
    const std::string_view wanted(letters.data(), name.size());
    const auto* const found = std::ranges::lower_bound(commands, wanted, {}, &command::name);
    return found != commands.end() && found->name == wanted ? *found : usual;
}

std::size_t number_in(std::string_view text) noexcept {
    std::size_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : 0;
}

// Gathers the slot of the keys that it is shown.
class common_slot {
  public:
    void add(std::string_view key) noexcept {
        const std::uint16_t slot = slot_of(key);
        if (!slot_) {
            slot_ = slot;
        } else if (slot != *slot_ && !other_) {
            other_ = slot;
        }
    }

    [[nodiscard]] result<std::optional<std::uint16_t>> take(std::string_view name) const {
        if (other_) {
            std::string text(name.substr(0, name_max));
            text += ": its keys belong to the slots " + std::to_string(*slot_) + " and " +
                    std::to_string(*other_) + "; allowed: one slot, as of keys that share a {tag}";
            return std::unexpected(error(errc::cross_slot, std::move(text)));
        }
        return slot_;
    }

  private:
    std::optional<std::uint16_t> slot_;
    std::optional<std::uint16_t> other_;
};

void add_counted(std::span<const std::string_view> words, std::size_t at, common_slot& slot) {
    if (at >= words.size()) {
        return;
    }
    const std::size_t keys = std::min(number_in(words[at]), words.size() - at - 1);
    for (const std::string_view key : words.subspan(at + 1, keys)) {
        slot.add(key);
    }
}

void add_streams(std::span<const std::string_view> words, common_slot& slot) {
    const auto is_word = [](std::string_view word) {
        return std::ranges::equal(word, std::string_view("STREAMS"),
                                  [](char a, char b) { return upper(a) == b; });
    };
    const auto found = std::ranges::find_if(words, is_word);
    if (found == words.end()) {
        return;
    }
    const auto rest = words.subspan(static_cast<std::size_t>(found - words.begin()) + 1);
    for (const std::string_view key : rest.first(rest.size() / 2)) {
        slot.add(key);
    }
}

void add_range(std::span<const std::string_view> words, const command& what, common_slot& slot) {
    const auto count = static_cast<std::ptrdiff_t>(words.size());
    const std::ptrdiff_t last = what.last < 0 ? count + what.last : what.last;
    for (std::ptrdiff_t at = what.first; at <= last && at < count; at += what.step) {
        slot.add(words[static_cast<std::size_t>(at)]);
    }
}

// "*2\r\n" or "$5\r\n": the number, and the text behind the line.
std::size_t take_length(std::string_view& encoded) {
    const std::size_t end = encoded.find("\r\n");
    const std::size_t number = number_in(encoded.substr(1, end - 1));
    encoded.remove_prefix(end + 2);
    return number;
}

}  // namespace

bool take_command(std::string_view& encoded, std::vector<std::string_view>& words,
                  std::string_view& bytes) {
    words.clear();
    if (encoded.empty()) {
        return false;
    }
    const std::string_view begin = encoded;
    for (std::size_t left = take_length(encoded); left > 0; --left) {
        const std::size_t size = take_length(encoded);
        words.push_back(encoded.substr(0, size));
        encoded.remove_prefix(size + 2);
    }
    bytes = begin.substr(0, begin.size() - encoded.size());
    return true;
}

result<std::optional<std::uint16_t>> slot_of_command(std::span<const std::string_view> words) {
    common_slot slot;
    if (words.empty()) {
        return std::nullopt;
    }
    const command what = find_command(words[0]);
    switch (what.where) {
        case places::none:
            break;
        case places::range:
            add_range(words, what, slot);
            break;
        case places::stored:
            if (words.size() > 1) {
                slot.add(words[1]);
            }
            add_counted(words, static_cast<std::size_t>(what.first), slot);
            break;
        case places::counted:
            add_counted(words, static_cast<std::size_t>(what.first), slot);
            break;
        case places::streams:
            add_streams(words, slot);
            break;
    }
    return slot.take(words[0]);
}

}  // namespace weir::redisq::detail

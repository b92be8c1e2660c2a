#include "envelope.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "../../runtime/assert.hpp"

namespace weir::redisq {
namespace {

constexpr unsigned char format_bits = 0x03;
constexpr unsigned char fields_bit = 0x04;
constexpr std::size_t history_lines_max = 10;
constexpr std::size_t reason_bytes_max = 500;

void put_length(std::string& out, std::size_t length) {
    while (length >= 0x80) {
        out += static_cast<char>((length & 0x7FU) | 0x80U);
        length >>= 7U;
    }
    out += static_cast<char>(length);
}

void put_text(std::string& out, char letter, std::string_view value) {
    if (!value.empty()) {
        out += letter;
        put_length(out, value.size());
        out += value;
    }
}

void put_number(std::string& out, char letter, std::uint64_t value) {
    if (value != 0) {
        put_text(out, letter, std::to_string(value));
    }
}

bool has_fields(const envelope& job) {
    return (job.attempts | job.expires_ms | job.timeout_ms | job.result_ms | job.crashes) != 0 ||
           !job.reply_to.empty() || !job.unique_key.empty() || !job.trace.empty() ||
           !job.history.empty() || !job.next.empty() || !job.others.empty();
}

std::string fields_of(const envelope& job) {
    std::string fields;
    put_number(fields, 'a', job.attempts);
    put_number(fields, 'e', job.expires_ms);
    put_number(fields, 't', job.timeout_ms);
    put_number(fields, 'r', job.result_ms);
    put_text(fields, 'o', job.reply_to);
    put_text(fields, 'u', job.unique_key);
    put_text(fields, 'x', job.trace);
    put_text(fields, 'h', job.history);
    put_text(fields, 'n', job.next);
    put_number(fields, 'c', job.crashes);
    fields += job.others;
    return fields;
}

// Bytes that are taken from the front; `sound` ends where they are not what they should be.
struct reader {
    std::string_view rest;
    bool sound = true;

    std::string_view take(std::size_t count) {
        if (count > rest.size()) {
            sound = false;
            return {};
        }
        const std::string_view taken = rest.substr(0, count);
        rest.remove_prefix(count);
        return taken;
    }

    unsigned char byte() {
        const std::string_view one = take(1);
        return one.empty() ? 0 : static_cast<unsigned char>(one[0]);
    }

    std::size_t length() {
        std::size_t value = 0;
        for (unsigned shift = 0; shift < 35; shift += 7) {
            const unsigned char next = byte();
            value |= static_cast<std::size_t>(next & 0x7FU) << shift;
            if ((next & 0x80U) == 0) {
                return value;
            }
        }
        sound = false;
        return 0;
    }
};

template <class Number>
bool read_number(std::string_view text, Number& value) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    return problem == std::errc{} && end == text.data() + text.size();
}

// One field; unknown ones have to stand together, so that they are kept as one piece.
bool read_field(envelope& job, char letter, std::string_view value, std::string_view whole) {
    switch (letter) {
        case 'a':
            return read_number(value, job.attempts);
        case 'e':
            return read_number(value, job.expires_ms);
        case 't':
            return read_number(value, job.timeout_ms);
        case 'r':
            return read_number(value, job.result_ms);
        case 'o':
            job.reply_to = value;
            return true;
        case 'u':
            job.unique_key = value;
            return true;
        case 'x':
            job.trace = value;
            return true;
        case 'h':
            job.history = value;
            return true;
        case 'n':
            job.next = value;
            return true;
        case 'c':
            return read_number(value, job.crashes);
        default:
            if (job.others.empty()) {
                job.others = whole;
            } else if (job.others.data() + job.others.size() == whole.data()) {
                job.others = {job.others.data(), job.others.size() + whole.size()};
            } else {
                return false;
            }
            return true;
    }
}

bool read_fields(envelope& job, std::string_view bytes) {
    reader in{bytes};
    while (in.sound && !in.rest.empty()) {
        const char* const begin = in.rest.data();
        const char letter = static_cast<char>(in.byte());
        const std::string_view value = in.take(in.length());
        const auto size = static_cast<std::size_t>(in.rest.data() - begin);
        if (!in.sound || !read_field(job, letter, value, {begin, size})) {
            return false;
        }
    }
    return in.sound;
}

std::unexpected<error> damaged(const char* where) {
    return std::unexpected(error(make_error_code(job_errc::damaged_envelope),
                                 std::string("damaged envelope: ") + where));
}

}  // namespace

void write_envelope(std::string& out, const envelope& job) {
    WEIR_ASSERT(!job.type.empty() && job.type.size() <= type_name_max,
                "a job type's name has 1 to 255 bytes");
    const bool extended = has_fields(job);
    out += static_cast<char>(envelope_version);
    out += static_cast<char>(static_cast<unsigned char>(job.format) | (extended ? fields_bit : 0));
    out += static_cast<char>(job.type.size());
    out += job.type;
    if (extended) {
        const std::string fields = fields_of(job);
        put_length(out, fields.size());
        out += fields;
    }
    out += job.payload;
}

unsigned envelope_version_of(std::string_view bytes) noexcept {
    return bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
}

result<envelope> read_envelope(std::string_view bytes) {
    reader in{bytes};
    const unsigned version = in.byte();
    if (version == 0) {
        return damaged(bytes.empty() ? "it is empty" : "its version is 0");
    }
    if (version != envelope_version) {
        return std::unexpected(error(
            make_error_code(job_errc::unknown_version),
            "envelope of version " + std::to_string(version) + "; this program knows version 1"));
    }
    const unsigned char flags = in.byte();
    if ((flags & ~(format_bits | fields_bit)) != 0 || (flags & format_bits) == format_bits) {
        return damaged("unknown flags");
    }
    envelope job;
    job.format = static_cast<payload_format>(flags & format_bits);
    job.type = in.take(in.byte());
    if (!in.sound || job.type.empty()) {
        return damaged("no name of a type");
    }
    if ((flags & fields_bit) != 0) {
        const std::string_view fields = in.take(in.length());
        if (!in.sound || !read_fields(job, fields)) {
            return damaged("its fields");
        }
    }
    job.payload = in.rest;
    return job;
}

std::string add_to_history(std::string_view history, std::uint32_t attempt, std::uint64_t time_ms,
                           std::string_view worker, std::string_view reason) {
    auto lines = static_cast<std::size_t>(std::ranges::count(history, '\n'));
    for (; lines >= history_lines_max; --lines) {
        history.remove_prefix(history.find('\n') + 1);
    }
    std::string out(history);
    out += std::to_string(attempt) + '\t' + std::to_string(time_ms) + '\t';
    out += worker;
    out += '\t';
    for (const char c : reason.substr(0, reason_bytes_max)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
    out += '\n';
    return out;
}

std::string_view last_reason(std::string_view history) noexcept {
    if (history.ends_with('\n')) {
        history.remove_suffix(1);
    }
    const std::size_t tab = history.rfind('\t');
    return tab == std::string_view::npos ? std::string_view{} : history.substr(tab + 1);
}

}  // namespace weir::redisq

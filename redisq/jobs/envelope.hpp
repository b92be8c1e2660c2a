// The bytes that stand for a job in Redis, version 1.
//
//     std::string bytes;
//     weir::redisq::envelope job;
//     job.type = "thumbnail";
//     job.payload = R"({"url":"a.png","width":128})";
//     weir::redisq::write_envelope(bytes, job);
//     const auto back = weir::redisq::read_envelope(bytes);   // back->type == "thumbnail"
//
//   byte 0   version, 1
//   byte 1   bits 0 and 1: how the payload is written (payload_format); bit 2: fields follow the
//            name; the others are 0
//   byte 2   length of the type's name, 1 to 255, then the name
//   fields   (with bit 2) their length in bytes, then each: one letter, the length of its value,
//            the value; numbers are decimal text
//   the rest is the payload
// Lengths are LEB128: seven bits a byte, the lowest first, the top bit set but in the last byte.
// Letters of this version: a attempts that failed, e expires (milliseconds after the time in the
// job's id, by when it has to start), t limit of a run in milliseconds, r how long the result is
// kept in milliseconds, o the producer that waits for it, u unique key, x trace, h history, n what
// follows when the job has succeeded: the digit of a lane and an envelope, whose payload, which is
// its end, is still to be added: the result; c how often its workers died before it was filed anew.
// Fields with other letters stand behind these and are kept as they are. So a job without fields
// costs three bytes and its type's name beside its payload.
//
// Errors: of reading: job_errc::damaged_envelope, unknown_version.
// Lifetime: what read_envelope gives are views into its argument. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "errors.hpp"

namespace weir::redisq {

inline constexpr unsigned char envelope_version = 1;
inline constexpr std::size_t type_name_max = 255;

enum class payload_format : std::uint8_t { raw = 0, json = 1, messagepack = 2 };

struct envelope {
    std::string_view type;  // 1 to 255 bytes
    payload_format format = payload_format::raw;
    std::uint32_t attempts = 0;    // that failed
    std::uint64_t expires_ms = 0;  // 0: never
    std::uint64_t timeout_ms = 0;  // 0: the worker's
    std::uint64_t result_ms = 0;   // 0: no result is kept
    std::string_view reply_to;     // empty: nobody waits
    std::string_view unique_key;   // empty: not unique
    std::string_view trace;
    // One line for each failed attempt: attempt, time in ms, worker, reason, with tabs between.
    std::string_view history;
    std::string_view next;      // the rest of a chain; empty: nothing follows
    std::uint32_t crashes = 0;  // of workers, before it was filed anew
    std::string_view others;    // fields with unknown letters, as written
    std::string_view payload;
};

// Appends. Requires a name of 1 to 255 bytes.
void write_envelope(std::string& out, const envelope& job);

[[nodiscard]] result<envelope> read_envelope(std::string_view bytes);

// The version of an envelope's bytes; 0 where there are none.
[[nodiscard]] unsigned envelope_version_of(std::string_view bytes) noexcept;

// `history` with one line more, its oldest lines left out beyond ten, and control characters of
// `reason` replaced by blanks, the reason cut at 500 bytes.
[[nodiscard]] std::string add_to_history(std::string_view history, std::uint32_t attempt,
                                         std::uint64_t time_ms, std::string_view worker,
                                         std::string_view reason);

// The reason in the last line of a history.
[[nodiscard]] std::string_view last_reason(std::string_view history) noexcept;

}  // namespace weir::redisq

#include "raw.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>
#include <weir/redisq/jobs/envelope.hpp>

#include "../support/bench_error.hpp"
#include "../support/proc_file.hpp"
#include "../support/redis_connection.hpp"
#include "shape.hpp"

namespace jobs {
namespace {

using bench::bench_error;

constexpr std::size_t drain_windows = 8;
constexpr std::size_t part_bytes = 262'144;

std::string add_command() {
    weir::redisq::envelope job;
    const std::string payload(payload_bytes, 'p');
    job.type = type_name;
    job.payload = payload;
    std::string bytes;
    weir::redisq::write_envelope(bytes, job);
    return bench::encoded({"XADD", stream_key, "*", "j", bytes});
}

// A claimed batch: what the reply to XREADGROUP says. Reads `at` forward, or says that the reply is
// not yet whole.
class reply_reader {
  public:
    reply_reader(const char* begin, const char* end) : at_(begin), end_(end) {}

    [[nodiscard]] const char* at() const { return at_; }

    // The number in a line that starts with `kind`.
    [[nodiscard]] std::optional<long> header(char kind) {
        const auto* const line_end =
            static_cast<const char*>(std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_)));
        if (line_end == nullptr) {
            return std::nullopt;
        }
        if (*at_ != kind) {
            throw bench_error("redis-server answers '" + std::string(at_, line_end - 1) + "'");
        }
        const bool negative = at_[1] == '-';
        const long number = static_cast<long>(bench::number_at(
            {at_ + 1 + (negative ? 1 : 0), static_cast<std::size_t>(line_end - at_ - 1)}));
        at_ = line_end + 1;
        return negative ? -number : number;
    }
    [[nodiscard]] std::optional<std::string_view> text() {
        const std::optional<long> size = header('$');
        if (!size || end_ - at_ < *size + 2) {
            return std::nullopt;
        }
        const std::string_view out(at_, static_cast<std::size_t>(*size));
        at_ += *size + 2;
        return out;
    }

    // Entries' ids; none where nothing waits.
    [[nodiscard]] std::optional<std::size_t> batch(std::vector<std::string_view>& ids) {
        ids.clear();
        const std::optional<long> streams = header('*');
        if (!streams) {
            return std::nullopt;
        }
        if (*streams < 0) {
            return 0;
        }
        if (!header('*') || !text()) {
            return std::nullopt;
        }
        const std::optional<long> count = header('*');
        for (long left = count.value_or(0); left > 0; --left) {
            std::optional<std::string_view> id;
            if (header('*')) {
                id = text();
            }
            if (!id || !header('*') || !text() || !text()) {
                return std::nullopt;
            }
            ids.push_back(*id);
        }
        return count ? std::optional(ids.size()) : std::nullopt;
    }

  private:
    const char* at_;
    const char* end_;
};

void append_acks(std::string& out, const std::vector<std::string_view>& ids) {
    bench::append_header(out, '*', ids.size() + 3);
    bench::append_word(out, "XACK");
    bench::append_word(out, stream_key);
    bench::append_word(out, group_name);
    for (const std::string_view id : ids) {
        bench::append_word(out, id);
    }
    bench::append_header(out, '*', ids.size() + 2);
    bench::append_word(out, "XDEL");
    bench::append_word(out, stream_key);
    for (const std::string_view id : ids) {
        bench::append_word(out, id);
    }
}

class raw_drain {
  public:
    explicit raw_drain(const server_access& server)
        : link_(server.socket_path),
          read_(bench::encoded({"XREADGROUP", "GROUP", group_name, "raw", "COUNT", "100", "STREAMS",
                                stream_key, ">"})),
          bytes_(4 * part_bytes) {}

    std::uint64_t run() {
        link_.write_all(bench::encoded({"XGROUP", "CREATE", stream_key, group_name, "0"}));
        std::array<char, 5> ok{};
        link_.read_exactly(ok.data(), ok.size());
        for (std::size_t index = 0; index < drain_windows; ++index) {
            out_ += read_;
            expect(true);
        }
        while (expected_ > 0) {
            link_.write_all(out_);
            out_.clear();
            size_ += link_.read_some(bytes_.data() + size_, bytes_.size() - size_);
            take_replies();
        }
        return done_;
    }

  private:
    void expect(bool batch) {
        kinds_[(first_ + expected_) % kinds_.size()] = batch;
        ++expected_;
    }

    void take_replies() {
        reply_reader from(bytes_.data(), bytes_.data() + size_);
        const char* whole = bytes_.data();
        while (expected_ > 0 && take_reply(from)) {
            whole = from.at();
            first_ = (first_ + 1) % kinds_.size();
            --expected_;
        }
        size_ -= static_cast<std::size_t>(whole - bytes_.data());
        std::memmove(bytes_.data(), whole, size_);
    }

    bool take_reply(reply_reader& from) {
        if (!kinds_[first_]) {
            return from.header(':').has_value();
        }
        const std::optional<std::size_t> count = from.batch(ids_);
        if (count.value_or(0) > 0) {
            append_acks(out_, ids_);
            out_ += read_;
            expect(false);
            expect(false);
            expect(true);
            done_ += *count;
        }
        return count.has_value();
    }

    bench::redis_connection link_;
    std::string read_;
    std::string out_;
    std::vector<char> bytes_;
    std::size_t size_ = 0;
    std::vector<std::string_view> ids_;
    // Replies that are still to come: a batch, or a count. Each batch asks for three at most.
    std::array<bool, drain_windows * 4> kinds_{};
    std::size_t first_ = 0;
    std::size_t expected_ = 0;
    std::uint64_t done_ = 0;
};

std::string info_field(const server_access& server, std::string_view section,
                       std::string_view label) {
    bench::redis_connection link(server.socket_path);
    const std::string text = link.reply_to({"INFO", section});
    const std::size_t at = text.find(label);
    return at == std::string::npos ? "" : text.substr(at + label.size());
}

}  // namespace

figures submit_raw(const server_access& server, const raw_submit& how) {
    constexpr std::uint64_t block = 512;
    const std::string one = add_command();
    std::string many;
    for (std::uint64_t index = 0; index < block; ++index) {
        many += one;
    }
    bench::redis_connection link(server.socket_path);
    std::vector<char> part(part_bytes);
    const std::uint64_t most = how.jobs == 0 ? std::numeric_limits<std::uint64_t>::max() : how.jobs;
    const stopwatch watch(server.process_id);
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    bool running = true;
    while (running || answered < sent) {
        std::uint64_t free = running ? std::min(how.depth - (sent - answered), most - sent) : 0;
        while (free > 0) {
            const std::uint64_t count = std::min(free, block);
            link.write_all({many.data(), count * one.size()});
            sent += count;
            free -= count;
        }
        const std::size_t size = link.read_some(part.data(), part.size());
        // Each reply is one bulk string.
        answered += static_cast<std::uint64_t>(std::count(part.data(), part.data() + size, '$'));
        if (part.front() == '-') {
            throw bench_error("redis-server answers XADD with '" +
                              std::string(part.data(), std::min<std::size_t>(size, 80)) + "'");
        }
        running = sent < most && (how.jobs != 0 || watch.elapsed_s() < how.seconds);
    }
    return watch.figures_of(answered);
}

figures drain_raw(const server_access& server) {
    const stopwatch watch(server.process_id);
    const std::uint64_t count = raw_drain(server).run();
    return watch.figures_of(count);
}

void flush(const server_access& server) {
    bench::redis_connection link(server.socket_path);
    static_cast<void>(link.reply_to({"FLUSHALL", "SYNC"}));
}

std::uint64_t used_memory(const server_access& server) {
    return bench::number_at(info_field(server, "memory", "used_memory:"));
}

backlog backlog_of(const server_access& server) {
    bench::redis_connection link(server.socket_path);
    const std::string length = link.reply_to({"XLEN", stream_key});
    backlog out;
    out.waiting = bench::number_at(std::string_view(length).substr(1));
    const std::string pending = link.reply_to({"XPENDING", stream_key, group_name});
    // "*4\r\n:COUNT\r\n..."
    out.claimed = bench::number_at(std::string_view(pending).substr(pending.find(':') + 1));
    return out;
}

}  // namespace jobs

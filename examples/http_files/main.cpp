// A server of the files below one folder: HTTP/1.1 with GET and HEAD, connections that are kept,
// pipelining, and ranges (Range: bytes=0-99).
//
// A client cannot make it hold more than the head of a request (--header-max) and one buffer of a
// file, and cannot keep it waiting: a head that is not there within --timeout-ms, or a peer that
// takes nothing for so long, ends the connection. What is hidden or outside of the folder is not
// found; links inside are followed, so who may write there decides what is served.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <weir/runtime.hpp>

#include "../command_line.hpp"
#include "../run_until_signal.hpp"
#include "../server.hpp"
#include "request.hpp"

namespace {

using http_files::request;
using http_files::selection;

struct settings {
    std::uint64_t port = 7010;
    std::uint64_t connections = 1'000;
    std::uint64_t header_max = 8'192;
    std::uint64_t timeout_ms = 10'000;
    std::string root;

    [[nodiscard]] weir::duration timeout() const { return std::chrono::milliseconds(timeout_ms); }
};

constexpr std::size_t buffer_size = 65'536;
constexpr std::size_t discarded_max = 262'144;  // bytes that are read after a refusal

std::string date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    std::array<char, 64> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT",
                                           ::gmtime_r(&now, &parts));
    return std::string(text.data(), size);
}

// `fields` are whole lines.
std::string head_of(int status, std::uint64_t length, bool keep_alive, std::string_view fields) {
    std::string head = "HTTP/1.1 " + std::to_string(status) + " " + http_files::reason(status);
    head += "\r\nDate: " + date() + "\r\nContent-Length: " + std::to_string(length);
    head += keep_alive ? "\r\n" : "\r\nConnection: close\r\n";
    return head.append(fields) + "\r\n";
}

// ref: the stream and the bytes outlive the task
weir::task<weir::result<void>> send(weir::tcp_stream& peer, std::span<const std::byte> bytes) {
    co_return co_await peer.write_all(bytes);
}

// Says in words why there is no file; false where that is the connection's end.
// ref: the stream outlives the task
weir::task<bool> refuse(weir::tcp_stream& peer, request asked, std::string fields,
                        weir::duration timeout) {
    const std::string why = std::to_string(asked.status) + " " + http_files::reason(asked.status);
    fields += asked.status == 405 ? "Allow: GET, HEAD\r\n" : "";
    fields += "Content-Type: text/plain\r\n";
    std::string reply = head_of(asked.status, why.size() + 1, asked.keep_alive, fields);
    reply += asked.is_head ? "" : why + "\n";
    const auto sent =
        co_await weir::with_timeout(timeout, send(peer, std::as_bytes(std::span(reply))));
    co_return sent.has_value() && asked.keep_alive;
}

// ref: both outlive the task
weir::task<weir::result<void>> send_part(weir::tcp_stream& peer, const weir::file& from,
                                         selection part, weir::duration timeout) {
    const auto memory = std::make_unique_for_overwrite<std::byte[]>(buffer_size);
    while (part.count != 0) {
        const std::size_t wanted = std::min<std::uint64_t>(part.count, buffer_size);
        const std::span<std::byte> bytes(memory.get(), wanted);
        const weir::result<std::size_t> count = co_await from.read_at(bytes, part.first);
        if (!count || *count == 0) {  // the file has become shorter than its head has said
            co_return std::unexpected(count ? std::make_error_code(std::errc::io_error)
                                            : count.error());
        }
        const weir::result<void> sent =
            co_await weir::with_timeout(timeout, send(peer, bytes.first(*count)));
        if (!sent) {
            co_return sent;
        }
        part.first += *count;
        part.count -= *count;
    }
    co_return weir::result<void>();
}

int status_for(const std::error_code& error) {
    if (error == std::errc::permission_denied) {
        return 403;
    }
    const bool is_busy = error == std::errc::too_many_files_open ||
                         error == std::errc::too_many_files_open_in_system;
    return is_busy ? 503 : 404;
}

// False where the connection ends with this answer.
// ref: the stream and the settings outlive the task
weir::task<bool> answer(weir::tcp_stream& peer, request asked, const settings& chosen) {
    if (asked.status != 200) {
        co_return co_await refuse(peer, std::move(asked), "", chosen.timeout());
    }
    asked.path += asked.path.ends_with('/') ? "index.html" : "";
    weir::result<weir::file> opened = co_await weir::file::open(chosen.root + asked.path);
    if (!opened) {
        asked.status = status_for(opened.error());
        co_return co_await refuse(peer, std::move(asked), "", chosen.timeout());
    }
    const weir::result<weir::file_status> found = co_await opened->status();
    if (!found || found->kind != weir::file_kind::regular) {
        asked.status = 404;
        co_return co_await refuse(peer, std::move(asked), "", chosen.timeout());
    }
    const std::string of = "/" + std::to_string(found->size) + "\r\n";
    const selection part = http_files::select_range(asked.range, found->size);
    if (part.status == 416) {
        asked.status = 416;
        co_return co_await refuse(peer, std::move(asked), "Content-Range: bytes *" + of,
                                  chosen.timeout());
    }
    std::string fields = "Accept-Ranges: bytes\r\nContent-Type: ";
    fields.append(http_files::content_type(asked.path)).append("\r\n");
    if (part.status == 206) {
        fields += "Content-Range: bytes " + std::to_string(part.first) + "-" +
                  std::to_string(part.first + part.count - 1) + of;
    }
    const std::string head = head_of(part.status, part.count, asked.keep_alive, fields);
    const std::span<const std::byte> head_bytes = std::as_bytes(std::span(head));
    weir::result<void> sent = co_await weir::with_timeout(chosen.timeout(), send(peer, head_bytes));
    if (sent && !asked.is_head) {
        sent = co_await send_part(peer, *opened, part, chosen.timeout());
    }
    co_return sent.has_value() && asked.keep_alive;
}

// Ends the stream so that the peer gets the last answer: closing with bytes unread would reset it.
// ref: the stream outlives the task
weir::task<weir::result<void>> say_goodbye(weir::tcp_stream& peer) {
    const weir::result<void> ended = co_await peer.finish_writing();
    std::array<std::byte, 4'096> rest;
    std::size_t discarded = 0;
    while (ended && discarded < discarded_max) {
        const weir::result<std::size_t> count = co_await peer.read_some(rest);
        if (!count || *count == 0) {
            break;
        }
        discarded += *count;
    }
    co_return ended;
}

// The request to refuse where no head has come; none where the peer has just gone.
template <class Reader>
std::optional<request> refusal_for(const std::error_code& error, const Reader& in) {
    request none;
    if (error == weir::net_errc::line_too_long) {
        none.status = 431;
    } else if (error == std::errc::timed_out && !in.buffered().empty()) {
        none.status = 408;
    } else {
        return std::nullopt;
    }
    return none;
}

// ref: the settings outlive the task
weir::task<> serve_client(weir::tcp_stream peer, weir::semaphore::permit /*place*/,
                          const settings& chosen) {
    weir::buffered_reader in(peer, chosen.header_max);
    bool goes_on = true;
    while (goes_on) {
        const weir::result<std::string_view> head =
            co_await weir::with_timeout(chosen.timeout(), in.read_until("\r\n\r\n"));
        std::optional<request> asked =
            head ? http_files::parse_request(*head) : refusal_for(head.error(), in);
        if (!asked) {
            co_return;
        }
        goes_on = co_await answer(peer, std::move(*asked), chosen);
    }
    const auto said = co_await weir::with_timeout(chosen.timeout(), say_goodbye(peer));
    static_cast<void>(said);  // whatever befell it, this is the end
}

// The listener lives in here: where this ends, new connections are refused.
// ref: the settings outlive the task
weir::task<> accept_all(weir::scope& clients, weir::tcp_listener listener, weir::semaphore& places,
                        const settings& chosen) {
    while (true) {
        weir::semaphore::permit place = co_await places.acquire();
        weir::tcp_stream peer = co_await example::accept(listener);
        clients.spawn(serve_client(std::move(peer), std::move(place), chosen));
    }
}

weir::task<> serve(settings chosen) {
    const weir::result<weir::file_status> root = co_await weir::path_status(chosen.root);
    if (!root || root->kind != weir::file_kind::directory) {
        const auto no_folder = std::make_error_code(std::errc::not_a_directory);
        throw std::system_error(root ? no_folder : root.error(), chosen.root);
    }
    weir::tcp_listener listener = example::listen(chosen.port);
    example::announce(listener);
    weir::semaphore places(chosen.connections);
    co_await weir::with_scope(accept_all, std::move(listener), std::ref(places), std::cref(chosen));
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    example::command_line line("http_files", "Serves the files below a folder on 127.0.0.1.");
    line.number("--port", chosen.port, 0, 65'535, "to listen on; 0: a free one");
    line.text("--root", chosen.root, "the folder");
    line.number("--connections", chosen.connections, 1, 1'000'000, "at a time");
    line.number("--header-max", chosen.header_max, 64, 65'536, "bytes in the head of a request");
    line.number("--timeout-ms", chosen.timeout_ms, 1, 3'600'000, "to wait for a peer");
    if (const std::optional<int> code = line.parse(argc, argv)) {
        return *code;
    }
    return example::run_until_signal("http_files", serve(chosen));
}

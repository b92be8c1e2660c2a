// A chat over TCP, as with nc 127.0.0.1 7009: the first line is one's name, every further one goes
// to all others.
//
// Each client has a channel of --backlog lines. Who reads too slowly loses lines: what does not
// fit is dropped for that client alone and counted, and the client is told how many it has missed
// before the next line that it gets. Who takes nothing at all for --stall-ms is sent away. So
// nobody slows the others down, and a client takes no more memory than its channel and the buffers
// of its socket.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <weir/runtime.hpp>

#include "command_line.hpp"
#include "run_until_signal.hpp"
#include "server.hpp"

namespace {

constexpr std::size_t name_max = 20;   // bytes
constexpr std::size_t line_max = 512;  // bytes, without its end
constexpr int send_buffer = 65'536;    // bytes in the kernel, for a client

struct settings {
    std::uint64_t port = 7009;
    std::uint64_t clients = 1'000;
    std::uint64_t backlog = 64;
    std::uint64_t name_ms = 30'000;
    std::uint64_t stall_ms = 60'000;
};

// One text for all who get it.
struct line {
    std::shared_ptr<const std::string> text;
    std::size_t lost_before = 0;
};

struct client {
    explicit client(std::size_t backlog) : lines(backlog) {}

    // Never waits; see above for what has no room.
    void tell(const std::shared_ptr<const std::string>& text) {
        line next{text, lost};
        lost = lines.try_send(next) ? 0 : lost + 1;
    }

    weir::channel<line> lines;
    std::size_t lost = 0;  // since the last line that found room
};

// Who is there, by name. Runs on one loop, so nothing is locked.
using room = std::map<std::string, client*>;

void tell_others(const room& here, const std::string& from, const std::string& text) {
    const auto shared = std::make_shared<const std::string>(text + "\n");
    for (const auto& [name, other] : here) {
        if (name != from) {
            other->tell(shared);
        }
    }
}

// In the room while this lives.
class seat {
  public:
    seat(room& here, std::string name, client& who) : here_(here), name_(std::move(name)) {
        here_.emplace(name_, &who);
        tell_others(here_, name_, "* " + name_ + " is here");
    }
    seat(const seat&) = delete;
    seat& operator=(const seat&) = delete;
    ~seat() {
        here_.erase(name_);
        tell_others(here_, name_, "* " + name_ + " has left");
    }

  private:
    room& here_;
    std::string name_;
};

// What a terminal would take for a command does not go out to others.
std::string printable(std::string_view text) {
    std::string shown(text.substr(0, text.size() - (text.ends_with('\r') ? 1 : 0)));
    std::ranges::replace_if(shown, [](unsigned char c) { return c < ' ' || c == 127; }, '?');
    return shown;
}

bool is_name(std::string_view text) {
    const auto is_allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    return !text.empty() && std::ranges::all_of(text, is_allowed);
}

// ref: the stream outlives the task
weir::task<weir::result<void>> send(weir::tcp_stream& peer, std::string text) {
    co_return co_await peer.write_all(std::as_bytes(std::span(text)));
}

// Ends when the channel is closed and empty; throws where the client takes no more.
// ref: both outlive the task
weir::task<> write_lines(weir::tcp_stream& peer, client& me, weir::duration stall) {
    while (const std::optional<line> next = co_await me.lines.receive()) {
        const std::size_t lost = next->lost_before;
        std::string notice = lost == 0 ? "" : "* " + std::to_string(lost) + " lines lost\n";
        const weir::result<void> sent =
            co_await weir::with_timeout(stall, send(peer, std::move(notice) + *next->text));
        if (!sent) {
            throw std::system_error(sent.error(), "write");
        }
    }
}

using reader = weir::buffered_reader<weir::tcp_stream>;

// Ends with the client's last line, and lets what waits for the client go out.
// ref: all outlive the task
weir::task<> read_lines(reader& in, client& me, const room& here, std::string name) {
    while (true) {
        const weir::result<std::string_view> said = co_await in.read_until("\n", line_max);
        if (!said && said.error() == weir::net_errc::line_too_long) {
            me.tell(std::make_shared<const std::string>("* a line has at most 512 bytes\n"));
        }
        if (!said) {
            me.lines.close();
            co_return;
        }
        tell_others(here, name, name + ": " + printable(*said));
    }
}

// Empty where the client gives none that will do.
// ref: all outlive the task
weir::task<std::string> ask_name(reader& in, const room& here, weir::duration time) {
    const weir::result<void> asked = co_await send(in.stream(), "* your name?\n");
    const weir::result<std::string_view> given =
        co_await weir::with_timeout(time, in.read_until("\n", name_max));
    if (!asked || !given) {
        co_return std::string();
    }
    std::string name = printable(*given);
    const bool is_good = is_name(name);
    if (is_good && !here.contains(name)) {
        co_return name;
    }
    std::string why = is_good ? "* that name is taken\n" : "* a name has letters, digits and _\n";
    const weir::result<void> told = co_await send(in.stream(), std::move(why));
    static_cast<void>(told);  // who has gone need not be told
    co_return std::string();
}

// ref: the room outlives the task
weir::task<> serve_client(weir::tcp_stream peer, weir::semaphore::permit /*place*/, room& here,
                          settings chosen) {
    if (const weir::result<void> set = peer.set_send_buffer(send_buffer); !set) {
        std::fprintf(stderr, "chat: SO_SNDBUF: %s\n", set.error().message().c_str());
    }
    reader in(peer, line_max + 1);
    const std::string name = co_await ask_name(in, here, std::chrono::milliseconds(chosen.name_ms));
    if (name.empty()) {
        co_return;
    }
    client me(chosen.backlog);
    const seat taken(here, name, me);
    const std::chrono::milliseconds stall(chosen.stall_ms);
    try {
        co_await weir::when_all(read_lines(in, me, here, name), write_lines(peer, me, stall));
    } catch (const std::system_error& error) {
        std::fprintf(stderr, "chat: %s: %s\n", name.c_str(), error.what());
    }
}

// The listener lives in here: where this ends, new clients are refused.
// ref: the room outlives the task
weir::task<> accept_all(weir::scope& clients, weir::tcp_listener listener, weir::semaphore& places,
                        room& here, settings chosen) {
    while (true) {
        weir::semaphore::permit place = co_await places.acquire();
        weir::tcp_stream peer = co_await example::accept(listener);
        clients.spawn(serve_client(std::move(peer), std::move(place), here, chosen));
    }
}

weir::task<> serve(settings chosen) {
    weir::tcp_listener listener = example::listen(chosen.port);
    example::announce(listener);
    room here;
    weir::semaphore places(chosen.clients);
    co_await weir::with_scope(accept_all, std::move(listener), std::ref(places), std::ref(here),
                              chosen);
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    example::command_line line("chat", "A chat on 127.0.0.1: a name, then lines.");
    line.number("--port", chosen.port, 0, 65'535, "to listen on; 0: a free one");
    line.number("--clients", chosen.clients, 1, 100'000, "at a time");
    line.number("--backlog", chosen.backlog, 1, 10'000, "lines that wait for a slow client");
    line.number("--name-ms", chosen.name_ms, 1, 3'600'000, "to wait for a client's name");
    line.number("--stall-ms", chosen.stall_ms, 1, 3'600'000, "to wait for a client to take a line");
    if (const std::optional<int> code = line.parse(argc, argv)) {
        return *code;
    }
    return example::run_until_signal("chat", serve(chosen));
}

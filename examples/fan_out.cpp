// A client that fetches 10,000 pages, at most 100 at a time, from a small HTTP server that runs in
// the same process and on the same loop.
//
// The pool is what bounds it: the producer waits while the queue is full, so memory follows the two
// bounds and not the number of pages. Connections are kept and used again, so there are no more of
// them than requests at a time. The program checks its own sums, and ends with 1 where they differ.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

#include "command_line.hpp"
#include "run_until_signal.hpp"

namespace {

using reader = weir::buffered_reader<weir::tcp_stream>;

struct settings {
    std::uint64_t requests = 10'000;
    std::uint64_t concurrency = 100;
    std::uint64_t queue = 1'000;
};

// ---- The server: /N is a page, but for every tenth N.

std::string answer(std::string_view head) {
    const bool is_there = !head.substr(0, head.find(" HTTP/")).ends_with('0');
    const std::string body = is_there ? "a page\n" : "";
    return (is_there ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 404 Not Found\r\n") +
           ("Content-Length: " + std::to_string(body.size())) + "\r\n\r\n" + body;
}

weir::task<> serve_pages(weir::tcp_stream client) {
    reader in(client);
    while (true) {
        const weir::result<std::string_view> head = co_await in.read_until("\r\n\r\n");
        if (!head) {
            co_return;
        }
        const std::string reply = answer(*head);
        const weir::result<void> sent = co_await client.write_all(std::as_bytes(std::span(reply)));
        if (!sent) {
            co_return;
        }
    }
}

weir::task<> accept_all(weir::scope& connections, weir::tcp_listener listener) {
    while (true) {
        weir::result<weir::tcp_stream> client = co_await listener.accept();
        if (!client) {
            co_return;
        }
        connections.spawn(serve_pages(std::move(*client)));
    }
}

// ---- The client.

struct connection {
    explicit connection(weir::tcp_stream connected) : stream(std::move(connected)), in(stream) {}

    weir::tcp_stream stream;
    reader in;
};

struct crawl {
    weir::socket_address server;
    std::vector<std::unique_ptr<connection>> idle;
    std::uint64_t connections = 0;
    std::uint64_t found = 0;
    std::uint64_t missing = 0;
    std::uint64_t failed = 0;
    std::string first_failure;
};

// One that is idle, or a new one.
weir::task<weir::result<std::unique_ptr<connection>>> take_connection(crawl* all) {
    if (!all->idle.empty()) {
        auto used = std::move(all->idle.back());
        all->idle.pop_back();
        co_return used;
    }
    weir::result<weir::tcp_stream> made = co_await weir::tcp_stream::connect(all->server);
    if (!made) {
        co_return std::unexpected(made.error());
    }
    ++all->connections;
    co_return std::make_unique<connection>(std::move(*made));
}

// The number behind the colon of a field, or behind HTTP/1.1.
std::size_t number_after(std::string_view text, std::string_view before) {
    std::size_t number = 0;
    const std::size_t at = text.find(before);
    if (at != std::string_view::npos) {
        const std::string_view digits = text.substr(at + before.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    }
    return number;
}

// Sends a request and reads its answer whole; returns the status. ref: outlives the await
weir::task<weir::result<std::size_t>> ask(connection& to, std::string path) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const weir::result<void> sent = co_await to.stream.write_all(std::as_bytes(std::span(request)));
    if (!sent) {
        co_return std::unexpected(sent.error());
    }
    const weir::result<std::string_view> head = co_await to.in.read_until("\r\n\r\n");
    if (!head) {
        co_return std::unexpected(head.error());
    }
    const std::size_t status = number_after(*head, "HTTP/1.1 ");
    std::string body(std::min<std::size_t>(number_after(*head, "Content-Length: "), 65'536), '\0');
    const weir::result<void> read =
        co_await to.in.read_exactly(std::as_writable_bytes(std::span(body)));
    if (!read) {
        co_return std::unexpected(read.error());
    }
    co_return status;
}

weir::task<weir::result<void>> fetch(crawl* all, std::uint64_t page) {
    weir::result<std::unique_ptr<connection>> used = co_await take_connection(all);
    if (!used) {
        co_return std::unexpected(used.error());
    }
    const weir::result<std::size_t> status = co_await ask(**used, "/" + std::to_string(page));
    if (!status) {
        co_return std::unexpected(status.error());
    }
    ++(*status == 200 ? all->found : all->missing);
    all->idle.push_back(std::move(*used));
    co_return weir::result<void>();
}

// A job of the pool.
weir::task<> count_fetch(crawl* all, std::uint64_t page) {
    const weir::result<void> fetched = co_await fetch(all, page);
    if (!fetched && all->failed++ == 0) {
        all->first_failure = "page " + std::to_string(page) + ": " + fetched.error().message();
    }
}

weir::task<weir::pool_stats> fetch_all(weir::pool& jobs, crawl* all, std::uint64_t requests) {
    for (std::uint64_t page = 0; page < requests; ++page) {
        co_await jobs.post(count_fetch, all, page);  // waits while the queue is full
    }
    co_await jobs.drain();
    co_return jobs.stats();
}

int report(const crawl& all, const weir::pool_stats& stats, std::uint64_t requests) {
    std::printf(
        "%llu requests: %llu found, %llu missing, %llu failed\n",
        static_cast<unsigned long long>(requests), static_cast<unsigned long long>(all.found),
        static_cast<unsigned long long>(all.missing), static_cast<unsigned long long>(all.failed));
    std::printf("at most %zu at a time over %llu connections, and %zu queued\n", stats.max_running,
                static_cast<unsigned long long>(all.connections), stats.max_queued);
    if (all.failed != 0) {
        std::fprintf(stderr, "fan_out: %s\n", all.first_failure.c_str());
    }
    const bool is_bounded = stats.max_running <= stats.max_concurrency &&
                            stats.max_queued <= stats.max_queue_size &&
                            all.connections <= stats.max_concurrency;
    return is_bounded && all.found + all.missing == requests ? 0 : 1;
}

// The body of the server's scope: when it is through, it stops the server.
weir::task<int> run_both(weir::scope& server, settings chosen) {
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(0));
    if (!listening) {
        throw std::system_error(listening.error(), "listen");
    }
    crawl all;
    all.server = listening->local_address().value();
    server.spawn(accept_all(server, std::move(*listening)));
    weir::pool_options limits;
    limits.max_concurrency = chosen.concurrency;
    limits.max_queue_size = chosen.queue;
    const weir::pool_stats stats =
        co_await weir::with_pool(limits, fetch_all, &all, chosen.requests);
    server.request_stop();
    co_return report(all, stats, chosen.requests);
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    example::command_line line("fan_out", "Fetches pages from a server of its own.");
    line.number("--requests", chosen.requests, 0, 100'000'000, "to make");
    line.number("--concurrency", chosen.concurrency, 1, 10'000, "requests at a time");
    line.number("--queue", chosen.queue, 0, 1'000'000, "requests that wait for their turn");
    if (const std::optional<int> code = line.parse(argc, argv)) {
        return *code;
    }
    return example::run_until_signal("fan_out", weir::with_scope(run_both, chosen));
}

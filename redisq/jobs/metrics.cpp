#include "metrics.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "../../runtime/net/buffered_reader.hpp"
#include "../../runtime/net/tcp.hpp"
#include "../../runtime/scope.hpp"
#include "../../runtime/semaphore.hpp"
#include "../../runtime/sleep.hpp"
#include "../../runtime/with_timeout.hpp"
#include "worker.hpp"

namespace weir::redisq {
namespace {

constexpr std::size_t label_max = 64;
constexpr std::size_t request_bytes_max = 8'192;
constexpr std::size_t peers_max = 16;
constexpr duration head_limit = std::chrono::seconds(1);
constexpr duration request_limit = std::chrono::seconds(5);
constexpr duration accept_pause = std::chrono::milliseconds(100);

struct metric {
    const char* name;
    const char* kind;
    const char* help;
    std::uint64_t value;
};

void check_label(std::string_view label) {
    const bool sound = label.size() <= label_max && std::ranges::all_of(label, [](char c) {
                           return c >= ' ' && c <= '~' && c != '"' && c != '\\';
                       });
    if (!sound) {
        throw std::invalid_argument("metrics: label of " + std::to_string(label.size()) +
                                    " bytes; allowed: 0 to 64 bytes of printable ASCII without "
                                    "quotes and backslashes");
    }
}

std::string answer(std::string_view status, std::string_view type, std::string_view body) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
           std::string(body);
}

std::string answer_to(std::string_view request, const worker_stats& now, std::string_view label) {
    if (request.starts_with("GET /metrics ") || request.starts_with("GET /metrics?")) {
        return answer("200 OK", "text/plain; version=0.0.4; charset=utf-8",
                      metrics_text(now, label));
    }
    if (request.starts_with("GET ")) {
        return answer("404 Not Found", "text/plain", "try /metrics\n");
    }
    return answer("405 Method Not Allowed", "text/plain", "only GET\n");
}

// ref: the caller awaits at once.
task<> serve_one(tcp_stream& peer, const std::function<worker_stats()>& figures,
                 const std::string& label) {
    buffered_reader in(peer, request_bytes_max);
    const weir::result<std::string_view> head =
        co_await with_timeout(head_limit, in.read_until("\r\n\r\n"));
    if (!head) {
        co_return;
    }
    const std::string reply = answer_to(*head, figures(), label);
    static_cast<void>(co_await peer.write_all(std::as_bytes(std::span(reply))));
}

// A peer's failure is its own.
// ref: as of accept_peers().
task<> serve_within_limit(tcp_stream peer, [[maybe_unused]] semaphore::permit place,
                          const std::function<worker_stats()>& figures, const std::string& label) {
    try {
        co_await with_timeout(request_limit, serve_one(peer, figures, label));
    } catch (const std::exception&) {
        co_return;  // which closes the connection
    }
}

// While all places are taken, who comes waits in the kernel's queue.
// ref: all live in the frame that joins `peers`.
task<> accept_peers(scope& peers, tcp_listener& listening, semaphore& places,
                    const std::function<worker_stats()>& figures, const std::string& label) {
    while (true) {
        semaphore::permit place = co_await places.acquire();
        weir::result<tcp_stream> peer = co_await listening.accept();
        if (!peer && peer.error() == std::errc::operation_canceled) {
            throw canceled();
        }
        if (!peer) {
            co_await sleep_for(accept_pause);  // whatever it is, the worker goes on
            continue;
        }
        peers.spawn(serve_within_limit(std::move(*peer), std::move(place), figures, label));
    }
}

}  // namespace

std::string metrics_text(const worker_stats& now, std::string_view label) {
    check_label(label);
    const metric all[] = {
        {"claimed_total", "counter", "Jobs taken from Redis.", now.claimed},
        {"recovered_total", "counter", "Jobs of dead workers taken over.", now.recovered},
        {"done_total", "counter", "Jobs that ended well.", now.done},
        {"failed_total", "counter", "Runs that failed.", now.failed},
        {"retried_total", "counter", "Failed runs that are tried again.", now.retried},
        {"dead_total", "counter", "Jobs given up.", now.dead},
        {"canceled_total", "counter", "Jobs canceled before or while they ran.", now.canceled},
        {"deferred_total", "counter", "Jobs filed for later by their type's limits.", now.deferred},
        {"set_aside_total", "counter", "Jobs of later versions left alone.", now.set_aside},
        {"lost_total", "counter", "Jobs that went on elsewhere.", now.lost},
        {"leases_lost_total", "counter", "Leases that ran out.", now.leases_lost},
        {"running", "gauge", "Jobs that have a slot.", now.running},
        {"ready", "gauge", "Of these, not started yet.", now.ready},
        {"has_lease", "gauge", "1 with a lease of every queue.", now.has_lease ? 1U : 0U},
    };
    const std::string labels =
        label.empty() ? std::string() : "{worker=\"" + std::string(label) + "\"}";
    std::string text;
    for (const metric& one : all) {
        const std::string name = "weir_worker_" + std::string(one.name);
        text.append("# HELP ").append(name).append(" ").append(one.help);
        text.append("\n# TYPE ").append(name).append(" ").append(one.kind).append("\n");
        text.append(name).append(labels).append(" ").append(std::to_string(one.value));
        text.append("\n");
    }
    return text;
}

task<> serve_metrics(const worker& w, metrics_options options) {  // ref: outlives it
    return serve_metrics([&w] { return w.stats(); }, std::move(options));
}

task<> serve_metrics(std::function<worker_stats()> figures, metrics_options options) {
    check_label(options.label);
    auto listening = tcp_listener::listen(options.address);
    if (!listening) {
        throw std::system_error(listening.error(), "metrics at " + options.address.to_string());
    }
    if (options.on_listening) {
        options.on_listening(listening->local_address().value_or(options.address));
    }
    semaphore places(peers_max);
    scope peers;
    peers.spawn(accept_peers(peers, *listening, places, figures, options.label));
    co_await peers.join();
}

}  // namespace weir::redisq

// What a worker has done and does, as metrics for Prometheus: text, and a small HTTP server for it.
//
//     weir::redisq::metrics_options where;
//     where.address = weir::socket_address::loopback_ipv4(9464);
//     co_await weir::redisq::serve_metrics(w, where);   // beside w.run(), until it is stopped
//
// worker::run_until_signal() serves them itself, where worker_options::metrics_port says so.
//
// The server answers GET /metrics, sixteen connections at a time; others wait. Who has not asked
// within a second, or has not taken the answer within five, is hung up on. It knows no passwords:
// beyond the loopback address, whoever can connect can read. The metrics tell numbers and the
// label, never a payload, a URL or the name of a queue.
//
// Errors: std::invalid_argument for a label that is not sound; std::system_error where the address
// cannot be had, which names it; weir::canceled when the task is stopped. What goes wrong with one
// connection ends that connection.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats (text format 0.0.4).
// Lifetime: not longer than the worker. Thread: that of the worker's run().
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "../../runtime/net/address.hpp"
#include "../../runtime/task.hpp"
#include "worker_stats.hpp"

namespace weir::redisq {

class worker;

struct metrics_options {
    metrics_options() = default;

    // Port 0: a free one.
    socket_address address = socket_address::loopback_ipv4(9464);
    // The value of the label "worker"; printable ASCII without quotes and backslashes, at most 64
    // bytes; empty: no label.
    std::string label;
    // Told where it listens. Empty: nobody is.
    std::function<void(const socket_address&)> on_listening;
};

// The text for these figures. Throws std::invalid_argument for a bad label.
[[nodiscard]] std::string metrics_text(const worker_stats& now, std::string_view label = {});

// ref: the worker outlives it, and the options are copied.
[[nodiscard]] task<> serve_metrics(const worker& w, metrics_options options = {});

// Of what `figures` gives, which is called for each answer and must not throw.
[[nodiscard]] task<> serve_metrics(std::function<worker_stats()> figures,
                                   metrics_options options = {});

}  // namespace weir::redisq

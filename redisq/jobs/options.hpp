// Options of queues, workers and schedulers: plain values, each judged by its check().
//
//     weir::redisq::worker_options options;
//     options.max_concurrency = 1000;
//     options.lease = 10s;
//     options.check();
//
// Errors: check() throws std::invalid_argument, which names the option, its value and what is
// allowed; so does whoever is given the options. Thread: any; values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "../../runtime/clock.hpp"

namespace weir::redisq {

struct queue_options {
    // Jobs that may wait, be delayed or run at a time; 0: any number. At the limit submit() waits,
    // and try_submit() fails.
    std::uint64_t max_length = 0;
    // Bytes of one payload, 1 to 64 MiB.
    std::size_t max_payload = std::size_t{1} << 20U;
    // How long results are kept for those who ask, 1 ms to 30 days.
    duration result_ttl = std::chrono::hours(1);
    // How long a unique key is held at the most, should its job never end, counted from when that
    // is due; 1 ms to 365 days.
    duration unique_ttl = std::chrono::hours(24);

    void check() const;
};

// How a worker of several queues shares its slots among them.
enum class queue_order : std::uint8_t {
    strict,   // a queue is served while those before it have nothing to do
    weighted  // in proportion to their weights
};

struct worker_options {
    // Jobs that run at a time, 1 to 1,000,000.
    std::size_t max_concurrency = 100;
    // How long a worker that says nothing is taken for alive; 10 ms to a day, and at least twice
    // the heartbeat. Its jobs are then run by others.
    duration lease = std::chrono::seconds(10);
    // How often it says so, looks for jobs of dead workers, for delayed ones and for what it is
    // asked to do; 1 ms to an hour.
    duration heartbeat = std::chrono::milliseconds(500);
    // How long stopping waits for running jobs before it asks them to stop; 0 to a day.
    duration grace = std::chrono::seconds(30);
    // Limit of one run of a job where neither job nor handler has one; 0: none. At most 365 days.
    duration timeout = duration::zero();
    // A job whose worker died so often while it ran is dead (quarantined); 1 to 1,000.
    std::uint32_t max_crashes = 5;
    // Bytes of one payload that the worker takes, 1 to 64 MiB.
    std::size_t max_payload = std::size_t{1} << 20U;
    // Reads of new jobs that may be on their way at a time, 1 to 64, and the jobs of one, 1 to 256.
    std::size_t windows = 4;
    std::size_t window = 256;
    // How several queues are served.
    queue_order order = queue_order::strict;
    // The server is a node of a cluster, by which the others are found. Without it a URL with
    // several hosts, but for those of sentinels, names the first nodes of one.
    bool cluster = false;
    // Begins the worker's name, for people; printable ASCII without blanks, 0 to 64 bytes.
    std::string label = {};
    // Told what somebody should see: jobs set aside, keys of the wrong type, a lease lost. Must not
    // throw. Empty: one line on standard error. With several threads, called by each of them.
    std::function<void(const std::string&)> on_report = {};
    // Told, once after the first lease, what about the server endangers jobs or secrets: one beyond
    // this machine without a password or TLS, one that may evict keys or keeps no append-only
    // file. As on_report.
    std::function<void(const std::string&)> on_warning = {};
    // Where run_until_signal() serves /metrics for Prometheus (metrics.hpp), an IPv4 or IPv6
    // address; beyond the loopback address, whoever can connect can read. Port 0: nowhere.
    std::string metrics_address = "127.0.0.1";
    std::uint16_t metrics_port = 0;

    void check() const;
};

// What a scheduler does with ticks that passed while none ran.
enum class catch_up : std::uint8_t {
    skip,  // nothing
    once,  // one job for all of them
    all    // one job each, at most 1,000
};

struct scheduler_options {
    // How often it looks; 1 ms to a minute.
    duration poll = std::chrono::milliseconds(250);
    // Delayed jobs moved by one call, 1 to 10,000.
    std::size_t batch = 500;
    // The longest pause between attempts while the server does not answer, or refuses, where `poll`
    // is not longer; 1 ms to an hour.
    duration retry_longest = std::chrono::seconds(5);
    // Told once of a schedule that cannot be served and of a server that does not answer, and once
    // when it goes on. Must not throw. Empty: one line on standard error.
    std::function<void(const std::string&)> on_report = {};

    void check() const;
};

}  // namespace weir::redisq

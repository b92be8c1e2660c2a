// Our client on a loop of its own: pipelines, and tasks that share the connection.
#include <algorithm>
#include <string>
#include <weir/redisq/client.hpp>
#include <weir/redisq/pipeline.hpp>
#include <weir/redisq/replies.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>

#include "../../support/bench_error.hpp"
#include "../catalog.hpp"

namespace resp {
namespace {

namespace redisq = weir::redisq;

// A window is kept by so many tasks, each with a pipeline of its share.
constexpr std::uint64_t window_tasks = 4;

redisq::client_options options_of(const job& what) {
    return redisq::client_options("unix://" + what.socket_path);
}

[[noreturn]] void fail(const redisq::error& why) {
    throw bench::bench_error("weir: " + why.message());
}

// What the tasks of one measurement share.
struct session {
    explicit session(const job& what)
        : redis(options_of(what)), of(what.of), meter(what.warm_up, what.window) {}

    redisq::client redis;
    shape of;
    resp::meter meter;
    bool running = true;
};

void fill(redisq::pipeline& batch, const command& each, std::uint64_t count) {
    batch.clear();
    for (std::uint64_t index = 0; index < count; ++index) {
        if (each.size() == 3) {
            batch.add(each[0], each[1], each[2]);
        } else {
            batch.add(each[0], each[1]);
        }
    }
}

void check(const redisq::replies& answers, operation op) {
    for (std::size_t index = 0; index != answers.size(); ++index) {
        const std::size_t wanted = op == operation::set ? 2 : value_bytes;
        if (answers[index].text().size() != wanted) {
            throw bench::bench_error("weir: a reply of " +
                                     std::to_string(answers[index].text().size()) +
                                     " bytes instead of " + std::to_string(wanted));
        }
    }
}

// One task with batches of `depth`; those of a window measure together.
weir::task<> send_batches(session* all, std::uint64_t depth) {
    const command each = command_of(all->of.op);
    redisq::pipeline batch;
    redisq::replies answers;
    all->running = all->meter.tick();
    while (all->running) {
        const std::uint64_t began = all->meter.now_ns();
        fill(batch, each, depth);
        const redisq::result<void> done = co_await all->redis.execute(batch, answers);
        if (!done) {
            fail(done.error());
        }
        check(answers, all->of.op);
        all->meter.count(depth);
        all->running = all->running && all->meter.tick();
        all->meter.sample(began);
    }
}

// One command at a time. The first task looks at the clock for all.
weir::task<> set_one_by_one(session* all, bool first) {
    const command set = command_of(operation::set);
    while (all->running) {
        const std::uint64_t began = all->meter.now_ns();
        const redisq::result<void> done = co_await all->redis.command<void>(set[0], set[1], set[2]);
        if (!done) {
            fail(done.error());
        }
        all->meter.count(1);
        if (first) {
            all->running = all->meter.tick();
            all->meter.sample(began);
        }
    }
}

weir::task<> get_one_by_one(session* all, bool first) {
    while (all->running) {
        const std::uint64_t began = all->meter.now_ns();
        const redisq::result<std::string> value =
            co_await all->redis.command<std::string>("GET", key);
        if (!value) {
            fail(value.error());
        }
        if (value->size() != value_bytes) {
            throw bench::bench_error("weir: a value of " + std::to_string(value->size()) +
                                     " bytes");
        }
        all->meter.count(1);
        if (first) {
            all->running = all->meter.tick();
            all->meter.sample(began);
        }
    }
}

weir::task<> get_big(session* all) {
    const bool is_list = all->of.op == operation::lrange;
    all->running = all->meter.tick();
    while (all->running) {
        const std::uint64_t began = all->meter.now_ns();
        redisq::result<redisq::resp::reply> answer;
        if (is_list) {
            answer = co_await all->redis.command<redisq::resp::reply>("LRANGE", list_key, 0, -1);
        } else {
            answer = co_await all->redis.command<redisq::resp::reply>("GET", big_key);
        }
        if (!answer) {
            fail(answer.error());
        }
        std::size_t bytes = answer->view().text().size();
        for (const redisq::resp::reply_view element : answer->view()) {
            bytes += element.text().size();
        }
        if (bytes != (is_list ? list_length * value_bytes : big_bytes)) {
            throw bench::bench_error("weir: a reply of " + std::to_string(bytes) + " bytes");
        }
        all->meter.count(1);
        all->running = all->meter.tick();
        all->meter.sample(began);
    }
}

weir::task<> spawn_tasks(weir::scope& tasks, session* all) {
    const shape& of = all->of;
    if (of.op == operation::lrange || of.op == operation::get_big) {
        tasks.spawn(get_big, all);
    } else if (of.how == mode::callers) {
        for (std::uint64_t index = 0; index < of.depth; ++index) {
            tasks.spawn(of.op == operation::set ? set_one_by_one : get_one_by_one, all, index == 0);
        }
    } else if (is_sliding(of)) {
        for (std::uint64_t index = 0; index < window_tasks; ++index) {
            tasks.spawn(send_batches, all, of.depth / window_tasks);
        }
    } else {
        tasks.spawn(send_batches, all, of.depth);
    }
    co_return;
}

weir::task<figures> measure(const job* what) {
    session all(*what);
    const redisq::result<void> connected = co_await all.redis.connect();
    if (!connected) {
        fail(connected.error());
    }
    co_await weir::with_scope(spawn_tasks, &all);
    co_await all.redis.close();
    co_return all.meter.result();
}

}  // namespace

figures run_weir(const job& what) { return weir::run(measure(&what)); }

}  // namespace resp

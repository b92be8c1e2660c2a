// The examples in the comments of redisq/jobs/*.hpp, word for word, with what they need around
// them; the test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <chrono>
#include <string>
#include <weir/redisq.hpp>

struct resize { std::string url; int width = 0; };
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(resize, url, width)
void payload_example() {
    std::string bytes;
    weir::redisq::json_payload::encode(bytes, resize{"a.png", 128});
    const auto back = weir::redisq::json_payload::decode<resize>(bytes);
    static_cast<void>(back);
}

inline const weir::redisq::job_type<resize, std::string> thumbnail{"thumbnail"};
using weir::redisq::raw_payload;
inline const weir::redisq::job_type<std::string, void, raw_payload> note{"note"};

weir::task<std::string> make_thumbnail(resize wanted, weir::redisq::job_context& job) {
    co_await job.progress("reading " + wanted.url);
    co_return std::to_string(wanted.width) + "/" + std::to_string(job.attempt());
}

namespace {

using namespace std::chrono_literals;

const weir::redisq::job_type<std::string, void, weir::redisq::raw_payload> report_job{"report"};

std::size_t reported = 0;
void report(std::string_view text) { reported += text.size(); }

// ref: those that need a server are compiled and not run.
[[maybe_unused]] weir::task<> admin_example(weir::redisq::client& redis) {
    weir::redisq::queue_admin admin(redis, "images");
    const weir::redisq::queue_counts now = co_await admin.counts();
    const bool again = co_await admin.retry("1795380296359-0.1");
    report(std::to_string(now.waiting) + (again ? " again" : ""));
}

void aio_call_example() {
    weir::redisq::aio_call call;
    call.args = {3, 4};
    const std::string text = weir::redisq::write_aio_call(call);
    const auto back = weir::redisq::read_aio_call(text);
    report(text + back.args.dump());
}

weir::task<int> add(int x, int y) { co_return x + y; }
// ref: as above.
[[maybe_unused]] weir::task<> aio_task_example(weir::redisq::client& redis) {
    weir::redisq::aio_task<int, int, int> add_job(redis, "sums", add);
    const int now = co_await add_job(3, 4);   // runs it directly
    co_await add_job.submit(3, 4);            // RPUSH nb_aio_task:sums {"args":[3,4],...}
    co_await add_job.consume();               // until add_job.stop()
    report(std::to_string(now));
}

void cron_example() {
    const weir::redisq::cron_schedule nightly("30 2 * * mon-fri", "Europe/Berlin");
    std::optional<std::int64_t> next = nightly.next(1795380296);   // seconds since 1970
    report(std::to_string(next.value_or(0)));
}

void envelope_example() {
    std::string bytes;
    weir::redisq::envelope job;
    job.type = "thumbnail";
    job.payload = R"({"url":"a.png","width":128})";
    weir::redisq::write_envelope(bytes, job);
    const auto back = weir::redisq::read_envelope(bytes);   // back->type == "thumbnail"
    report(back->type);
}

using thumbnail_job = weir::redisq::job_handle<weir::redisq::job_type<resize, std::string>>;

[[maybe_unused]] weir::task<bool> errors_example(thumbnail_job handle) {
    bool dead = false;
    try {
        report(co_await handle.result(20s));
    } catch (const weir::redisq::exception& error) {
        dead = error.code() == weir::redisq::job_errc::dead;
    }
    co_return dead;
}

void handler_options_example() {
    weir::redisq::handler_options gentle;
    gentle.retry = weir::redisq::retry_policy::fixed(5s, 3);
    gentle.timeout = 30s;
    gentle.check();
}

// ref: as above.
[[maybe_unused]] weir::task<> job_chain_example(weir::redisq::queue& q) {
    const weir::redisq::job_type<std::string> announce{"announce"};
    const auto steps = weir::redisq::chain(thumbnail).then(announce);
    auto last = co_await q.submit(steps, "a.png", 128);   // one after the other
}

// ref: as above.
[[maybe_unused]] weir::task<> job_handle_example(weir::redisq::queue& q) {
    weir::redisq::submit_options keep;
    keep.keep_result();
    auto job = co_await q.submit(keep, thumbnail, "a.png", 128);
    report(co_await job.result(20s));
}

// ref: as above.
[[maybe_unused]] weir::task<> keys_example(weir::redisq::client& redis) {
    const weir::redisq::queue_keys keys("mail");
    const auto jobs = co_await redis.command<long>("XLEN", keys.lane(1));   // weir:{mail}:s1
    report(std::to_string(jobs.value_or(0)));
}

void options_example() {
    weir::redisq::worker_options options;
    options.max_concurrency = 1000;
    options.lease = 10s;
    options.check();
}

[[maybe_unused]] weir::task<> queue_example() {
    weir::redisq::client redis("redis://localhost");
    weir::redisq::queue q(redis, "images");
    co_await q.submit(thumbnail, "a.png", 128);   // builds resize{"a.png", 128} in place
}

void retry_policy_example() {
    const auto gentle = weir::redisq::retry_policy::exponential(1s, 10min, 8);
    const auto steady = weir::redisq::retry_policy::fixed(5s, 3);
    const auto never = weir::redisq::retry_policy::none();
}

// ref: as above.
[[maybe_unused]] weir::task<> scheduler_example(weir::redisq::client& redis) {
    weir::redisq::job_scheduler s(redis, "reports");
    const weir::redisq::cron_schedule nightly("30 2 * * *", "Europe/Berlin");
    s.add("nightly report", nightly, report_job, "2026");
    co_await s.run();   // until it is stopped
}

void scripts_example() {
    for (const weir::redisq::job_script& each : weir::redisq::job_scripts()) {
        report(each.name);
    }
}

// ref: as above.
[[maybe_unused]] weir::task<> submit_options_example(weir::redisq::queue& q) {
    weir::redisq::submit_options later;
    later.delay(5min).lane(0).unique("user 7").keep_result();
    auto job = co_await q.submit(later, thumbnail, "a.png", 128);
}

void time_zone_example() {
    const auto berlin = weir::redisq::time_zone::named("Europe/Berlin");
    const int offset = berlin.offset_at(1795380296);   // seconds east of Greenwich
    report(std::to_string(offset));
}

[[maybe_unused]] int worker_example() {
    weir::redisq::worker w("redis://localhost", {.max_concurrency = 1000});
    w.serve("images").on(thumbnail, make_thumbnail);
    return w.run_until_signal();   // SIGTERM: drain, hand back what never started
}

// ref: as above.
[[maybe_unused]] weir::task<> metrics_example(const weir::redisq::worker& w) {
    weir::redisq::metrics_options where;
    where.address = weir::socket_address::loopback_ipv4(9464);
    co_await weir::redisq::serve_metrics(w, where);   // beside w.run(), until it is stopped
}

[[maybe_unused]] void worker_stats_example(const weir::redisq::worker& w) {
    const weir::redisq::worker_stats now = w.stats();
    report(std::to_string(now.done) + " done, " + std::to_string(now.running) + " running");
}

}  // namespace

int main() {
    payload_example();
    aio_call_example();
    cron_example();
    envelope_example();
    handler_options_example();
    options_example();
    retry_policy_example();
    scripts_example();
    time_zone_example();
    return reported > 0 ? 0 : 1;
}

#include "measure.hpp"

#include <algorithm>

#include "cpu_sampler.hpp"
#include "generator.hpp"

namespace echo {
namespace {

constexpr std::uint64_t buffer_bytes_min = 16'384;
constexpr std::uint64_t first_connections = 16;

// Looks at the server when the window opens and when it closes.
class server_observer : public load_observer {
  public:
    explicit server_observer(const server_process& of) : of_(of), sampler_(of.pid()) {}

    void begin() override {
        ticks_ = read_cpu_ticks(of_.pid());
        syscalls_ = of_.syscalls();
        cpu_ns_ = of_.cpu_ns();
        sampler_.start();
    }

    void end() override {
        cpu_ns_ = of_.cpu_ns() - cpu_ns_;
        syscalls_ = of_.syscalls() - syscalls_;
        sampler_.stop();
        const cpu_ticks now = read_cpu_ticks(of_.pid());
        ticks_ = {.user = now.user - ticks_.user, .system = now.system - ticks_.system};
    }

    [[nodiscard]] double cpu_ns() const { return static_cast<double>(cpu_ns_); }
    [[nodiscard]] double syscalls() const { return static_cast<double>(syscalls_); }
    [[nodiscard]] double user_share() {
        if (const auto sampled = sampler_.user_share()) {
            return *sampled;
        }
        const double all = static_cast<double>(ticks_.user + ticks_.system);
        return all == 0 ? 0 : static_cast<double>(ticks_.user) / all;
    }

  private:
    const server_process& of_;
    cpu_sampler sampler_;
    cpu_ticks ticks_;
    std::uint64_t syscalls_ = 0;
    std::uint64_t cpu_ns_ = 0;
};

// Watches nothing.
class no_observer : public load_observer {
  public:
    void begin() override {}
    void end() override {}
};

void one_message_each(generator& load) {
    load_plan plan;
    plan.of = {.connections = 1, .depth = 1, .size = 64};
    plan.window = std::chrono::nanoseconds{1};
    no_observer nothing;
    static_cast<void>(load.run(plan, nothing));
}

}  // namespace

figures measure(const run_plan& plan) {
    server_process process(*plan.which, std::max(buffer_bytes_min, plan.of.size), plan.cores);
    figures out;
    {
        generator load(plan.of, process.port());
        server_observer observer(process);
        const load_result result = load.run(
            {.of = plan.of, .rate = plan.rate, .warm_up = plan.warm_up, .window = plan.window},
            observer);
        if (result.messages == 0) {
            throw load_error("no message came back within the window");
        }
        const auto messages = static_cast<double>(result.messages);
        out.messages_per_s = messages / result.seconds;
        out.server_cpu_ns = observer.cpu_ns() / messages;
        out.server_user_ns = out.server_cpu_ns * observer.user_share();
        const histogram& latencies = load.latencies();
        out.p50_us = latencies.quantile(0.5) * 1e-3;
        out.p99_us = latencies.quantile(0.99) * 1e-3;
        out.p999_us = latencies.quantile(0.999) * 1e-3;
        if (process.syscalls() != 0) {
            out.syscalls_per_message = observer.syscalls() / messages;
        }
        out.rss_bytes = static_cast<double>(process.resident_bytes());
        out.server_busy = observer.cpu_ns() * 1e-9 / result.seconds;
        out.load_busy = result.busy;
    }
    process.stop();
    return out;
}

double idle_connection_bytes(const server& which, std::uint64_t connections,
                             bench::core_pair cores) {
    server_process process(which, buffer_bytes_min, cores);
    double grown = 0;
    {
        generator first({.connections = first_connections, .depth = 1, .size = 64}, process.port());
        one_message_each(first);
        const std::uint64_t before = process.anonymous_bytes();
        generator rest({.connections = connections, .depth = 1, .size = 64}, process.port());
        one_message_each(rest);
        const std::uint64_t after = process.anonymous_bytes();
        grown = static_cast<double>(after) - static_cast<double>(before);
    }
    process.stop();
    return std::max(grown, 0.0) / static_cast<double>(connections);
}

}  // namespace echo

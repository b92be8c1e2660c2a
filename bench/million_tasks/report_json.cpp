#include <nlohmann/json.hpp>

#include "report.hpp"

namespace million_tasks {
namespace {

using json = nlohmann::ordered_json;

template <class T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

json object_of(const report& from) {
    json loop = from.loop.empty() ? json(nullptr) : json::object();
    for (const auto& [name, value] : from.loop) {
        loop[name] = value;
    }
    json out = {
        {"strategy", from.strategy},
        {"tasks", from.tasks},
        {"completed", from.completed},
        {"checksum_ok", or_null(from.checksum_ok)},
        {"concurrency", from.concurrency},
        {"queue", from.queue},
        {"payload_bytes", from.payload_bytes},
        {"sleep_ms", from.sleep_ms},
        {"clock", from.clock},
        {"wall_s", from.wall_s},
        {"cpu_s", from.cpu_s},
        {"tasks_per_s", from.tasks_per_s()},
        {"ns_per_task", from.ns_per_task()},
        {"floor_ns_per_task", from.floor_ns_per_task},
        {"rss_before_bytes", from.rss_before_bytes},
        {"rss_peak_bytes", from.rss_peak_bytes},
        {"max_running", from.max_running},
        {"max_queued", from.max_queued},
        {"allocations_per_task", or_null(from.allocations_per_task)},
        {"loop", std::move(loop)},
        {"machine",
         {{"cpu", from.on.cpu},
          {"cores", from.on.cores},
          {"kernel", from.on.kernel},
          {"compiler", from.on.compiler},
          {"flags", from.on.flags}}},
    };
    if (from.straggler_every != 0) {
        out["straggler_ms"] = from.straggler_ms;
        out["straggler_every"] = from.straggler_every;
    }
    return out;
}

template <class T>
void read(const json& object, const char* key, T& target) {
    if (const auto found = object.find(key); found != object.end() && !found->is_null()) {
        target = found->template get<T>();
    }
}

template <class T>
void read(const json& object, const char* key, std::optional<T>& target) {
    if (const auto found = object.find(key); found != object.end() && !found->is_null()) {
        target = found->template get<T>();
    }
}

report report_from(const json& object) {
    report out;
    read(object, "strategy", out.strategy);
    read(object, "tasks", out.tasks);
    read(object, "completed", out.completed);
    read(object, "checksum_ok", out.checksum_ok);
    read(object, "concurrency", out.concurrency);
    read(object, "queue", out.queue);
    read(object, "payload_bytes", out.payload_bytes);
    read(object, "sleep_ms", out.sleep_ms);
    read(object, "straggler_ms", out.straggler_ms);
    read(object, "straggler_every", out.straggler_every);
    read(object, "clock", out.clock);
    read(object, "wall_s", out.wall_s);
    read(object, "cpu_s", out.cpu_s);
    read(object, "floor_ns_per_task", out.floor_ns_per_task);
    read(object, "rss_before_bytes", out.rss_before_bytes);
    read(object, "rss_peak_bytes", out.rss_peak_bytes);
    read(object, "max_running", out.max_running);
    read(object, "max_queued", out.max_queued);
    read(object, "allocations_per_task", out.allocations_per_task);
    if (const auto loop = object.find("loop"); loop != object.end() && loop->is_object()) {
        for (const auto& [name, value] : loop->items()) {
            out.loop.emplace_back(name, value.get<std::uint64_t>());
        }
    }
    const json& on = object.at("machine");
    read(on, "cpu", out.on.cpu);
    read(on, "cores", out.on.cores);
    read(on, "kernel", out.on.kernel);
    read(on, "compiler", out.on.compiler);
    read(on, "flags", out.on.flags);
    return out;
}

}  // namespace

std::string to_json(const std::vector<report>& reports) {
    json out = json::array();
    for (const report& one : reports) {
        out.push_back(object_of(one));
    }
    return out.dump(2) + "\n";
}

std::vector<report> from_json(const std::string& text) {
    std::vector<report> out;
    for (const json& object : json::parse(text)) {
        out.push_back(report_from(object));
    }
    return out;
}

}  // namespace million_tasks

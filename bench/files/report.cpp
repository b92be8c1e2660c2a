#include "report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "../support/median.hpp"
#include "../support/values.hpp"

namespace files {

double row::median(double figures::* what) const { return bench::median(rounds, what); }

std::string to_json(const std::vector<row>& rows, const options& asked) {
    using json = nlohmann::ordered_json;
    json out = json::array();
    for (const row& each : rows) {
        const double wall = each.median(&figures::wall_s);
        out.push_back({
            {"work", each.work},
            {"who", each.who},
            {"file_bytes", asked.file_bytes},
            {"operations", each.operations},
            {"depth", each.depth},
            {"rounds", each.rounds.size()},
            {"wall_s", wall},
            {"wall_s_min", std::ranges::min(each.rounds, {}, &figures::wall_s).wall_s},
            {"wall_s_max", std::ranges::max(each.rounds, {}, &figures::wall_s).wall_s},
            {"cpu_s", each.median(&figures::cpu_s)},
            {"bytes_per_s", static_cast<double>(each.bytes) / wall},
            {"operations_per_s", static_cast<double>(each.operations) / wall},
        });
    }
    return out.dump(2) + "\n";
}

std::string tables_text(const std::vector<row>& rows, const std::string& machine) {
    constexpr const char* line = "%-12s %-12s %9s %9s %9s %9s\n";
    std::string text = machine + "\n\n";
    text += bench::formatted(line, "work", "who", "wall s", "CPU s", "MiB/s", "ops/s");
    const row* ours = nullptr;
    for (const row& each : rows) {
        const double wall = each.median(&figures::wall_s);
        text += bench::formatted(
            line, each.work, each.who, bench::fixed(wall, 3).c_str(),
            bench::fixed(each.median(&figures::cpu_s), 3).c_str(),
            bench::fixed(static_cast<double>(each.bytes) / wall / 1048576, 0).c_str(),
            bench::short_number(static_cast<double>(each.operations) / wall).c_str());
        if (each.who == std::string_view("weir")) {
            ours = &each;
        } else if (ours != nullptr) {
            text += bench::formatted("  weir is %s x as fast as %s\n",
                                     bench::fixed(wall / ours->median(&figures::wall_s), 2).c_str(),
                                     each.who);
        }
    }
    return text;
}

}  // namespace files

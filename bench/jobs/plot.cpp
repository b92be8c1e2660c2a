#include <algorithm>
#include <cmath>

#include "../support/median.hpp"
#include "../support/svg.hpp"
#include "../support/values.hpp"
#include "report.hpp"

namespace jobs {
namespace {

using bench::anchor;
using bench::svg;
namespace palette = bench::palette;

constexpr int width = 1'000;
constexpr double head_height = 104;
constexpr double row_height = 20;
constexpr double group_gap = 12;

// Left: no log; right: with one. Bars of both share a scale that starts at 0.
struct panel {
    durability kept;
    const char* title;
    double left;
    double right;
};
constexpr panel panels[] = {
    {durability::off, "no log on disk, jobs a second", 160, 430},
    {durability::everysec, "log written out every second, jobs a second", 650, 920},
};

std::string label_of(const shape& of) {
    std::string out = name_of(of);
    std::ranges::replace(out, '_', ' ');
    return of.threads == 1 ? out : out + ", " + std::to_string(of.threads) + " threads";
}

double draw_bar(svg& page, const panel& on, double y, double share, const std::string& text,
                bool ours) {
    const double end = on.left + (on.right - on.left) * share;
    page.rectangle({on.left, y + 3}, end - on.left, row_height - 6,
                   ours ? palette::accent : palette::other);
    page.text({end + 6, y + 14}, text,
              {.size = 11, .color = ours ? palette::accent : palette::pale, .bold = ours});
    return y + row_height;
}

// What stands beside the rate: latencies and bytes.
std::string details_of(const row& each) {
    std::string out;
    const double p50 = bench::median(each.rounds, &figures::p50_us);
    const double bytes = bench::median(each.bytes_per_job);
    if (!std::isnan(p50)) {
        out = "p50 " + bench::fixed(p50, 0) + " us, p99 " +
              bench::fixed(bench::median(each.rounds, &figures::p99_us), 0) + " us";
    }
    if (!std::isnan(bytes)) {
        out = bench::fixed(bytes, 0) + " bytes a job";
    }
    return out;
}

double draw_row(svg& page, const panel& on, const row& each, double highest, double y) {
    page.text({on.left - 10, y + 14}, label_of(each.of),
              {.size = 12, .color = palette::ink, .at = anchor::end});
    const double rate = bench::median(each.rounds, &figures::jobs_per_s);
    y = draw_bar(page, on, y, rate / highest, bench::short_number(rate), true);
    const double ceiling = bench::median(each.ceilings);
    if (!std::isnan(ceiling)) {
        y = draw_bar(page, on, y, ceiling / highest, bench::short_number(ceiling) + " by hand",
                     false);
    }
    const std::string details = details_of(each);
    if (!details.empty()) {
        page.text({on.left, y + 12}, details, {.size = 11, .color = palette::pale});
        y += row_height - 4;
    }
    return y + group_gap;
}

double highest_of(const report& of) {
    double highest = 1;
    for (const row& each : of.rows) {
        const double ceiling = bench::median(each.ceilings);
        highest = std::max({highest, bench::median(each.rounds, &figures::jobs_per_s),
                            std::isnan(ceiling) ? 0 : ceiling});
    }
    return highest;
}

double draw_panels(svg& page, const report& of) {
    const double highest = highest_of(of);
    double bottom = head_height;
    for (const panel& each : panels) {
        page.text({each.left - 136, head_height - 14}, each.title,
                  {.size = 14, .color = palette::ink, .bold = true});
        double y = head_height;
        for (const row& line : of.rows) {
            if (line.of.kept == each.kept) {
                y = draw_row(page, each, line, highest, y);
            }
        }
        bottom = std::max(bottom, y);
    }
    return bottom;
}

}  // namespace

std::string picture(const report& of) {
    svg unused(width, 1, "");
    const double end = draw_panels(unused, of);
    svg page(width, static_cast<int>(end) + 48, "The job queue: jobs a second beside the ceiling");
    page.text({24, 34}, "The job queue", {.size = 20, .color = palette::ink, .bold = true});
    page.text({24, 56}, "jobs of 100 bytes; producers and worker on one core, " + of.server +
                            " on another; grey: the same commands by hand");
    draw_panels(page, of);
    page.text({24, end + 32}, of.machine, {.size = 12, .color = palette::pale});
    return std::move(page).finish();
}

}  // namespace jobs

#include <algorithm>
#include <cmath>
#include <functional>

#include "../support/svg.hpp"
#include "plot.hpp"
#include "values.hpp"

namespace million_tasks {
namespace {

using bench::anchor;
using bench::point;
using bench::svg;
namespace palette = bench::palette;

constexpr int width = 1000;
constexpr int height = 560;
constexpr double left = 96;
constexpr double right = 968;

// An axis from 0 to a round number, with steps of 1, 2 or 5 times a power of ten.
struct axis {
    explicit axis(double highest) {
        const double rough = std::max(highest, 1e-6) / 5;
        const double decade = std::pow(10.0, std::floor(std::log10(rough)));
        const double digit = rough / decade;
        step = decade * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
        steps = static_cast<int>(std::ceil(std::max(highest, 1e-6) / step - 1e-9));
    }
    [[nodiscard]] double end() const { return step * steps; }
    double step;
    int steps;
};

// As many decimals as the steps of an axis need.
std::string tick_text(double value, double step) {
    if (step >= 1'000) {
        const bool millions = step >= 1'000'000;
        return value == 0 ? "0"
                          : with_separators(static_cast<std::uint64_t>(
                                std::llround(value / (millions ? 1e6 : 1e3)))) +
                                (millions ? " M" : " k");
    }
    const int decimals = step >= 1 ? 0 : static_cast<int>(std::ceil(-std::log10(step) - 1e-9));
    return fixed(value, decimals);
}

struct panel {
    double top;
    double bottom;
    const char* heading;
    const char* color;
    std::function<double(const sample&)> value;
};

void draw_panel(svg& picture, const panel& what, const axis& time,
                const std::vector<sample>& points) {
    double highest = 0;
    for (const sample& one : points) {
        highest = std::max(highest, what.value(one));
    }
    const axis values(highest);
    const auto x_of = [&](double seconds) {
        return left + seconds / points.back().seconds * (right - left);
    };
    const auto y_of = [&](double value) {
        return what.bottom - value / values.end() * (what.bottom - what.top);
    };
    picture.text({left, what.top - 12}, what.heading,
                 {.size = 15, .color = palette::ink, .bold = true});
    for (int k = 0; k <= values.steps; ++k) {
        const double value = values.step * k;
        picture.line({left, y_of(value)}, {right, y_of(value)}, palette::grid);
        picture.text({left - 10, y_of(value) + 4}, tick_text(value, values.step),
                     {.size = 12, .color = palette::pale, .at = anchor::end});
    }
    // The curve ends at the right edge, whether a round number of seconds lies there or not.
    const int whole_steps = static_cast<int>(points.back().seconds / time.step + 1e-9);
    for (int k = 0; k <= whole_steps; ++k) {
        const double seconds = time.step * k;
        picture.text({x_of(seconds), what.bottom + 18}, tick_text(seconds, time.step),
                     {.size = 12, .color = palette::pale, .at = anchor::middle});
    }
    std::vector<point> curve;
    curve.reserve(points.size() + 2);
    for (const sample& one : points) {
        curve.push_back({x_of(one.seconds), y_of(what.value(one))});
    }
    std::vector<point> below = curve;
    below.push_back({curve.back().x, what.bottom});
    below.push_back({curve.front().x, what.bottom});
    picture.area(below, what.color, 0.12);
    picture.curve(curve, what.color, 2.5);
}

}  // namespace

std::string run_plot(const report& of, const std::vector<sample>& points) {
    svg picture(width, height, "million_tasks: memory and finished tasks over time");
    picture.text({24, 36}, "Strategy " + of.strategy + ": memory and progress over time",
                 {.size = 20, .color = palette::ink, .bold = true});
    picture.text({24, 60}, workload_text(of));
    const axis time(points.back().seconds);
    const std::string peak =
        "resident memory, MiB (at most " + mebibytes_text(of.rss_peak_bytes) + ")";
    draw_panel(
        picture,
        {.top = 108,
         .bottom = 268,
         .heading = peak.c_str(),
         .color = palette::accent,
         .value =
             [](const sample& one) { return static_cast<double>(one.resident_bytes) / 1048576.0; }},
        time, points);
    const std::string rate =
        "finished tasks (" + short_number(of.tasks_per_s()) + " a second); time in seconds";
    draw_panel(picture,
               {.top = 332,
                .bottom = 492,
                .heading = rate.c_str(),
                .color = "#5f3dc4",
                .value = [](const sample& one) { return static_cast<double>(one.finished); }},
               time, points);
    picture.text({24, height - 16}, machine_text(of.on), {.size = 12, .color = palette::pale});
    return std::move(picture).finish();
}

}  // namespace million_tasks

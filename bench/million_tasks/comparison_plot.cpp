#include <algorithm>
#include <cmath>

#include "../support/svg.hpp"
#include "plot.hpp"
#include "values.hpp"

namespace million_tasks {
namespace {

using bench::anchor;
using bench::svg;
namespace palette = bench::palette;

constexpr int width = 1000;
constexpr double row_height = 40;
constexpr double bars_top = 122;

// Whole decades around the values. A value at the lower end would have no bar, so the axis starts
// a decade below it.
class decades {
  public:
    decades(double low, double high)
        : first_(std::floor(std::log10(low) - 0.05)),
          last_(std::max(std::ceil(std::log10(high)), first_ + 1)) {}

    [[nodiscard]] int first() const { return static_cast<int>(first_); }
    [[nodiscard]] int last() const { return static_cast<int>(last_); }
    // 0 at the axis' start, 1 at its end.
    [[nodiscard]] double place(double value) const {
        return std::clamp((std::log10(value) - first_) / (last_ - first_), 0.0, 1.0);
    }

  private:
    double first_;
    double last_;
};

struct panel {
    double left;
    double right;
    const char* heading;
    double (*value)(const report&);
    std::string (*label)(const report&);
    std::string (*tick)(double);
};

double mebibytes(const report& of) { return static_cast<double>(of.rss_peak_bytes) / 1048576.0; }

std::string scale_text(double number) {
    const double scaled = number >= 1e9   ? number / 1e9
                          : number >= 1e6 ? number / 1e6
                          : number >= 1e3 ? number / 1e3
                                          : number;
    const char* const suffix = number >= 1e9   ? " G"
                               : number >= 1e6 ? " M"
                               : number >= 1e3 ? " k"
                                               : "";
    return fixed(scaled, 0) + suffix;
}

void draw_panel(svg& picture, const panel& what, const std::vector<report>& reports) {
    double low = what.value(reports.front());
    double high = low;
    for (const report& one : reports) {
        low = std::min(low, what.value(one));
        high = std::max(high, what.value(one));
    }
    const decades axis(low, high);
    const double length = what.right - what.left;
    const double bottom = bars_top + row_height * static_cast<double>(reports.size());
    picture.text({what.left, bars_top - 34}, what.heading,
                 {.size = 15, .color = palette::ink, .bold = true});
    for (int decade = axis.first(); decade <= axis.last(); ++decade) {
        const double value = std::pow(10.0, decade);
        const double x = what.left + axis.place(value) * length;
        picture.line({x, bars_top - 4}, {x, bottom}, palette::grid);
        picture.text({x, bars_top - 12}, what.tick(value),
                     {.size = 12, .color = palette::pale, .at = anchor::middle});
    }
    double y = bars_top;
    for (const report& one : reports) {
        const bool ours = one.strategy == "pool";
        const double end = what.left + axis.place(what.value(one)) * length;
        picture.rectangle({what.left, y + 6}, end - what.left, row_height - 14,
                          ours ? palette::accent : palette::other);
        picture.text({end + 8, y + 24}, what.label(one),
                     {.size = 14, .color = ours ? palette::accent : palette::ink, .bold = ours});
        y += row_height;
    }
}

}  // namespace

std::string comparison_plot(const std::vector<report>& reports) {
    std::vector<report> shown = reports;
    std::erase_if(shown, [](const report& one) {
        return one.completed == 0 || one.rss_peak_bytes == 0 || one.wall_s <= 0;
    });
    const int height =
        static_cast<int>(bars_top + row_height * static_cast<double>(shown.size())) + 46;
    svg picture(width, height, "million_tasks: peak memory and tasks per second of each strategy");
    if (shown.empty()) {
        picture.text({24, 40}, "nothing was measured", {.size = 20, .color = palette::ink});
        return std::move(picture).finish();
    }
    picture.text({24, 36}, "Peak memory and speed",
                 {.size = 20, .color = palette::ink, .bold = true});
    picture.text({24, 60}, workload_text(shown.front()));
    double y = bars_top;
    for (const report& one : shown) {
        const bool ours = one.strategy == "pool";
        picture.text({180, y + 24}, one.strategy,
                     {.size = 14,
                      .color = ours ? palette::accent : palette::ink,
                      .at = anchor::end,
                      .bold = ours});
        y += row_height;
    }
    draw_panel(picture,
               {.left = 192,
                .right = 500,
                .heading = "peak memory, MiB (logarithmic)",
                .value = mebibytes,
                .label = [](const report& one) { return mebibytes_text(one.rss_peak_bytes); },
                .tick =
                    [](double value) {
                        return value < 1 ? fixed(value, 1)
                                         : with_separators(
                                               static_cast<std::uint64_t>(std::llround(value)));
                    }},
               shown);
    draw_panel(picture,
               {.left = 610,
                .right = 890,
                .heading = "tasks per second (logarithmic)",
                .value = [](const report& one) { return one.tasks_per_s(); },
                .label = [](const report& one) { return short_number(one.tasks_per_s()); },
                .tick = scale_text},
               shown);
    picture.text({24, static_cast<double>(height) - 16}, machine_text(shown.front().on),
                 {.size = 12, .color = palette::pale});
    return std::move(picture).finish();
}

}  // namespace million_tasks

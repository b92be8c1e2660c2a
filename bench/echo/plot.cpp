#include <algorithm>
#include <cmath>

#include "../support/svg.hpp"
#include "../support/values.hpp"
#include "report.hpp"

namespace echo {
namespace {

using bench::anchor;
using bench::svg;
namespace palette = bench::palette;

constexpr int width = 1000;
constexpr double head_height = 96;
constexpr double shape_height = 44;
constexpr double row_height = 26;

struct panel {
    double left;
    double right;
    double figures::* what;
};
constexpr panel cpu_panel{.left = 190, .right = 500, .what = &figures::server_cpu_ns};
constexpr panel tail_panel{.left = 600, .right = 900, .what = &figures::p99_us};

bool is_ours(const row& of) { return of.server.starts_with("weir"); }

const char* color_of(const row& of) {
    return is_ours(of)                         ? palette::accent
           : of.server.starts_with("liburing") ? palette::pale
                                               : palette::other;
}

// Bars of one shape share a scale that starts at 0: their lengths may be compared.
void draw_bar(svg& picture, const panel& on, const row& of, double highest, double y) {
    const double value = of.median(on.what);
    const double end = on.left + (on.right - on.left) * value / std::max(highest, 1e-9);
    picture.rectangle({on.left, y + 4}, end - on.left, row_height - 9, color_of(of));
    picture.text(
        {end + 8, y + 18},
        value < 100 ? bench::fixed(value, 1)
                    : bench::with_separators(static_cast<std::uint64_t>(std::llround(value))),
        {.size = 12, .color = is_ours(of) ? palette::accent : palette::ink, .bold = is_ours(of)});
}

double highest_of(const std::vector<row>& rows, const shape& of, double figures::* what) {
    double highest = 0;
    for (const row& each : rows) {
        highest = each.of == of ? std::max(highest, each.median(what)) : highest;
    }
    return highest;
}

void draw_head(svg& picture, double rate) {
    picture.text({24, 34}, "TCP echo", {.size = 20, .color = palette::ink, .bold = true});
    picture.text({24, 56}, rate > 0 ? bench::short_number(rate) + " messages due a second"
                                    : std::string("each answer is followed by the next message"));
    picture.text({cpu_panel.left, head_height - 12}, "server CPU a message, ns",
                 {.size = 14, .color = palette::ink, .bold = true});
    picture.text({tail_panel.left, head_height - 12}, "99th percentile, us",
                 {.size = 14, .color = palette::ink, .bold = true});
}

}  // namespace

std::string rows_plot(const std::vector<row>& rows, double rate, const std::string& machine) {
    std::size_t shapes = 0;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        shapes += index == 0 || !(rows[index].of == rows[index - 1].of) ? 1 : 0;
    }
    const double height = head_height + shape_height * static_cast<double>(shapes) +
                          row_height * static_cast<double>(rows.size()) + 48;
    svg picture(width, static_cast<int>(height),
                "TCP echo: server CPU a message and 99th percentile of each server");
    draw_head(picture, rate);
    double y = head_height;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        const row& each = rows[index];
        if (index == 0 || !(each.of == rows[index - 1].of)) {
            picture.text({24, y + 28}, shape_text(each.of), {.size = 14, .color = palette::pale});
            picture.line({24, y + 36}, {width - 24, y + 36}, palette::grid);
            y += shape_height;
        }
        picture.text({cpu_panel.left - 12, y + 18}, each.server,
                     {.size = 13,
                      .color = is_ours(each) ? palette::accent : palette::ink,
                      .at = anchor::end,
                      .bold = is_ours(each)});
        draw_bar(picture, cpu_panel, each, highest_of(rows, each.of, cpu_panel.what), y);
        draw_bar(picture, tail_panel, each, highest_of(rows, each.of, tail_panel.what), y);
        y += row_height;
    }
    picture.text({24, height - 16}, machine, {.size = 12, .color = palette::pale});
    return std::move(picture).finish();
}

}  // namespace echo

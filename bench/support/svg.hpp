// Writes a picture as SVG: rectangles, lines and text on white, so that it reads on any page.
//
// Coordinates are pixels from the upper left corner.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The colours of all pictures.
namespace palette {
inline constexpr const char* ink = "#212529";     // what is read first
inline constexpr const char* pale = "#495057";    // the rest of the text, and a floor's bar
inline constexpr const char* accent = "#0b7285";  // ours
inline constexpr const char* other = "#adb5bd";   // not ours
inline constexpr const char* grid = "#dee2e6";    // thin lines
}  // namespace palette

struct point {
    double x = 0;
    double y = 0;
};

enum class anchor { start, middle, end };

struct text_style {
    int size = 14;
    const char* color = palette::pale;
    anchor at = anchor::start;
    bool bold = false;
};

class svg {
  public:
    // `title` is what a screen reader says.
    svg(int width, int height, std::string_view title);

    void rectangle(point upper_left, double width, double height, const char* color);
    void line(point from, point to, const char* color);
    void curve(const std::vector<point>& through, const char* color, double width);
    void area(const std::vector<point>& corners, const char* color, double opacity);
    // `at` is the left end, the middle or the right end of the base line.
    void text(point at, std::string_view words, text_style style = {});

    [[nodiscard]] std::string finish() &&;

  private:
    void attribute(const char* name, std::string_view value);
    void attribute(const char* name, double value);
    void points(const std::vector<point>& list);

    std::string out_;
};

}  // namespace bench

#include "svg.hpp"

#include <utility>

#include "values.hpp"

namespace bench {
namespace {

std::string escaped(std::string_view words) {
    std::string out;
    for (const char c : words) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

constexpr const char* anchor_name(anchor at) {
    switch (at) {
        case anchor::middle:
            return "middle";
        case anchor::end:
            return "end";
        default:
            return "start";
    }
}

}  // namespace

svg::svg(int width, int height, std::string_view title) {
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"";
    attribute("viewBox", "0 0 " + std::to_string(width) + " " + std::to_string(height));
    attribute("width", std::to_string(width));
    attribute("height", std::to_string(height));
    attribute("font-family", "'DejaVu Sans', Verdana, sans-serif");
    out_ += ">\n<title>";
    out_ += escaped(title);
    out_ += "</title>\n";
    rectangle({}, width, height, "#ffffff");
}

void svg::rectangle(point upper_left, double width, double height, const char* color) {
    out_ += "<rect";
    attribute("x", upper_left.x);
    attribute("y", upper_left.y);
    attribute("width", width);
    attribute("height", height);
    attribute("fill", color);
    out_ += "/>\n";
}

void svg::line(point from, point to, const char* color) {
    out_ += "<line";
    attribute("x1", from.x);
    attribute("y1", from.y);
    attribute("x2", to.x);
    attribute("y2", to.y);
    attribute("stroke", color);
    out_ += "/>\n";
}

void svg::curve(const std::vector<point>& through, const char* color, double width) {
    out_ += "<polyline";
    points(through);
    attribute("fill", "none");
    attribute("stroke", color);
    attribute("stroke-width", width);
    attribute("stroke-linejoin", "round");
    out_ += "/>\n";
}

void svg::area(const std::vector<point>& corners, const char* color, double opacity) {
    out_ += "<polygon";
    points(corners);
    attribute("fill", color);
    attribute("fill-opacity", fixed(opacity, 2));
    out_ += "/>\n";
}

void svg::text(point at, std::string_view words, text_style style) {
    out_ += "<text";
    attribute("x", at.x);
    attribute("y", at.y);
    attribute("font-size", std::to_string(style.size));
    attribute("fill", style.color);
    attribute("text-anchor", anchor_name(style.at));
    if (style.bold) {
        attribute("font-weight", "bold");
    }
    out_ += '>';
    out_ += escaped(words);
    out_ += "</text>\n";
}

std::string svg::finish() && {
    out_ += "</svg>\n";
    return std::move(out_);
}

void svg::attribute(const char* name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    out_ += value;
    out_ += '"';
}

void svg::attribute(const char* name, double value) { attribute(name, fixed(value, 1)); }

void svg::points(const std::vector<point>& list) {
    std::string text;
    for (const point& each : list) {
        text += fixed(each.x, 1);
        text += ',';
        text += fixed(each.y, 1);
        text += ' ';
    }
    attribute("points", text);
}

}  // namespace bench

#include "report_plot.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "report_html.h"

namespace vitrine::detail {
namespace {

// In the units of the picture, which scales.
constexpr double kWidth = 520;
constexpr double kHeight = 270;
constexpr double kLeft = 52;
constexpr double kRight = 430;
constexpr double kTop = 14;
constexpr double kBottom = 228;
constexpr double kLineHeight = 13;
constexpr double kNameHeight = 30;        // of a line's name and last value, with room below
constexpr std::size_t kMostPoints = 600;  // of a line: as many as can be told apart
// Axes whose numbers stay below the first or reach the second have them as "5e-4".
constexpr double kSmallNumbers = 1e-2;
constexpr double kLargeNumbers = 1e5;
constexpr std::size_t kMostHoverPoints = 200;

/// "5.0e-04" as "5e-4".
std::string plain_exponent(const std::string& text) {
  const auto e = text.find('e');
  auto mantissa = text.substr(0, e);
  if (mantissa.find('.') != std::string::npos) {
    mantissa.erase(mantissa.find_last_not_of('0') + 1);
    mantissa.erase(mantissa.find_last_not_of('.') + 1);
  }
  const auto first = text.find_first_not_of('0', e + 2);
  if (first == std::string::npos) {
    return mantissa;
  }
  return mantissa + "e" + (text[e + 1] == '-' ? "-" : "") + text.substr(first);
}

/// How the numbers of an axis are written.
struct NumberFormat {
  AxisNumbers numbers = AxisNumbers::Plain;
  bool scientific = false;
};

/// `value` as short as a distance of `step` to the next one lets it be.
std::string number_text(double value, double step, const NumberFormat& format = {}) {
  if (format.scientific && value != 0) {
    const auto power = [](double x) { return static_cast<int>(std::floor(std::log10(x) + 1e-9)); };
    char text[40];
    const auto end = std::to_chars(
        text,
        text + sizeof(text),
        value,
        std::chars_format::scientific,
        std::max(power(std::abs(value)) - power(step), 0));
    return plain_exponent({text, end.ptr});
  }
  const bool percent = format.numbers == AxisNumbers::Percent;
  const auto factor = percent ? 100.0 : 1.0;
  const auto digits = std::max(static_cast<int>(std::ceil(-std::log10(step * factor) - 1e-9)), 0);
  return fixed(value * factor, format.scientific ? 0 : digits) + (percent ? " %" : "");
}

/// Where values stand in the picture.
class Scale {
 public:
  Scale(double low, double high, double begin, double end)
      : low_(low), factor_((end - begin) / (high - low)), begin_(begin) {}
  double operator()(double value) const { return begin_ + (value - low_) * factor_; }

 private:
  double low_;
  double factor_;
  double begin_;
};

std::string coordinate(double value) {
  return fixed(value, 1);
}

std::string text_at(
    double x, double y, const std::string& attributes, const std::string& escaped_text) {
  return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + attributes + ">" +
         escaped_text + "</text>";
}

std::string line_at(double x1, double y1, double x2, double y2, const char* kind) {
  return "<line x1=\"" + coordinate(x1) + "\" y1=\"" + coordinate(y1) + "\" x2=\"" +
         coordinate(x2) + "\" y2=\"" + coordinate(y2) + "\" class=\"" + kind + "\"/>";
}

// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): a Scale cannot be made without values.
struct Axes {
  Scale x;
  Scale y;
  double y_step = 0;
  NumberFormat format;
};

/// The points that are drawn: all, or so many of them, evenly, and the last one.
std::vector<std::size_t> drawn_points(std::size_t count) {
  const auto stride = (count + kMostPoints - 1) / kMostPoints;
  std::vector<std::size_t> points;
  for (std::size_t i = 0; i < count; i += std::max<std::size_t>(stride, 1)) {
    points.push_back(i);
  }
  if (!points.empty() && points.back() != count - 1) {
    points.push_back(count - 1);
  }
  return points;
}

std::string curve(const Plot& plot, std::size_t index, const Axes& axes) {
  const auto& values = plot.lines[index].values;
  const auto kind = "line" + std::to_string(index);
  std::string path;
  std::string hover;
  bool pen_down = false;
  for (const auto i : drawn_points(plot.x.size())) {
    if (!std::isfinite(values[i])) {
      pen_down = false;
      continue;
    }
    const auto x = coordinate(axes.x(plot.x[i]));
    const auto y = coordinate(axes.y(values[i]));
    path += (pen_down ? "L" : "M") + x + " " + y;
    pen_down = true;
    if (plot.x.size() <= kMostHoverPoints) {
      hover += "<g class=\"point " + kind + "\"><circle cx=\"" + x + "\" cy=\"" + y +
               "\" r=\"7\" class=\"near\"/><circle cx=\"" + x + "\" cy=\"" + y +
               "\" r=\"3\"/><title>" + escaped(plot.x_name) + " " + number_text(plot.x[i], 1) +
               ", " + escaped(plot.lines[index].name) + ": " +
               number_text(values[i], axes.y_step / 100, axes.format) + "</title></g>";
    }
  }
  return "<path d=\"" + path + "\" class=\"curve " + kind + "\"/>" + hover;
}

/// Names and last values of the lines, to the right of their ends.
std::string line_names(const Plot& plot, const Axes& axes) {
  struct Name {
    std::size_t line;
    double y;
    double value;
  };
  std::vector<Name> names;
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const auto& values = plot.lines[i].values;
    const auto last = std::find_if(
        values.rbegin(), values.rend(), [](double value) { return std::isfinite(value); });
    if (last != values.rend()) {
      names.push_back({i, axes.y(*last), *last});
    }
  }
  std::sort(names.begin(), names.end(), [](const Name& a, const Name& b) { return a.y < b.y; });
  for (std::size_t i = 1; i < names.size(); ++i) {
    const auto missing = kNameHeight - (names[i].y - names[i - 1].y);
    if (missing > 0) {
      names[i - 1].y -= missing / 2;
      names[i].y += missing / 2;
    }
  }
  // Within the picture, and still apart.
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i].y = std::max(names[i].y, i == 0 ? kTop + 4 : names[i - 1].y + kNameHeight);
  }
  for (auto i = names.size(); i-- > 0;) {
    const bool last = i + 1 == names.size();
    names[i].y = std::min(names[i].y, last ? kBottom - kLineHeight : names[i + 1].y - kNameHeight);
  }
  std::string result;
  for (const auto& name : names) {
    const auto kind = "class=\"name line" + std::to_string(name.line) + "\"";
    result += text_at(kRight + 9, name.y, kind, escaped(plot.lines[name.line].name)) +
              text_at(
                  kRight + 9,
                  name.y + kLineHeight,
                  "class=\"last\"",
                  number_text(name.value, axes.y_step / 100, axes.format));
  }
  return result;
}

std::string grid(
    const Plot& plot,
    const std::vector<double>& x,
    const std::vector<double>& y,
    const Axes& axes) {
  std::string result;
  for (const auto tick : y) {
    result += line_at(kLeft, axes.y(tick), kRight, axes.y(tick), tick == y[0] ? "axis" : "grid");
    result += text_at(
        kLeft - 8,
        axes.y(tick) + 4,
        "class=\"tick end\"",
        number_text(tick, axes.y_step, axes.format));
  }
  for (const auto tick : x) {
    // Epochs are whole numbers.
    if (tick < plot.x.front() || tick > plot.x.back() || std::abs(tick - std::round(tick)) > 1e-9) {
      continue;
    }
    result += line_at(axes.x(tick), kBottom, axes.x(tick), kBottom + 4, "axis");
    result += text_at(axes.x(tick), kBottom + 18, "class=\"tick middle\"", number_text(tick, 1));
  }
  return result +
         text_at((kLeft + kRight) / 2, kHeight - 6, "class=\"tick middle\"", escaped(plot.x_name));
}

}  // namespace

std::vector<double> axis_ticks(double low, double high) {
  if (!(high > low)) {
    const auto room = std::max(std::abs(low) / 10, 1e-12);
    low -= room;
    high += room;
  }
  const auto power = std::pow(10, std::floor(std::log10((high - low) / 4)));
  auto step = power;
  for (const double factor : {2.0, 5.0, 10.0}) {
    if ((high - low) / step > 6) {
      step = power * factor;
    }
  }
  std::vector<double> ticks;
  const auto first = std::floor(low / step + 1e-9);
  const auto last = std::ceil(high / step - 1e-9);
  for (auto i = std::lround(first); i <= std::lround(last); ++i) {
    ticks.push_back(static_cast<double>(i) * step);
  }
  return ticks;
}

std::string svg_plot(const Plot& plot) {
  double low = HUGE_VAL;
  double high = -HUGE_VAL;
  for (const auto& line : plot.lines) {
    for (const auto value : line.values) {
      if (std::isfinite(value)) {
        low = std::min(low, value);
        high = std::max(high, value);
      }
    }
  }
  std::string svg = "<svg viewBox=\"0 0 " + fixed(kWidth, 0) + " " + fixed(kHeight, 0) +
                    "\" role=\"img\" aria-label=\"" + escaped(plot.title) + "\">";
  if (plot.x.empty() || low > high) {
    return svg + text_at(kWidth / 2, kHeight / 2, "class=\"tick middle\"", "no finite value") +
           "</svg>";
  }
  // A curve that comes near 0 is shown with the 0.
  low = low > 0 && low < high / 3 ? 0 : low;
  const auto y = axis_ticks(low, high);
  const auto x = axis_ticks(plot.x.front(), plot.x.back());
  const auto largest = std::max(std::abs(low), std::abs(high));
  const auto same = plot.x.front() == plot.x.back() ? 0.5 : 0.0;  // a single epoch, in the middle
  const Axes axes{
      Scale(plot.x.front() - same, plot.x.back() + same, kLeft, kRight),
      Scale(y.front(), y.back(), kBottom, kTop),
      y[1] - y[0],
      {plot.numbers,
       plot.numbers == AxisNumbers::Plain &&
           (largest < kSmallNumbers || largest >= kLargeNumbers)}};
  svg += grid(plot, x, y, axes);
  if (plot.marked_x >= 0) {
    svg += line_at(axes.x(plot.marked_x), kTop, axes.x(plot.marked_x), kBottom, "mark");
  }
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    svg += curve(plot, i, axes);
  }
  return svg + line_names(plot, axes) + "</svg>";
}

}  // namespace vitrine::detail

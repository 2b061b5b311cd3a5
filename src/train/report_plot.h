#pragma once

#include <string>
#include <vector>

namespace vitrine::detail {

/// How the numbers of an axis are written.
enum class AxisNumbers { Plain, Percent };

/// A line of a plot.
struct PlotLine {
  std::string name;
  std::vector<double> values;  // one for each x; where one is not finite, the line has a gap
};

/// A plot of at most two lines over the same x.
struct Plot {
  std::string title;
  std::string x_name;
  std::vector<double> x;  // rising
  std::vector<PlotLine> lines;
  AxisNumbers numbers = AxisNumbers::Plain;
  double marked_x = -1;  // where a dotted line stands; none below 0
};

/// The plot as an SVG element that scales with its container, with axes, units, names at the ends
/// of the lines, and the value of every point where the pointer rests on it. Colours and fonts are
/// those of the page's style.
std::string svg_plot(const Plot& plot);

/// Round numbers that divide the range [low, high] into 3 to 8 parts, the outermost ones at or
/// beyond its ends.
std::vector<double> axis_ticks(double low, double high);

}  // namespace vitrine::detail

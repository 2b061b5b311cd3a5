#include "report_evaluation.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <utility>

#include "vitrine/error.h"
#include "vitrine/image/image.h"

#include "report_html.h"
#include "train/confusion_cells.h"

namespace vitrine::detail {
namespace {

constexpr std::size_t kMostMatrixClasses = 50;
constexpr std::size_t kMostNumberedClasses = 20;  // whose counts are written into the cells
constexpr std::size_t kMostPairs = 30;
constexpr std::size_t kLabelCharacters = 18;

using Labels = std::vector<std::string>;

/// Classes that have an image or are answered.
std::vector<int64_t> occurring(const std::vector<ConfusionCell>& cells) {
  std::set<int64_t> classes;
  for (const auto& cell : cells) {
    classes.insert({cell.target, cell.predicted});
  }
  return {classes.begin(), classes.end()};
}

/// Measures of the picture of a matrix.
struct MatrixLayout {
  std::size_t count;
  double cell;
  double left;  // width of the names of rows
  double top;   // height of the names of columns
  double at(double begin, std::size_t i) const { return begin + static_cast<double>(i) * cell; }
};

MatrixLayout matrix_layout(const std::vector<int64_t>& classes, const Labels& labels) {
  std::size_t longest = 0;
  for (const auto index : classes) {
    longest = std::max(longest, shortened(label_of(labels, index), kLabelCharacters).size());
  }
  const auto width = static_cast<double>(std::min(longest, kLabelCharacters)) * 6.6 + 12;
  const auto count = classes.size();
  const double cell = count <= 5 ? 60 : count <= 12 ? 42 : count <= kMostNumberedClasses ? 30 : 14;
  return {count, cell, width + 18, std::max(width * 0.8, 22.0) + 18};
}

std::string matrix_labels(
    const std::vector<int64_t>& classes, const Labels& labels, const MatrixLayout& layout) {
  std::string svg;
  const auto size = layout.cell < 20 ? " small" : "";
  for (std::size_t i = 0; i < layout.count; ++i) {
    const auto name = label_of(labels, classes[i]);
    const auto text =
        escaped(shortened(name, kLabelCharacters)) + "<title>" + escaped(name) + "</title></text>";
    const auto middle = layout.cell / 2;
    svg += "<text class=\"label end" + std::string(size) + "\" x=\"" + fixed(layout.left - 7, 1) +
           "\" y=\"" + fixed(layout.at(layout.top, i) + middle + 4, 1) + "\">" + text;
    const auto x = fixed(layout.at(layout.left, i) + middle, 1);
    const auto y = fixed(layout.top - 7, 1);
    const bool short_name = layout.left < 50 && layout.cell > 20;
    svg += "<text class=\"label" + std::string(short_name ? " middle" : "") + size + "\" x=\"" + x +
           "\" y=\"" + y + "\"" +
           (short_name ? "" : " transform=\"rotate(-50 " + x + " " + y + ")\"") + ">" + text;
  }
  return svg + "<text class=\"tick\" transform=\"rotate(-90 11 " + fixed(layout.top, 1) +
         ")\" x=\"11\" y=\"" + fixed(layout.top, 1) +
         "\" text-anchor=\"end\">true class</text><text class=\"tick\" x=\"" +
         fixed(layout.left, 1) + "\" y=\"11\">answer</text>";
}

std::string matrix_cell(
    int64_t count,
    double share,
    bool right,
    const std::pair<std::string, std::string>& at,
    const MatrixLayout& layout,
    const std::string& title) {
  auto svg = "<g><rect x=\"" + at.first + "\" y=\"" + at.second + "\" width=\"" +
             fixed(layout.cell - 1, 1) + "\" height=\"" + fixed(layout.cell - 1, 1) +
             "\" rx=\"2\" class=\"" + (right ? "right" : "wrong") + "\" fill-opacity=\"" +
             fixed(0.14 + 0.86 * share, 2) + "\"/>";
  if (layout.count <= kMostNumberedClasses) {
    const auto middle = fixed((layout.cell - 1) / 2, 1);
    svg += "<text class=\"middle " + std::string(share > 0.5 ? "on" : "off") + "\" x=\"" +
           at.first + "\" y=\"" + at.second + "\" dx=\"" + middle + "\" dy=\"" +
           fixed((layout.cell - 1) / 2 + 4, 1) + "\">" + std::to_string(count) + "</text>";
  }
  return svg + "<title>" + title + "</title></g>";
}

std::string matrix_svg(
    const Evaluation& evaluation,
    const std::vector<ConfusionCell>& cells,
    const std::vector<int64_t>& classes,
    const Labels& labels) {
  const auto layout = matrix_layout(classes, labels);
  const auto scores = evaluation.confusion.scores();
  const auto width = layout.at(layout.left, layout.count) + layout.top * 0.6;
  const auto height = layout.at(layout.top, layout.count) + 4;
  const auto kind = layout.count <= kMostNumberedClasses ? "matrix" : "matrix large";
  auto svg = "<svg class=\"" + std::string(kind) + "\" viewBox=\"0 0 " + fixed(width, 0) + " " +
             fixed(height, 0) + "\" style=\"max-width:" + fixed(width * 1.1, 0) +
             "px\" role=\"img\" aria-label=\"confusion matrix\">" + "<rect class=\"ground\" x=\"" +
             fixed(layout.left - 1, 1) + "\" y=\"" + fixed(layout.top - 1, 1) + "\" width=\"" +
             fixed(layout.at(1, layout.count), 1) + "\" height=\"" +
             fixed(layout.at(1, layout.count), 1) + "\" rx=\"3\"/>";
  const auto place = [&](int64_t index) {
    return static_cast<std::size_t>(
        std::lower_bound(classes.begin(), classes.end(), index) - classes.begin());
  };
  for (const auto& cell : cells) {
    const auto images = scores[static_cast<std::size_t>(cell.target)].images;
    const auto title = std::to_string(cell.images) + " of " + std::to_string(images) +
                       " images of " + escaped(label_of(labels, cell.target)) + " taken for " +
                       escaped(label_of(labels, cell.predicted));
    svg += matrix_cell(
        cell.images,
        static_cast<double>(cell.images) / static_cast<double>(images),
        cell.target == cell.predicted,
        {fixed(layout.at(layout.left, place(cell.predicted)), 1),
         fixed(layout.at(layout.top, place(cell.target)), 1)},
        layout,
        title);
  }
  return svg + matrix_labels(classes, labels, layout) + "</svg>";
}

std::vector<ConfusionCell> confused_pairs(std::vector<ConfusionCell> cells) {
  const auto right = [](const ConfusionCell& cell) { return cell.target == cell.predicted; };
  cells.erase(std::remove_if(cells.begin(), cells.end(), right), cells.end());
  std::stable_sort(cells.begin(), cells.end(), [](const ConfusionCell& a, const ConfusionCell& b) {
    return a.images > b.images;
  });
  cells.resize(std::min(cells.size(), kMostPairs));
  return cells;
}

std::string name_cell(const Labels& labels, int64_t index) {
  return "<td class=\"name\"><bdi>" + escaped(label_of(labels, index)) + "</bdi></td>";
}

/// A share with a bar as long as it.
std::string share_cell(double share) {
  return "<td class=\"share\"><i style=\"width:" + fixed(100 * share, 1) + "%\"></i><b>" +
         percent(share) + "</b></td>";
}

std::string pairs_table(
    const Evaluation& evaluation,
    const std::vector<ConfusionCell>& cells,
    std::size_t classes,
    const Labels& labels) {
  const auto scores = evaluation.confusion.scores();
  std::string html =
      "<p class=\"remark\">" + std::to_string(classes) +
      " classes are too many for a matrix; these are confused most often.</p>"
      "<div class=\"scroll\"><table><thead><tr><th>true class</th><th>taken for</th>"
      "<th class=\"number\">images</th><th>share of the class</th></tr></thead><tbody>";
  for (const auto& pair : confused_pairs(cells)) {
    const auto images = scores[static_cast<std::size_t>(pair.target)].images;
    html += "<tr>" + name_cell(labels, pair.target) + name_cell(labels, pair.predicted) +
            "<td class=\"number\">" + std::to_string(pair.images) + "</td>" +
            share_cell(static_cast<double>(pair.images) / static_cast<double>(images)) + "</tr>";
  }
  return html + "</tbody></table></div>";
}

/// The picture of an image, or a word where it can no longer be read.
std::string picture_of(const ImageSample& sample) {
  try {
    return "<img alt=\"\" src=\"" + data_uri(read_image(sample)) + "\">";
  } catch (const Error&) {
    return "<span class=\"missing\">cannot be read</span>";
  }
}

}  // namespace

std::string confusion_html(const Evaluation& evaluation, const Labels& labels) {
  const auto cells = cells_of(evaluation.confusion.counts());
  const auto classes = occurring(cells);
  return classes.size() <= kMostMatrixClasses
             ? matrix_svg(evaluation, cells, classes, labels)
             : pairs_table(evaluation, cells, classes.size(), labels);
}

std::string classes_html(const Evaluation& evaluation, const Labels& labels) {
  const auto scores = evaluation.confusion.scores();
  auto classes = occurring(cells_of(evaluation.confusion.counts()));
  const auto score = [&](int64_t index) { return scores[static_cast<std::size_t>(index)]; };
  std::stable_sort(classes.begin(), classes.end(), [&](int64_t a, int64_t b) {
    return score(a).f1 < score(b).f1;
  });
  std::string html =
      "<div class=\"scroll\"><table><thead><tr><th>class</th><th>F1</th><th class=\"number\">"
      "precision</th><th class=\"number\">recall</th><th class=\"number\">images</th></tr></thead>"
      "<tbody>";
  for (const auto index : classes) {
    const auto s = score(index);
    html += "<tr>" + name_cell(labels, index) + share_cell(s.f1) + "<td class=\"number\">" +
            percent(s.precision) + "</td><td class=\"number\">" + percent(s.recall) +
            "</td><td class=\"number\">" + std::to_string(s.images) + "</td></tr>";
  }
  return html + "</tbody></table></div>";
}

std::string mistakes_html(const Report& report) {
  std::string html = "<div class=\"pictures wide\">";
  for (const auto& mistake : report.evaluation->mistakes) {
    const auto& sample = report.samples.at(mistake.index);
    const auto path = sample_name(sample);
    const auto name = std::filesystem::path(path).filename().string();
    html += "<figure title=\"" + escaped(path, 4096) + "\">" + picture_of(sample) +
            "<figcaption><bdi class=\"good\">" + escaped(label_of(report.labels, mistake.target)) +
            "</bdi> taken for <bdi class=\"bad\">" +
            escaped(label_of(report.labels, mistake.predicted)) + "</bdi><small>" +
            percent(mistake.probability) + " sure<br><bdi>" + escaped(name) +
            "</bdi></small></figcaption></figure>";
  }
  return html + "</div>";
}

}  // namespace vitrine::detail

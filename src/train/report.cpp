#include "vitrine/train/report.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "vitrine/file.h"
#include "vitrine/version.h"

#include "report_evaluation.h"
#include "report_html.h"
#include "report_plot.h"
#include "report_style.h"

namespace vitrine {
namespace {

using detail::escaped;
using detail::fixed;
using detail::percent;

/// The epoch whose model is kept.
const EpochRecord& best_epoch(const Report& report) {
  const auto& epochs = report.epochs;
  const auto named = std::find_if(epochs.begin(), epochs.end(), [&](const EpochRecord& epoch) {
    return epoch.epoch == report.best_epoch;
  });
  return named != epochs.end()
             ? *named
             : *std::max_element(
                   epochs.begin(), epochs.end(), [](const EpochRecord& a, const EpochRecord& b) {
                     return a.val_top1 < b.val_top1;
                   });
}

std::string tile(const std::string& value, const std::string& name, const char* kind = "") {
  return "<div class=\"card " + std::string(kind) + "\"><b>" + value + "</b><span>" + name +
         "</span></div>";
}

std::string tiles(const Report& report) {
  std::string html;
  if (report.evaluation) {
    const auto& e = *report.evaluation;
    html += tile(percent(e.top1), "top-1", "main") + tile(percent(e.top5), "top-5") +
            tile(fixed(e.loss, 4), "loss") + tile(std::to_string(e.images), "images judged");
  } else if (!report.epochs.empty()) {
    const auto& best = best_epoch(report);
    html += tile(percent(best.val_top1), "top-1", "main") + tile(percent(best.val_top5), "top-5") +
            tile(fixed(best.val_loss, 4), "loss");
  }
  if (!report.epochs.empty()) {
    double seconds = 0;
    for (const auto& epoch : report.epochs) {
      seconds += epoch.seconds;
    }
    html += tile(
                std::to_string(best_epoch(report).epoch) + " of " +
                    std::to_string(report.epochs.back().epoch),
                "best epoch") +
            tile(detail::duration(seconds), "of training");
  }
  return html.empty() ? "" : "<div class=\"tiles\">" + html + "</div>";
}

std::string section(const std::string& title, const std::string& content) {
  return "<section><h2>" + escaped(title) + "</h2>" + content + "</section>";
}

std::string card(const std::string& content) {
  return "<div class=\"card\">" + content + "</div>";
}

std::string curves(const Report& report) {
  const auto& epochs = report.epochs;
  const auto values = [&](double EpochRecord::*field) {
    std::vector<double> result;
    for (const auto& epoch : epochs) {
      result.push_back(epoch.*field);
    }
    return result;
  };
  std::vector<double> x;
  for (const auto& epoch : epochs) {
    x.push_back(static_cast<double>(epoch.epoch));
  }
  const auto best = static_cast<double>(best_epoch(report).epoch);
  const auto numbers = detail::AxisNumbers::Percent;
  const std::vector<detail::Plot> plots = {
      {"Loss",
       "epoch",
       x,
       {{"validation", values(&EpochRecord::val_loss)},
        {"training", values(&EpochRecord::train_loss)}},
       detail::AxisNumbers::Plain,
       best},
      {"Accuracy in validation",
       "epoch",
       x,
       {{"top-1", values(&EpochRecord::val_top1)}, {"top-5", values(&EpochRecord::val_top5)}},
       numbers,
       best},
      {"Learning rate", "epoch", x, {{"rate", values(&EpochRecord::lr)}}},
      {"Images per second, training",
       "epoch",
       x,
       {{"images/s", values(&EpochRecord::images_per_second)}}}};
  std::string html = "<div class=\"columns\">";
  for (const auto& plot : plots) {
    html += card("<h3>" + escaped(plot.title) + "</h3>" + detail::svg_plot(plot));
  }
  return html +
         "</div><p class=\"remark\" style=\"margin-top:10px\">The dotted line marks the best "
         "epoch, whose model is kept.</p>";
}

std::string pictures(const std::vector<ReportPicture>& pictures) {
  std::string html = "<div class=\"pictures\">";
  for (const auto& picture : pictures) {
    html += "<figure><img alt=\"\" src=\"" + detail::data_uri(picture.image) +
            "\"><figcaption><bdi>" + escaped(picture.caption) + "</bdi></figcaption></figure>";
  }
  return html + "</div>";
}

std::string facts(const ReportFacts& facts) {
  std::string html = "<dl>";
  for (const auto& [name, value] : facts.rows) {
    html +=
        "<div><dt>" + escaped(name) + "</dt><dd><bdi>" + escaped(value, 2000) + "</bdi></dd></div>";
  }
  return html + "</dl>";
}

/// What the page holds beside its summary, in order.
std::string sections(const Report& report) {
  std::string html;
  if (!report.epochs.empty()) {
    html += section("Course of the training", curves(report));
  }
  if (report.evaluation) {
    html += section(
        "Answers by class",
        "<div class=\"columns\">" +
            card("<h3>Confusion</h3>" + detail::confusion_html(*report.evaluation, report.labels)) +
            card("<h3>Scores</h3>" + detail::classes_html(*report.evaluation, report.labels)) +
            "</div>");
    if (!report.evaluation->mistakes.empty()) {
      html += section("Worst mistakes", card(detail::mistakes_html(report)));
    }
  }
  if (!report.training_pictures.empty()) {
    html += section(
        "Training images, as the model sees them", card(pictures(report.training_pictures)));
  }
  for (const auto& part : report.facts) {
    html += section(part.title, card(facts(part)));
  }
  return html;
}

}  // namespace

std::string report_html(const Report& report) {
  const auto title = escaped(report.title);
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
         // Whatever a name might smuggle in could load and run nothing.
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src "
         "data:; "
         "style-src 'unsafe-inline'\">"
         "<title>" +
         title + "</title><style>" + detail::kReportStyle +
         "</style></head>\n<body><main><header><h1><bdi>" + title + "</bdi></h1>" +
         (report.subtitle.empty()
              ? ""
              : "<p class=\"subtitle\"><bdi>" + escaped(report.subtitle, 1000) + "</bdi></p>") +
         tiles(report) + "</header>\n" + sections(report) + "\n<footer>Made by vitrine " +
         escaped(version()) + "</footer></main></body></html>\n";
}

void write_report(const std::string& path, const Report& report) {
  const auto html = report_html(report);
  write_file_atomically(path, [&](File& file) { file.write(html); });
}

}  // namespace vitrine

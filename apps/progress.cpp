#include "progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include "percent.h"

namespace vitrine {
namespace {

constexpr int kLongestBar = 30;
constexpr int kShortestBar = 5;

int terminal_columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  if (whole < 60) {
    return formatted("%lld s", whole);
  }
  if (whole < 3600) {
    return formatted("%lld:%02lld", whole / 60, whole % 60);
  }
  return formatted("%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
}

ProgressOptions standard_error_progress(bool quiet, std::chrono::milliseconds line_interval) {
  ProgressOptions options;
  const char* kind = std::getenv("TERM");
  const bool dumb = kind == nullptr || std::string(kind) == "dumb";
  options.bar = !quiet && !dumb && ::isatty(STDERR_FILENO) == 1;
  options.columns = terminal_columns;
  options.line_interval = quiet ? std::chrono::milliseconds(0) : line_interval;
  return options;
}

Progress::Progress(
    std::ostream& stream,
    ProgressOptions options,
    std::string label,
    std::int64_t total,
    std::string unit,
    std::int64_t before)
    : stream_(stream),
      options_(std::move(options)),
      label_(std::move(label)),
      total_(total),
      unit_(std::move(unit)),
      before_(before),
      start_(options_.now()),
      last_(start_) {}

Progress::~Progress() {
  hide();
}

void Progress::update(std::int64_t done, const std::string& note) {
  done_ = done;
  note_ = note;
  const auto now = options_.now();
  if (options_.bar) {
    if (!shown_ || now - last_ >= options_.redraw) {
      last_ = now;
      draw(now - start_);
    }
  } else if (options_.line_interval.count() > 0 && now - last_ >= options_.line_interval) {
    last_ = now;
    stream_ << status(now - start_, note_) << std::endl;
  }
}

void Progress::hide() {
  if (shown_) {
    stream_ << "\r\x1b[K" << std::flush;
    shown_ = false;
  }
}

void Progress::line(const std::string& text) {
  hide();
  stream_ << text << std::endl;
}

std::string Progress::status(std::chrono::duration<double> elapsed, const std::string& note) const {
  auto text = (label_.empty() ? "" : label_ + ": ") + std::to_string(done_);
  if (total_ > 0) {
    text += "/" + std::to_string(total_);
  }
  text += " " + unit_;
  const double seconds = elapsed.count();
  if (done_ > before_ && seconds > 0) {
    const double rate = static_cast<double>(done_ - before_) / seconds;
    text += rate < 10 ? formatted(", %.2f/s", rate) : formatted(", %.0f/s", rate);
    if (total_ > done_) {
      text += ", " + duration_text(static_cast<double>(total_ - done_) / rate) + " left";
    }
  }
  return note.empty() ? text : text + ", " + note;
}

void Progress::draw(std::chrono::duration<double> elapsed) {
  // The last column stays free: writing there makes some terminals wrap.
  const int columns = std::max(options_.columns() - 1, 1);
  auto note = note_;
  auto text = status(elapsed, note);
  const auto room_beside = [&] { return columns - static_cast<int>(text.size()) - 3; };
  while (total_ > 0 && room_beside() < kShortestBar && !note.empty()) {
    const auto last = note.rfind(", ");
    note.erase(last == std::string::npos ? 0 : last);
    text = status(elapsed, note);
  }
  const int room = std::min(room_beside(), kLongestBar);
  if (total_ > 0 && room >= kShortestBar) {
    const double share = static_cast<double>(done_) / static_cast<double>(total_);
    const auto filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * room);
    text = "[" + std::string(filled, '#') + std::string(room - filled, '.') + "] " + text;
  }
  stream_ << '\r' << text.substr(0, columns) << "\x1b[K" << std::flush;
  shown_ = true;
}

}  // namespace vitrine

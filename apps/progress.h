#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

namespace vitrine {

/// Where and how a `Progress` shows itself.
struct ProgressOptions {
  /// Draw a bar in place; else write whole lines.
  bool bar = false;
  /// Columns of the terminal; asked for before each drawing.
  std::function<int()> columns = [] { return 80; };
  /// The least time between two drawings of the bar.
  std::chrono::milliseconds redraw{100};
  /// The least time between two lines where there is no bar; zero writes none.
  std::chrono::milliseconds line_interval{0};
  /// The time now; tests set another.
  std::function<std::chrono::steady_clock::time_point()> now = [] {
    return std::chrono::steady_clock::now();
  };
};

/// How far a long piece of work has come, with its rate and the time left, on standard error: a bar
/// on a terminal, now and then a line elsewhere. One thread uses it at a time.
class Progress {
 public:
  /// `total` things to do (0: unknown), each called `unit`, such as "images", of which `before` are
  /// done already and do not count for the rate; `label` stands before.
  Progress(
      std::ostream& stream,
      ProgressOptions options,
      std::string label,
      std::int64_t total,
      std::string unit,
      std::int64_t before = 0);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Erases the bar.
  ~Progress();

  /// Says that `done` things are done, of which `note` says more, such as "loss 0.31, lr 0.1". Of
  /// its parts only as many, from the first, are shown as leave room for a bar.
  void update(std::int64_t done, const std::string& note = "");
  /// Erases the bar, so that something else can be written; the next `update` draws it again.
  void hide();
  /// Writes one whole line above the bar.
  void line(const std::string& text);

 private:
  std::string status(std::chrono::duration<double> elapsed, const std::string& note) const;
  void draw(std::chrono::duration<double> elapsed);

  std::ostream& stream_;
  ProgressOptions options_;
  std::string label_;
  std::int64_t total_;
  std::string unit_;
  std::string note_;
  std::int64_t before_;
  std::int64_t done_ = 0;
  bool shown_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

/// Progress as standard error wants it now: a bar on a terminal, else a line every `line_interval`
/// (zero: none), and nothing at all when `quiet`.
ProgressOptions standard_error_progress(
    bool quiet, std::chrono::milliseconds line_interval = std::chrono::milliseconds(0));

/// Seconds as "12 s", "3:05" or "1:02:03".
std::string duration_text(double seconds);

}  // namespace vitrine

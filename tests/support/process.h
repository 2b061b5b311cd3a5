#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <optional>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace vitrine {

/// What a `Process` is started with.
struct ProcessOptions {
  std::string input;                               // standard input
  std::map<std::string, std::string> environment;  // variables set beside the inherited ones
  std::string directory;                           // working folder; empty: the caller's
  std::chrono::seconds timeout{300};               // after which it is killed
  /// Bytes a file may grow to; beyond, writing fails as on a full disk, or SIGXFSZ ends it.
  std::optional<rlim_t> largest_file;
};

/// How a process ended, and what it wrote.
struct ProcessResult {
  int status = -1;  // exit status; -1 where a signal ended it
  int signal = 0;   // the signal that ended it, or 0
  bool timed_out = false;
  std::string out;
  std::string err;
  long peak_memory_kib = 0;
};

/// A program that runs beside the test. Its output goes through files without a name, so that no
/// pipe fills up; it is killed and reaped on destruction.
class Process {
 public:
  explicit Process(std::vector<std::string> command, ProcessOptions options = {})
      : options_(std::move(options)),
        input_(file_with(options_.input)),
        out_(file_with("")),
        err_(file_with("")) {
    std::vector<char*> words;
    for (auto& word : command) {
      words.push_back(word.data());
    }
    words.push_back(nullptr);
    deadline_ = std::chrono::steady_clock::now() + options_.timeout;
    pid_ = ::fork();
    if (pid_ < 0) {
      throw std::runtime_error("cannot fork");
    }
    if (pid_ == 0) {
      run_child(words.data());
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (!ended_) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    for (auto* file : {input_, out_, err_}) {
      std::fclose(file);
    }
  }

  pid_t id() const { return pid_; }
  /// Sends a signal; does nothing to a process that has ended.
  void send(int signal) {
    if (running()) {
      ::kill(pid_, signal);
    }
  }
  bool running() { return !reap(WNOHANG); }
  /// What it has written so far.
  std::string out() const { return content(out_); }
  std::string err() const { return content(err_); }

  /// Waits for the end; kills it when the time is up.
  ProcessResult wait() {
    while (running()) {
      if (!result_.timed_out && std::chrono::steady_clock::now() > deadline_) {
        result_.timed_out = true;
        ::kill(pid_, SIGKILL);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    result_.out = out();
    result_.err = err();
    return result_;
  }

 private:
  /// A file without a name that holds `text` and is read from its start.
  static std::FILE* file_with(const std::string& text) {
    auto* file = std::tmpfile();
    if (file == nullptr) {
      throw std::runtime_error("cannot make a temporary file");
    }
    ::fcntl(::fileno(file), F_SETFD, FD_CLOEXEC);
    std::fwrite(text.data(), 1, text.size(), file);
    std::rewind(file);  // flushes too
    return file;
  }

  static std::string content(std::FILE* file) {
    std::string text;
    char part[1 << 16];
    ssize_t n = 0;
    while ((n = ::pread(::fileno(file), part, sizeof(part), static_cast<off_t>(text.size()))) > 0) {
      text.append(part, static_cast<std::size_t>(n));
    }
    return text;
  }

  [[noreturn]] void run_child(char** words) {
    ::dup2(::fileno(input_), STDIN_FILENO);
    ::dup2(::fileno(out_), STDOUT_FILENO);
    ::dup2(::fileno(err_), STDERR_FILENO);
    for (const auto& [name, value] : options_.environment) {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
    if (options_.largest_file) {
      const rlimit limit{*options_.largest_file, *options_.largest_file};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (options_.directory.empty() || ::chdir(options_.directory.c_str()) == 0) {
      ::execvp(words[0], words);
    }
    ::_exit(127);
  }

  /// Whether the process has ended.
  bool reap(int flags) {
    int status = 0;
    rusage usage{};
    if (ended_ || ::wait4(pid_, &status, flags, &usage) != pid_) {
      return ended_;
    }
    ended_ = true;
    result_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result_.peak_memory_kib = usage.ru_maxrss;
    return true;
  }

  ProcessOptions options_;
  std::FILE* input_;
  std::FILE* out_;
  std::FILE* err_;
  std::chrono::steady_clock::time_point deadline_;
  pid_t pid_ = -1;
  bool ended_ = false;
  ProcessResult result_;
};

/// Runs a program to its end.
inline ProcessResult run_process(std::vector<std::string> command, ProcessOptions options = {}) {
  return Process(std::move(command), std::move(options)).wait();
}

}  // namespace vitrine

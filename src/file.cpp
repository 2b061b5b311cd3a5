#include "vitrine/file.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

[[noreturn]] void fail(const std::string& path, const char* action, int error) {
  throw FileError(
      printable(path) + ": cannot " + action + ": " + std::generic_category().message(error));
}

int open_file(const std::string& path, File::Mode mode) {
  // O_NONBLOCK: opening a named pipe must not wait for its other end.
  const int flags = mode == File::Mode::Read    ? O_RDONLY | O_NONBLOCK
                    : mode == File::Mode::Write ? O_WRONLY | O_CREAT | O_TRUNC
                                                : O_WRONLY | O_CREAT | O_APPEND;
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    fail(path, mode == File::Mode::Read ? "open" : "write", errno);
  }
  struct stat info {};
  const bool known = ::fstat(descriptor, &info) == 0;
  if (known && mode == File::Mode::Read && !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    throw FileError(
        printable(path) + ": is " + (S_ISDIR(info.st_mode) ? "a folder" : "a device or a pipe") +
        ", expected a file");
  }
  return descriptor;
}

void sync_folder(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    fail(folder, "open", errno);
  }
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  // Some file systems have no notion of syncing a folder, and say so with EINVAL.
  if (result != 0 && error != EINVAL) {
    fail(folder, "sync", error);
  }
}

/// Has the system hold back those who would open the file to write, while it is open here; it tells
/// nobody but by a signal that is ignored by default. Fails where someone has it open to write, for
/// another user's file, and on file systems without leases.
bool take_lease(int descriptor) {
#ifdef F_SETLEASE
  return ::fcntl(descriptor, F_SETSIG, SIGURG) == 0 &&
         ::fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0;
#else
  static_cast<void>(descriptor);
  return false;
#endif
}

/// Whether the lease stands: it does not from the moment that someone waits for it, whom the system
/// lets go on only much later (/proc/sys/fs/lease-break-time).
bool holds_lease(int descriptor) {
#ifdef F_GETLEASE
  return ::fcntl(descriptor, F_GETLEASE) == F_RDLCK;
#else
  static_cast<void>(descriptor);
  return false;
#endif
}

/// Brings pages of a file into memory, so that what cannot be read is no signal later. False where
/// it fails, or where the system (Linux before 5.14) cannot say.
bool bring_in(void* pages, std::size_t size) {
#ifdef MADV_POPULATE_READ
  return ::madvise(pages, size, MADV_POPULATE_READ) == 0;
#else
  static_cast<void>(pages);
  static_cast<void>(size);
  return false;
#endif
}

}  // namespace

FileView::FileView(FileView&& other) noexcept
    : pages_(std::exchange(other.pages_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      data_(std::exchange(other.data_, nullptr)) {}

FileView& FileView::operator=(FileView&& other) noexcept {
  std::swap(pages_, other.pages_);
  std::swap(size_, other.size_);
  std::swap(data_, other.data_);
  return *this;
}

FileView::~FileView() {
  if (pages_ != nullptr) {
    ::munmap(pages_, size_);
  }
}

File::File(std::string path, Mode mode)
    : path_(std::move(path)), descriptor_(open_file(path_, mode)) {}

File::~File() {
  ::close(descriptor_);
}

std::uint64_t File::size() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) {
    fail(path_, "read", errno);
  }
  return static_cast<std::uint64_t>(info.st_size);
}

void File::read_at(std::uint64_t offset, void* data, std::size_t count) const {
  auto* bytes = static_cast<char*>(data);
  while (count > 0) {
    const auto n = ::pread(descriptor_, bytes, count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      fail(path_, "read", errno);
    }
    if (n == 0) {
      throw FileError(printable(path_) + ": ended while it was read; was it cut short meanwhile?");
    }
    bytes += n;
    offset += static_cast<std::uint64_t>(n);
    count -= static_cast<std::size_t>(n);
  }
}

FileView File::view(std::uint64_t offset, std::size_t count) const {
  std::call_once(lease_asked_, [&] { leased_ = take_lease(descriptor_); });
  FileView view;
  // A page past the end of the file cannot be touched.
  if (!leased_ || !holds_lease(descriptor_) || offset > size() || count > size() - offset) {
    return view;
  }
  const auto within = offset % static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto size = count + within;
  auto* pages = ::mmap(
      nullptr, size, PROT_READ, MAP_SHARED, descriptor_, static_cast<off_t>(offset - within));
  if (pages == MAP_FAILED) {
    return view;
  }
  view.pages_ = pages;
  view.size_ = size;
  if (!bring_in(pages, size)) {
    return FileView();
  }
  view.data_ = static_cast<const char*>(pages) + within;
  return view;
}

void File::write(const void* data, std::size_t count) {
  const auto* bytes = static_cast<const char*>(data);
  while (count > 0) {
    const auto n = ::write(descriptor_, bytes, count);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      fail(path_, "write", errno);
    }
    bytes += n;
    count -= static_cast<std::size_t>(n);
  }
}

void File::sync() {
  if (::fsync(descriptor_) != 0) {
    fail(path_, "sync", errno);
  }
}

std::vector<std::uint8_t> read_file(const std::string& path, std::size_t limit) {
  const File file(path, File::Mode::Read);
  const auto size = file.size();
  if (size > limit) {
    throw FileError(
        printable(path) + ": has " + std::to_string(size) + " bytes, expected at most " +
        std::to_string(limit));
  }
  std::vector<std::uint8_t> bytes(size);
  file.read_at(0, bytes.data(), bytes.size());
  return bytes;
}

void create_folders(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> missing;  // the innermost first
  for (auto at = fs::path(path); !at.empty() && !fs::exists(at, error); at = at.parent_path()) {
    missing.push_back(at);
  }
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path, error)) {
    throw FileError(
        printable(path) + ": cannot make the folder: " +
        (error ? error : std::make_error_code(std::errc::not_a_directory)).message());
  }
  for (auto made = missing.rbegin(); made != missing.rend(); ++made) {
    sync_folder(made->string());
  }
}

void write_file_atomically(const std::string& path, const std::function<void(File&)>& write) {
  // One writer a process and path: the process number keeps two processes apart.
  const auto aside = path + ".tmp-" + std::to_string(::getpid());
  try {
    File file(aside, File::Mode::Write);
    write(file);
    file.sync();
    if (::rename(aside.c_str(), path.c_str()) != 0) {
      fail(path, "write", errno);
    }
  } catch (const FileError& error) {
    ::unlink(aside.c_str());
    // The sibling is gone, and its name would tell nobody anything.
    const std::string message = error.what();
    const auto shown = printable(aside);
    throw FileError(
        message.rfind(shown, 0) == 0 ? printable(path) + message.substr(shown.size()) : message);
  } catch (...) {
    ::unlink(aside.c_str());
    throw;
  }
  sync_folder(path);
}

}  // namespace vitrine

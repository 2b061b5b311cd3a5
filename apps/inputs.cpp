#include "inputs.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <glob.h>
#include <istream>
#include <string_view>
#include <system_error>

#include "arguments.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

/// Whether a name ends as those of images do, in any case.
bool has_image_extension(const fs::path& path) {
  constexpr std::array<std::string_view, 8> kExtensions{
      ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff"};
  auto extension = path.extension().string();
  for (auto& c : extension) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

/// What one folder adds. Links to folders are not followed below the folder that was named.
void add_folder(const fs::path& folder, bool recursive, std::vector<Input>& inputs) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(entry->path());
  }
  if (error) {
    inputs.push_back({folder.string(), "cannot list the folder: " + error.message()});
    return;
  }
  std::sort(entries.begin(), entries.end());
  for (const auto& entry : entries) {
    // A sub-folder called x.jpg is listed too, so that reading it tells what it is.
    if (has_image_extension(entry)) {
      inputs.push_back({entry.string(), ""});
    } else if (recursive && fs::symlink_status(entry, error).type() == fs::file_type::directory) {
      add_folder(entry, recursive, inputs);
    }
  }
}

void add_path(const std::string& path, bool recursive, std::vector<Input>& inputs) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    inputs.push_back({path, ""});
    return;
  }
  const auto before = inputs.size();
  add_folder(path, recursive, inputs);
  if (inputs.size() == before) {
    inputs.push_back(
        {path,
         std::string("the folder holds no image file") +
             (recursive ? "" : "; --recursive looks into its sub-folders")});
  }
}

void add_pattern(const std::string& pattern, bool recursive, std::vector<Input>& inputs) {
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      add_path(found.gl_pathv[i], recursive, inputs);
    }
  } else {
    inputs.push_back({pattern, "no file matches"});
  }
  ::globfree(&found);
}

void add_list(std::istream& list, bool recursive, std::vector<Input>& inputs) {
  const auto before = inputs.size();
  for (std::string line; std::getline(list, line);) {
    if (!line.empty() && line.back() == '\r') {
      line.pop_back();
    }
    if (!line.empty()) {
      add_path(line, recursive, inputs);
    }
  }
  if (inputs.size() == before) {
    inputs.push_back({"-", "standard input names no file"});
  }
}

}  // namespace

std::vector<Input> expand_inputs(
    const std::vector<std::string>& words, bool recursive, std::istream& list) {
  if (std::count(words.begin(), words.end(), "-") > 1) {
    throw UsageError("'-' stands twice, but standard input can be read once only");
  }
  std::vector<Input> inputs;
  for (const auto& word : words) {
    std::error_code error;
    const bool there = fs::symlink_status(word, error).type() > fs::file_type::not_found;
    if (word == "-") {
      add_list(list, recursive, inputs);
    } else if (!there && word.find_first_of("*?[") != std::string::npos) {
      add_pattern(word, recursive, inputs);
    } else {
      add_path(word, recursive, inputs);
    }
  }
  return inputs;
}

}  // namespace vitrine

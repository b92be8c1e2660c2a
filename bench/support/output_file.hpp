// A file that is written at the end of a run, opened before it: what cannot be written is said
// before the work, not after it.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace bench {

class output_file {
  public:
    // Opens `path` for writing, or throws option_error that names `option`. An empty path makes a
    // file that is not wanted.
    output_file(std::string option, std::string path);
    output_file(const output_file&) = delete;
    output_file& operator=(const output_file&) = delete;
    ~output_file();

    [[nodiscard]] bool wanted() const { return !path_.empty(); }
    [[nodiscard]] const std::string& path() const { return path_; }

    // No effect on a file that is not wanted. Errors show in close().
    void write(std::string_view text);

    // Ends the file; throws std::runtime_error where anything was not written. Idempotent.
    void close();

  private:
    std::string option_;
    std::string path_;
    std::FILE* file_ = nullptr;
    int error_ = 0;  // errno of the first write that failed
};

}  // namespace bench

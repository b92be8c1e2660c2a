// Runs a program to its end and gives back what it wrote into its output files, without files: each
// is a piece of memory that the child opens by its name under /proc.
//
// SIGINT and SIGTERM that come meanwhile are passed on to the child once, as SIGINT, so that it can
// say what it has; the caller sees it in `interrupted` and then starts no other child.
// Thread: for a program with one thread.
#pragma once

#include <string>
#include <vector>

namespace million_tasks {

// Memory that a child can write by opening path().
class memory_file {
  public:
    explicit memory_file(const char* name);  // throws std::system_error
    memory_file(const memory_file&) = delete;
    memory_file& operator=(const memory_file&) = delete;
    ~memory_file();

    [[nodiscard]] std::string path() const;
    [[nodiscard]] std::string contents() const;

  private:
    int fd_;
};

struct child_status {
    int exit_code = 0;  // 128 + signal where a signal ended it
    bool interrupted = false;
};

// `arguments` starts with the program, found in PATH where it has no slash. Throws
// std::system_error when it cannot be started.
[[nodiscard]] child_status run_child(const std::vector<std::string>& arguments);

}  // namespace million_tasks

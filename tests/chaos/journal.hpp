// What an actor tells the checker: one line an event, in a file that is only appended to.
//
// A line is one write(2) to a file opened with O_APPEND, so that a process killed with -9 has lost
// nothing that it said, and no line is torn. It begins with the monotonic clock in nanoseconds,
// which all processes of the machine share, and a letter; README.md lists them.
//
// Errors: std::system_error. Thread: one at a time.
#pragma once

#include <string>
#include <string_view>
#include <weir/runtime/file/descriptor.hpp>

namespace chaos {

class journal {
  public:
    explicit journal(const std::string& path);

    // Control characters in `text` become blanks.
    void write(char event, std::string_view first = {}, std::string_view second = {},
               std::string_view text = {});

  private:
    std::string line_;
    weir::file_descriptor file_;
};

}  // namespace chaos

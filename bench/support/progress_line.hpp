// One line on stderr that says what is running, each text in the place of the one before.
#pragma once

#include <cstdio>
#include <string>

namespace bench {

class progress_line {
  public:
    // Where it is not wanted, say() does nothing.
    explicit progress_line(bool wanted) : wanted_(wanted) {}

    // An empty text clears the line.
    void say(const std::string& text) const {
        if (wanted_) {
            std::fprintf(stderr, "\r\033[K%s", text.c_str());
        }
    }

  private:
    bool wanted_;
};

}  // namespace bench

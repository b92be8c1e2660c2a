#include "journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

namespace chaos {

journal::journal(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (file_.get() < 0) {
        throw std::system_error(errno, std::system_category(), "journal " + path);
    }
}

void journal::write(char event, std::string_view first, std::string_view second,
                    std::string_view text) {
    line_ = std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(
                               std::chrono::steady_clock::now().time_since_epoch())
                               .count());
    line_ += '\t';
    line_ += event;
    for (const std::string_view word : {first, second, text}) {
        line_ += '\t';
        for (const char c : word) {
            line_ += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
        }
    }
    line_ += '\n';
    while (::write(file_.get(), line_.data(), line_.size()) < 0) {
        if (errno != EINTR) {
            throw std::system_error(errno, std::system_category(), "journal");
        }
    }
}

}  // namespace chaos

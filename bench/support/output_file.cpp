#include "output_file.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "values.hpp"

namespace bench {

output_file::output_file(std::string option, std::string path)
    : option_(std::move(option)), path_(std::move(path)) {
    if (!wanted()) {
        return;
    }
    file_ = std::fopen(path_.c_str(), "we");
    if (file_ == nullptr) {
        throw option_error(option_ + ": '" + path_ + "' cannot be written (" +
                           std::generic_category().message(errno) +
                           "); allowed: a file in a folder that exists");
    }
}

output_file::~output_file() {
    if (file_ != nullptr) {
        std::fclose(file_);
    }
}

void output_file::write(std::string_view text) {
    if (file_ != nullptr && std::fwrite(text.data(), 1, text.size(), file_) != text.size() &&
        error_ == 0) {
        error_ = errno;
    }
}

void output_file::close() {
    if (file_ == nullptr) {
        return;
    }
    if (std::fclose(std::exchange(file_, nullptr)) != 0 && error_ == 0) {
        error_ = errno;
    }
    if (error_ != 0) {
        throw std::runtime_error(option_ + ": '" + path_ +
                                 "': " + std::generic_category().message(error_));
    }
}

}  // namespace bench

// A folder of a test's own, which is removed with everything in it.
//
// Thread: any.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace weir::test {

class temporary_folder {
  public:
    temporary_folder() : temporary_folder(std::filesystem::temp_directory_path()) {}
    explicit temporary_folder(const std::filesystem::path& parent) {
        std::string name = (parent / "weir_test_XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::system_error(errno, std::system_category(), "mkdtemp");
        }
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    // In memory where the system has such a place, so that fsync(2) waits for no disk that others
    // keep busy.
    [[nodiscard]] static std::filesystem::path memory() {
        const std::filesystem::path shared = "/dev/shm";
        return ::access(shared.c_str(), W_OK | X_OK) == 0 ? shared
                                                          : std::filesystem::temp_directory_path();
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::string file(const std::string& name) const {
        return (path_ / name).string();
    }

  private:
    std::filesystem::path path_;
};

}  // namespace weir::test

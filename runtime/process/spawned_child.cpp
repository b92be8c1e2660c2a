#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include "detail/spawned_child.hpp"

namespace weir::detail {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::system_category(), what);
}

void require(int error, const command& what) {
    if (error != 0) {
        fail(error, "cannot run '" + what.program() + "'");
    }
}

// posix_spawn's lists, which free themselves.
class spawn_actions {
  public:
    spawn_actions() noexcept { posix_spawn_file_actions_init(&actions_); }
    ~spawn_actions() { posix_spawn_file_actions_destroy(&actions_); }
    spawn_actions(const spawn_actions&) = delete;
    spawn_actions& operator=(const spawn_actions&) = delete;
    [[nodiscard]] posix_spawn_file_actions_t* get() noexcept { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_;
};

// No signal blocked, SIGPIPE at its default: what this thread has is the runtime's affair.
class spawn_attributes {
  public:
    spawn_attributes() noexcept {
        posix_spawnattr_init(&attributes_);
        sigset_t set;
        sigemptyset(&set);
        posix_spawnattr_setsigmask(&attributes_, &set);
        sigaddset(&set, SIGPIPE);
        posix_spawnattr_setsigdefault(&attributes_, &set);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~spawn_attributes() { posix_spawnattr_destroy(&attributes_); }
    spawn_attributes(const spawn_attributes&) = delete;
    spawn_attributes& operator=(const spawn_attributes&) = delete;
    [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

  private:
    posix_spawnattr_t attributes_;
};

// The descriptors that a spawn needs until the program runs.
struct child_ends {
    std::array<file_descriptor, 3> streams;
    file_descriptor directory;
};

// Moves a descriptor above the standard ones: a duplication onto those must not hit another one
// that is still to be duplicated.
file_descriptor above_standard(file_descriptor fd, const command& what) {
    if (fd.get() > STDERR_FILENO) {
        return fd;
    }
    file_descriptor moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    require(moved ? 0 : errno, what);
    return moved;
}

// A pipe for standard stream `stream`: returns our end, which alone is nonblocking.
file_descriptor add_pipe(int stream, child_ends& ends, spawn_actions& actions,
                         const command& what) {
    int fds[2];
    require(::pipe2(fds, O_CLOEXEC) == 0 ? 0 : errno, what);
    const bool is_input = stream == STDIN_FILENO;
    file_descriptor ours(fds[is_input ? 1 : 0]);
    file_descriptor theirs(fds[is_input ? 0 : 1]);
    ours = above_standard(std::move(ours), what);
    theirs = above_standard(std::move(theirs), what);
    require(::fcntl(ours.get(), F_SETFL, O_NONBLOCK) == 0 ? 0 : errno, what);
    require(posix_spawn_file_actions_adddup2(actions.get(), theirs.get(), stream), what);
    ends.streams[static_cast<std::size_t>(stream)] = std::move(theirs);
    return ours;
}

void add_directory(child_ends& ends, spawn_actions& actions, const command& what) {
    const std::string& path = *what.directory();
    file_descriptor opened(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!opened) {
        const int error = errno;
        fail(error, "cannot run '" + what.program() + "' in directory '" + path + "'");
    }
    ends.directory = above_standard(std::move(opened), what);
    require(posix_spawn_file_actions_addfchdir_np(actions.get(), ends.directory.get()), what);
}

// The list of C strings that exec takes; `texts` outlives it.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const std::string& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str()));  // exec only reads them
    }
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

spawned_child spawn_now(const command& what) {
    spawned_child made;
    child_ends ends;
    spawn_actions actions;
    const spawn_attributes attributes;
    for (int stream = 0; stream < 3; ++stream) {
        if (what.stdio(stream) == child_stdio::pipe) {
            made.streams[static_cast<std::size_t>(stream)] = add_pipe(stream, ends, actions, what);
        } else if (what.stdio(stream) == child_stdio::null) {
            require(posix_spawn_file_actions_addopen(actions.get(), stream, "/dev/null", O_RDWR, 0),
                    what);
        }
    }
    if (what.directory()) {
        add_directory(ends, actions, what);
    }
    const std::vector<char*> words = pointers_to(what.words());
    std::vector<char*> variables;
    if (what.environment()) {
        variables = pointers_to(*what.environment());
    }
    // Made first, so that nothing can fail for want of memory once there is a child.
    made.watch.reset(new child_watch(what.stop_signal(), what.grace()));
    pid_t pid = 0;
    require(posix_spawnp(&pid, what.program().c_str(), actions.get(), attributes.get(),
                         words.data(), what.environment() ? variables.data() : environ),
            what);
    const result<void> watched = made.watch->open(pid);
    if (!watched) {
        ::kill(pid, SIGKILL);
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        fail(watched.error().value(), "cannot watch '" + what.program() + "'");
    }
    return made;
}

}  // namespace weir::detail

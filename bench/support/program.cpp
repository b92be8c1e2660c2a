#include "program.hpp"

#include <cstdio>
#include <exception>

#include "values.hpp"

namespace bench {

int run_program(const char* name, const std::function<int()>& work) {
    try {
        return work();
    } catch (const option_error& error) {
        std::fprintf(stderr, "%s: %s\n", name, error.what());
        return exit_bad_option;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", name, error.what());
        return exit_failed;
    }
}

int result_files::finish(const content& what) {
    json_.write(what.json);
    if (picture_.wanted()) {
        picture_.write(what.picture());
    }
    json_.close();
    picture_.close();
    std::fputs(what.tables.c_str(), stdout);
    for (const std::string& note : what.notes) {
        std::fprintf(what.failed ? stderr : stdout, "%s\n", note.c_str());
    }
    if (picture_.wanted()) {
        std::printf("\nThe picture is in %s\n", picture_.path().c_str());
    }
    return what.failed ? exit_failed : exit_done;
}

}  // namespace bench

"""Proves that every rule fires on what it forbids, and lets the like of it pass."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import rules_text
import tidy
from source import Source, Brace

# A project in which no rule finds anything.
CLEAN = {
    "runtime/meson.build": "'task.hpp', 'task.cpp'",
    "runtime/README.md": "",
    "runtime/task.hpp": "#pragma once\n#include <utility>\n",
    "runtime/task.cpp": '#include "task.hpp"\n',
    "pool/meson.build": "'pool.hpp'",
    "pool/README.md": "",
    "pool/pool.hpp": '#pragma once\n#include "../runtime/task.hpp"\n',
    "include/README.md": "",
    "include/weir/runtime.hpp": '#pragma once\n#include "runtime/task.hpp"\n',
    "include/weir/pool.hpp": '#pragma once\n#include "pool/pool.hpp"\n',
    "tests/README.md": "",
    "tests/meson.build": "'runtime/task_test.cpp', 'pool/pool_test.cpp'",
    "tests/runtime/task_test.cpp": "#include <weir/runtime/task.hpp>\n",
    "tests/pool/pool_test.cpp": "#include <weir/pool.hpp>\n",
}


def rules_found(changes):
    """The names of the rules that fire when the clean project is changed; None removes a file."""
    texts = {path: text for path, text in {**CLEAN, **changes}.items() if text is not None}
    return {rule for _, _, rule, _ in tidy.findings(tidy.Project(texts))}


def rules_in(code, path="tests/runtime/task_test.cpp"):
    return rules_found({path: code})


class TidyTest(unittest.TestCase):
    def fires(self, rule, code, path="tests/runtime/task_test.cpp"):
        self.assertEqual(rules_in(code, path), {rule}, code)

    def passes(self, code, path="tests/runtime/task_test.cpp"):
        self.assertEqual(rules_in(code, path), set(), code)


class ProjectRules(TidyTest):
    def test_the_clean_project_has_no_findings(self):
        self.assertEqual(rules_found({}), set())

    def test_runtime_does_not_include_pool(self):
        self.fires("layers", '#include "../pool/pool.hpp"\n', "runtime/task.cpp")

    def test_the_library_includes_itself_by_relative_path(self):
        self.fires("layers", "#include <weir/runtime.hpp>\n", "runtime/task.cpp")
        self.fires("layers", '#include "weir/runtime.hpp"\n', "runtime/task.cpp")

    def test_the_library_stays_in_the_project(self):
        self.fires("layers", '#include "../../other.hpp"\n', "runtime/task.cpp")

    def test_only_the_driver_knows_liburing(self):
        self.fires("layers", "#include <liburing.h>\n", "runtime/task.cpp")
        listed = {"runtime/meson.build": "'task.hpp', 'task.cpp', 'uring_driver.cpp'"}
        self.assertEqual(
            rules_found({**listed, "runtime/uring_driver.cpp": "#include <liburing.h>\n"}), set())

    def test_users_write_angle_brackets(self):
        self.fires("layers", '#include "../../runtime/task.hpp"\n')
        self.passes('#include "support/clock.hpp"\n')

    def test_every_source_is_listed(self):
        self.assertEqual(rules_found({"runtime/extra.cpp": ""}), {"unlisted"})
        self.assertEqual(rules_found({"runtime/detail/extra.hpp": "#pragma once\n"}), {"unlisted"})

    def test_a_list_may_give_names_without_suffix(self):
        self.assertEqual(rules_found({"tests/a/meson.build": "'one'", "tests/a/one.cpp": ""}),
                         set())

    def test_umbrellas_are_complete(self):
        path = "include/weir/runtime.hpp"
        self.fires("umbrella", "#pragma once\n", path)
        self.fires("umbrella", CLEAN[path] + '#include "runtime/detail/x.hpp"\n', path)
        self.assertEqual(rules_found({path: None}), {"umbrella"})

    def test_umbrellas_do_not_show_liburing(self):
        driver = {
            "runtime/meson.build": "'task.hpp', 'task.cpp', 'uring_driver.hpp'",
            "runtime/uring_driver.hpp": "#pragma once\n#include <liburing.h>\n",
            "tests/meson.build": CLEAN["tests/meson.build"] + "'runtime/uring_driver_test.cpp'",
            "tests/runtime/uring_driver_test.cpp": "",
        }
        self.assertEqual(rules_found(driver), set())
        path = "include/weir/runtime.hpp"
        shown = CLEAN[path] + '#include "runtime/uring_driver.hpp"\n'
        self.assertEqual(rules_found({**driver, path: shown}), {"umbrella"})

    def test_tls_has_an_umbrella_of_its_own(self):
        tls = {
            "runtime/tls/meson.build": "'context.hpp', 'context.cpp'",
            "runtime/tls/README.md": "",
            "runtime/tls/context.hpp": "#pragma once\n",
            "runtime/tls/context.cpp": '#include "context.hpp"\n#include <openssl/ssl.h>\n',
            "tests/meson.build": CLEAN["tests/meson.build"] + "'runtime/tls/context_test.cpp'",
            "tests/runtime/tls/context_test.cpp": "#include <openssl/ssl.h>\n",
            "include/weir/tls.hpp": '#pragma once\n#include "runtime/tls/context.hpp"\n',
        }
        self.assertEqual(rules_found(tls), set())
        self.assertEqual(rules_found({**tls, "include/weir/tls.hpp": None}), {"umbrella"})
        self.assertEqual(rules_found({**tls, "include/weir/tls.hpp": "#pragma once\n"}),
                         {"umbrella"})
        path = "include/weir/runtime.hpp"
        shown = CLEAN[path] + '#include "runtime/tls/context.hpp"\n'
        self.assertEqual(rules_found({**tls, path: shown}), {"umbrella"})
        public = "#pragma once\n#include <openssl/ssl.h>\n"
        self.assertEqual(rules_found({**tls, "runtime/tls/context.hpp": public}), {"layers"})

    def test_only_tls_knows_openssl(self):
        self.fires("layers", "#include <openssl/ssl.h>\n", "runtime/task.cpp")

    def test_every_public_header_has_its_test(self):
        self.assertEqual(rules_found({"tests/runtime/task_test.cpp": None}), {"mirrored-test"})

    def test_every_folder_has_its_page(self):
        self.assertEqual(rules_found({"pool/README.md": None}), {"folder-page"})
        self.assertEqual(rules_found({"bench/README.md": "", "bench/x/a.py": ""}),
                         {"folder-page"})

    def test_the_program_in_the_readme_is_the_example(self):
        program = "// examples/a.cpp\nint main() {}\n"
        files = {"examples/README.md": "", "examples/meson.build": "'a'",
                 "examples/a.cpp": program}
        self.assertEqual(rules_found({**files, "README.md": f"```cpp\n{program}```\n"}), set())
        self.assertEqual(rules_found({**files, "README.md": f"```cpp\n{program}int b;\n```\n"}),
                         {"readme-example"})

    def test_excerpts_in_the_readme_stand_in_the_example(self):
        files = {"examples/README.md": "", "examples/meson.build": "'a' 'b'",
                 "examples/a.cpp": "// A.\nint a;\nint b;\n", "examples/b.cpp": "// B.\nint c;\n"}
        for first, second, found in (("int a;\nint b;", "int c;", set()),
                                     ("int b;", "int c", {"readme-example"}),
                                     ("int b;\nint a;", "int c;", {"readme-example"})):
            page = (f"```cpp\n// from examples/a.cpp\n{first}\n\n"
                    f"// from examples/b.cpp\n{second}\n```\n")
            self.assertEqual(rules_found({**files, "README.md": page}), found, page)


class TextRules(TidyTest):
    def test_files_end_at_400_lines(self):
        self.passes("\n" * rules_text.FILE_LINES_MAX)
        self.fires("long-file", "\n" * (rules_text.FILE_LINES_MAX + 1))

    def test_lines_end_at_100_columns(self):
        self.passes("/" * rules_text.LINE_WIDTH_MAX)
        self.fires("long-line", "/" * (rules_text.LINE_WIDTH_MAX + 1))

    def test_functions_end_at_70_lines(self):
        body = "\n" * (rules_text.FUNCTION_LINES_MAX - 1)
        for head in ("void f() {", "f::f(int a) noexcept : a_(a), b_{a} {", "TEST(A, B) {",
                     "template <class T>\nauto f(T x) -> task<T> {",
                     "namespace a { class b { void f() const override {"):
            ends = "}" * head.count("{") if "b_{" not in head else "}"
            self.passes(head + body + ends)
            self.fires("long-function", head + body + "\n" + ends)

    def test_namespaces_and_classes_may_be_long(self):
        for head in ("namespace a::b {", "class a final : public b<int> {",
                     "struct alignas(64) a {", "enum class a : int {", 'extern "C" {',
                     "template <class T = void>\nclass [[nodiscard]] a {"):
            self.passes(head + "\n" * 200 + "};")

    def test_headers_are_guarded(self):
        self.fires("pragma-once", "", "runtime/task.hpp")

    def test_nothing_is_left_unfinished(self):
        for word in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"):
            self.fires("unfinished", f"// {word} later\n")

    def test_suppressions_say_why(self):
        off = "// NO" + "LINT"
        self.fires("bare-suppression", f"int a; {off}\n")
        self.fires("bare-suppression", f"int a; {off}(bugprone-x)\n")
        self.fires("bare-suppression", f"{off}NEXTLINE(bugprone-x)\nint a;\n")
        self.passes(f"int a; {off}(bugprone-x): the kernel writes it\n")
        self.passes(f"// The kernel writes it.\n{off}BEGIN(bugprone-x)\nint a;\n")

    def test_the_library_leaves_time_chance_and_threads_to_its_driver(self):
        for call in ("std::chrono::steady_clock::now()", "time(nullptr)", "::time(0)", "rand()",
                     "std::thread t(f)", "std::random_device d", "usleep(1)",
                     "std::this_thread::sleep_for(d)", "clock_gettime(a, b)"):
            self.fires("forbidden-call", f"auto x = {call};\n", "runtime/task.cpp")
            self.passes(f"auto x = {call};\n")

    def test_each_such_call_has_its_file(self):
        listed = {"runtime/thread/meson.build": "'native_thread.cpp', 'offload_core.cpp'",
                  "runtime/thread/README.md": ""}
        call = "pthread_create(&id, nullptr, run, nullptr);\n"
        self.assertEqual(rules_found({**listed, "runtime/thread/native_thread.cpp": call}), set())
        self.assertEqual(rules_found({**listed, "runtime/thread/offload_core.cpp": call}),
                         {"forbidden-call"})
        self.assertEqual(rules_found({**listed, "runtime/thread/native_thread.cpp": "rand();\n"}),
                         {"forbidden-call"})

    def test_calls_that_only_look_like_it_pass(self):
        for call in ("tick_time()", "driver.time(1)", "this->clock(1)", "std::thread::id",
                     "// time(nullptr)", '"rand()"', "loop.sleep(1)"):
            self.passes(f"{call};\n", "runtime/task.cpp")


class CoroutineRules(TidyTest):
    def test_no_capturing_lambda_beside_co_await(self):
        for code in ("co_await p.submit([x] { use(x); });",
                     "auto r = f(co_await g(), [&] { return 1; });",
                     "EXPECT_EQ(co_await run([=]() mutable { return 1; }), 1);",
                     "if (auto a = co_await any([&](int i) { return i; })) { }",
                     "co_yield g([this] { return 1; });"):
            self.fires("lambda-in-await", f"task<> f() {{ {code} }}")

    def test_what_must_not_compile_may_show_the_traps(self):
        self.assertEqual(rules_found({
            "tests/compile_fail/meson.build": "'a'",
            "tests/compile_fail/a.cpp": "task<> f() { co_await p.submit([x] { use(x); }); }"}),
            set())

    def test_other_lambdas_pass(self):
        for code in ("co_await p.submit([] { return 1; });",
                     "auto f = [x] { use(x); }; co_await p.submit(f);",
                     "run([](int i) -> task<> { co_await g(i); }(1), [&] { return 1; });",
                     "int b = a[i]; co_await g(a[i]);",
                     "[[maybe_unused]] auto x = co_await g();",
                     "if (bool b = co_await g()) { call([&] { return 1; }); }",
                     "for (int i = 0; i < co_await g(); ++i) { call([&] { return 1; }); }"):
            self.passes(f"task<> f() {{ {code} }}")

    def test_no_braced_temporary_beside_co_await(self):
        for code in ("co_await f(options{.a = 1});", "co_await f({1, 2});",
                     "auto x = co_await f(std::array{1, 2});", "auto x = t{1} + co_await f();",
                     "g(co_await f(), t{1});", "co_return t{co_await f()};",
                     "if (auto a = co_await f({})) { }", "co_await weir::with_pool({.a = 1}, f);"):
            self.fires("braces-in-await", f"task<> f() {{ {code} }}")

    def test_other_braces_pass(self):
        for code in ("options o{.a = 1}; co_await f(o);", "int x{co_await f()};",
                     "const auto x{co_await f()};", "std::vector<int> v{1, 2}; co_await f(v);",
                     "for (int i : {1, 2}) { co_await f(i); }",
                     "co_await f(long{1}, std::size_t{2});",
                     "co_await f(t{1});  // braces: t has a constructor",
                     "try { co_await f(); } catch (const e& x) { g(t{1}); }",
                     "if constexpr (a) { co_await f(); } else { g({1}); }",
                     "while (bool b = co_await f()) { g({1}); }",
                     "switch (int i = co_await f()) { case 1: g({1}); }",
                     "co_await f(); } struct s { int a; }; void g() { h({1});"):
            self.passes(f"task<> f() {{ {code} }}")

    def test_no_await_in_a_condition(self):
        for code in ("if (co_await f()) { g(); }", "while (!co_await f()) { g(); }",
                     "if (a && co_await f() == 1) { g(); }", "switch (co_await f()) { }",
                     "do { g(); } while (co_await f());", "for (; co_await f();) { g(); }",
                     "if (int i = 0; co_await f()) { g(i); }"):
            self.fires("await-in-condition", f"task<> f() {{ {code} }}")

    def test_awaits_beside_a_condition_pass(self):
        for code in ("if (const bool b = co_await f()) { g(); }",
                     "while (auto number = co_await numbers.receive()) { co_await f(); }",
                     "for (bool b = true; b; b = co_await f()) { g(); }",
                     "for (auto& x : co_await f()) { g(x); }", "if (a) { co_await f(); }",
                     "if (bool b{co_await f()}) { g(); }", "co_return co_await f() ? 1 : 2;"):
            self.passes(f"task<> f() {{ {code} }}")

    def test_awaiting_operators_are_no_awaits(self):
        self.passes("struct a { b operator co_await() && noexcept { return b{1}; } };")

    def test_no_capturing_lambda_is_a_coroutine(self):
        for code in ("[x] { co_return; }", "[&]() -> task<> { co_await g(); }",
                     "[this](int i) mutable -> task<int> { co_return i; }",
                     "[x]<class T>(T t) { co_yield t; }"):
            self.fires("capturing-coroutine", f"void f() {{ auto l = {code}; }}")

    def test_other_lambda_coroutines_pass(self):
        for code in ("[] { co_return; }", "[](int x) -> task<int> { co_return x; }",
                     "[x] { return [](int y) -> task<int> { co_return y; }(x); }"):
            self.passes(f"void f() {{ auto l = {code}; }}")

    def test_parameters_are_values(self):
        for head in ("task<> f(const int& a)", "weir::task<int> f(int a, std::string_view b)",
                     "task<> s::f(std::span<const int> a)", "task<std::pair<int, int>> f(T&& a)",
                     "auto f(const std::string& a) -> task<>",
                     "template <class... A>\ntask<> f(A&&... a)"):
            self.fires("reference-parameter", f"{head} {{ co_return; }}")
            self.fires("reference-parameter", f"{head};")
        self.fires("reference-parameter",
                   "auto l = [](const int& a) -> task<> { co_return; };")
        self.fires("reference-parameter", "task<> f(std::vector<int>& a);", "runtime/task.cpp")

    def test_other_parameters_pass(self):
        for code in ("task<> f(int a, std::function<void(const int&)> b) { co_return; }",
                     "task<> f(weir::scope& s, channel<int>& c);",
                     "// ref: the caller awaits at once\ntask<> f(const int& a);",
                     "// ref: an owner\ntemplate <class T>\ntask<> f(const T& a,\n  T& b);",
                     "task<> f(std::vector<int>& log);",
                     "task<> f(const int& a) { return g(a); }",
                     "void f(task<>& t, const int& a);", "task<int> x(g(a));"):
            self.passes(code)
        self.passes("task<> f(pool& p);\ntask<> g(int& a);  // ref: a static\n",
                    "runtime/task.cpp")


class SourceTest(unittest.TestCase):
    def test_comments_and_literals_are_no_code(self):
        source = Source("a.cpp", 'f("co_await {", R"x(\n{)x", \'{\'); // {\n/* {\n */ int a;\n')
        self.assertNotIn("{", [token.text for token in source.tokens])
        self.assertEqual(source.tokens[-1].line, 4)

    def test_digit_separators_are_no_characters(self):
        source = Source("a.cpp", "int a = 1'000'000; void f() { }")
        self.assertEqual([t.opens for t in source.tokens if t.text == "{"], [Brace.FUNCTION])

    def test_braces_know_what_they_open(self):
        cases = (("namespace a {}", Brace.NAMESPACE), ("struct a {}", Brace.CLASS),
                 ("void f() {}", Brace.FUNCTION), ("auto l = [] {};", Brace.LAMBDA),
                 ("auto l = [](int) -> std::pair<a, b> {};", Brace.LAMBDA),
                 ("a b{}", Brace.INIT), ("f(a, {});", Brace.INIT), ("return {};", Brace.INIT),
                 ("if (a) return b{};", Brace.INIT), ("if (a) {}", Brace.BLOCK),
                 ("else {}", Brace.BLOCK), ("; {}", Brace.BLOCK))
        for code, expected in cases:
            opens = [token.opens for token in Source("a.cpp", code).tokens if token.text == "{"]
            self.assertEqual(opens, [expected], code)


class CommandTest(unittest.TestCase):
    def run_tidy(self, *arguments):
        script = pathlib.Path(__file__).with_name("tidy.py")
        return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True,
                              check=False)

    def test_a_finding_fails_and_names_file_line_and_rule(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "meson.build").touch()
            (root / "tests").mkdir()
            (root / "tests/README.md").write_text("# tests\n")
            self.assertEqual(self.run_tidy(folder).returncode, 0)
            (root / "tests/a.hpp").write_text("int a;\n")
            done = self.run_tidy(folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("tests/a.hpp:1: pragma-once:", done.stdout)

    def test_bad_arguments_exit_with_2(self):
        self.assertEqual(self.run_tidy().returncode, 2)
        self.assertEqual(self.run_tidy("/nonexistent").returncode, 2)


if __name__ == "__main__":
    unittest.main()

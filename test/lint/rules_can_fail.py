"""Every rule of the lint programs, shown to object to what breaks it, and to nothing else."""

import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import format as formatting  # pylint: disable=wrong-import-position
import headers
import includes
import project
import source
import tidy
import words


class LintTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, files):
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def write_build_tree(self, *sources):
        self.write({"build/compile_commands.json": json.dumps([
            {"directory": str(self.root), "file": str(self.root / name),
             "command": f"g++ -std=c++20 -I{self.root}/include -I{self.root}/src -o x.o -c {self.root}/{name}"}
            for name in sources
        ])})
        return self.root / "build"

    def assert_one(self, findings, what):
        self.assertEqual(len(findings), 1, findings)
        self.assertIn(what, findings[0][2])


class Includes(LintTest):
    def test_down_and_sideways_to_public_headers_is_allowed(self):
        self.write({
            "src/main.cpp": '#include "service/service.hpp"\n',
            "src/service/service.hpp": '#include "sinks/sqlite.hpp"\n#include "intake/events.hpp"\n',
            "src/sinks/sqlite.hpp": "#include <trackd/sink.hpp>\n#include <vector>\n",
            "src/intake/events.hpp": '#include "http/request.hpp"\n#include <trackd/tracker.hpp>\n',
            "src/http/request.hpp": '#include "base/log.hpp"\n',
            "src/base/log.hpp": "",
            "include/trackd/sink.hpp": "#include <trackd/event.hpp>\n",
        })
        self.assertEqual(includes.check(self.root), [])

    def test_up_is_not(self):
        self.write({"src/http/a.cpp": '#include "http/a.hpp"\n\n#include "intake/b.hpp"\n'})
        self.assert_one(includes.check(self.root), "no floor below")
        self.assertEqual(includes.check(self.root)[0][1], 3)

    def test_sideways_to_a_private_header_is_not(self):
        self.write({"src/tracker/a.cpp": '#include "backlog/memory.hpp"\n'})
        self.assert_one(includes.check(self.root), "no floor below")

    def test_only_the_service_knows_the_concrete_ones(self):
        self.write({"src/admin/a.cpp": '#include "sinks/sqlite.hpp"\n'})
        self.assert_one(includes.check(self.root), "only service may")

    def test_http_knows_no_events(self):
        self.write({"src/http/a.cpp": "#include <trackd/event.hpp>\n"})
        self.assert_one(includes.check(self.root), "must not know")

    def test_a_public_header_includes_public_headers_only(self):
        self.write({"include/trackd/a.hpp": '#include "base/log.hpp"\n'})
        self.assert_one(includes.check(self.root), "public headers only")

    def test_an_unknown_folder_needs_a_floor(self):
        self.write({"src/attic/a.cpp": '#include "base/log.hpp"\n'})
        self.assert_one(includes.check(self.root), "no floor")

    def test_a_circle_is_found(self):
        self.write({"src/base/a.hpp": '#include "base/b.hpp"\n', "src/base/b.hpp": '#include "base/a.hpp"\n'})
        self.assert_one(includes.check(self.root), "a.hpp > b.hpp > a.hpp")


class Source(LintTest):
    def findings(self, name, text):
        self.write({name: text})
        return source.check(self.root)

    def test_detached(self):
        self.assert_one(self.findings("src/http/a.cpp", "// Why.\nco_spawn(x, y, asio::detached);\n"), "task_group")

    def test_sleeping(self):
        self.assert_one(self.findings("src/http/a.cpp", "// Why.\nstd::this_thread::sleep_for(1s);\n"), "timer")

    def test_writing_to_the_terminal(self):
        self.assert_one(self.findings("src/http/a.cpp", "// Why.\nstd::cout << 1;\n"), "terminal")
        self.assert_one(self.findings("src/http/a.cpp", '// Why.\nstd::printf("x");\n'), "terminal")
        self.assertEqual(self.findings("src/http/a.cpp", '// Why.\nstd::snprintf(to, 3, "x");\n'), [])

    def test_using_namespace_in_a_header(self):
        text = "// Why.\n#pragma once\nusing namespace std;\n"
        self.assert_one(self.findings("src/http/a.hpp", text), "whoever")

    def test_catching_all_and_telling_nobody(self):
        for nothing in ("", "// it does not matter\n", "return;"):
            text = f"// Why.\nvoid f() {{ try {{ g(); }} catch (...) {{ {nothing} }} }}\n"
            self.assert_one(self.findings("src/http/a.cpp", text), "catch")

    def test_catching_all_and_telling_somebody(self):
        for told in ("throw;", "return false;", "failed_ = std::current_exception();", 'log::error("x");'):
            text = f"// Why.\nvoid f() {{ try {{ g(); }} catch (...) {{ {told} }} }}\n"
            self.assertEqual(self.findings("src/http/a.cpp", text), [])

    def test_a_file_that_does_not_say_why_it_exists(self):
        self.assert_one(self.findings("src/http/a.hpp", "#pragma once\n"), "why this file exists")

    def test_the_source_of_a_header_need_not_say_it_again(self):
        self.write({"src/http/a.hpp": "// Why.\n#pragma once\n"})
        self.assertEqual(self.findings("src/http/a.cpp", '#include "http/a.hpp"\n'), [])

    def test_a_header_without_pragma_once(self):
        self.assert_one(self.findings("src/http/a.hpp", "// Why.\nint a();\n"), "#pragma once")

    def test_a_semicolon_in_a_tests_name(self):
        self.assert_one(self.findings("test/unit/a.cpp", 'TEST_CASE("one; two", "[a]") {}\n'), "semicolon")

    def test_comments_and_strings_are_no_code(self):
        text = '// std::cout\n/* detached\n */\nauto a = "std::cout";\nauto b = R"x(std::cout)x";\nauto c = 1\'000;\n'
        self.assertEqual(self.findings("src/http/a.cpp", text), [])


class Words(LintTest):
    def test_each_rule(self):
        for text, what in (
            ("see /home/somebody/notes\n", "machine"),
            ("// TODO later\n", "unfinished"),
            ("<<<<<<< HEAD\n", "merge"),
            ("a line \n", "blanks"),
            ("a line\r\n", "CR"),
            ("a line", "does not end"),
        ):
            with self.subTest(text):
                self.write({"a.txt": text})
                self.assert_one(words.check(self.root), what)

    def test_paths_that_every_machine_has(self):
        self.write({"a.txt": "/var/lib/trackd /etc/trackd https://example.org/work/1 ${HOME}/home/x\n"})
        self.assertEqual(words.check(self.root), [])


class Tools(LintTest):
    def setUp(self):
        super().setUp()
        for rules in (".clang-format", ".clang-tidy"):
            shutil.copy(project.ROOT / rules, self.root)

    def test_format(self):
        self.write({"src/base/good.cpp": "int f();\n"})
        self.assertEqual(formatting.check(self.root), [])
        self.write({"src/base/bad.cpp": "int   f( ) ;\n"})
        self.assertEqual(len(formatting.check(self.root)), 1)

    def test_tidy(self):
        self.write({"src/base/a.cpp": "int Bad_Name() { return 1; }\n"})
        tree = self.write_build_tree("src/base/a.cpp")
        self.assertIn("readability-identifier-naming", "".join(tidy.check(self.root, tree)))
        self.write({"src/base/a.cpp": "int good_name() { return 1; }\n"})
        self.assertEqual(tidy.check(self.root, tree), [])

    def test_headers(self):
        self.write({
            "src/base/alone.hpp": "#include <string>\nstd::string f();\n",
            "src/base/needy.hpp": "std::string f();\n",
            "src/base/a.cpp": '#include <string>\n#include "base/needy.hpp"\n',
        })
        complaints = headers.check(self.root, self.write_build_tree("src/base/a.cpp"))
        self.assertEqual(len(complaints), 1)
        self.assertIn("needy.hpp", complaints[0])

    def test_a_changed_header_is_compiled_again(self):
        self.write({
            "src/base/a.cpp": '#include "base/b.hpp"\n#include "base/c.hpp"\n',
            "src/base/b.hpp": "#pragma once\n",
            "src/base/c.hpp": "#pragma once\nint f();\n",
        })
        tree = self.write_build_tree("src/base/a.cpp")
        self.assertEqual(headers.check(self.root, tree), [])
        self.write({"src/base/c.hpp": "#pragma once\nunknown f();\n"})
        self.assertEqual(len(headers.check(self.root, tree)), 1)


if __name__ == "__main__":
    unittest.main()

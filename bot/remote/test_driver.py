"""Runs one test file by pytest, or by unittest where there is none, and writes down what it saw.

Standard library only: it travels to the machine and runs in the environment that is looked at. Its
argument is JSON::

    {"file": path, "report": path, "only": [names] or null, "about": [words], "most": number}

``only`` names test functions; of a file with more than ``most`` tests only those are run whose
text holds one of the words ``about``, where there are any. Each line of the report is JSON:
``start`` or ``end`` with a test's name, ``outcome`` (passed, failed, skipped), ``seconds``;
``error`` for a file that cannot be loaded; the last is ``done``. A test that started and has no
end took the process with it.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import sys
import time
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import types

_LONGEST_ERROR = 2000


def main(plan: dict[str, Any]) -> int:
    """Run the file's tests as the plan says."""
    path = os.path.abspath(plan["file"])  # noqa: PTH100 -- links are kept
    sys.path[0] = os.path.dirname(path)  # noqa: PTH120 -- a string, as all of the list
    sys.argv = [path]
    report = Report(plan["report"])
    chosen = Chosen(plan, path)
    run = _by_unittest if importlib.util.find_spec("pytest") is None else _by_pytest
    return run(path, chosen, report)


class Report:
    """What is written down, line by line, so that a crash loses nothing."""

    def __init__(self, path: str) -> None:
        """Begin an empty report."""
        self._file = Path(path).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115 -- until the end
        self._process = os.getpid()
        self._started: dict[str, float] = {}
        self._outcomes: dict[str, str] = {}

    def start(self, name: str) -> None:
        """A test begins."""
        self._started[name] = time.monotonic()
        self._write(start=name)

    def say(self, name: str, outcome: str) -> None:
        """Keep the worst that is said of a test."""
        order = ("passed", "skipped", "failed")
        before = self._outcomes.get(name, "passed")
        self._outcomes[name] = max(before, outcome, key=order.index)

    def end(self, name: str) -> None:
        """A test is over."""
        seconds = time.monotonic() - self._started.pop(name, time.monotonic())
        outcome = self._outcomes.pop(name, "passed")
        self._write(end=name, outcome=outcome, seconds=round(seconds, 4))

    def error(self, text: str) -> None:
        """The tests could not be loaded."""
        self._write(error=text[-_LONGEST_ERROR:])

    def done(self) -> None:
        """All tests are over."""
        self._write(done=True)

    def _write(self, **fields: object) -> None:
        if os.getpid() == self._process:
            self._file.write(json.dumps(fields) + "\n")


class Chosen:
    """Which tests of the file are run."""

    def __init__(self, plan: dict[str, Any], path: str) -> None:
        """Read the plan, and the file for what its tests are about."""
        self._only = plan["only"]
        self._most = plan["most"]
        self._about = _functions_about(path, plan["about"])

    def of(self, tests: list[Any], names: list[str]) -> list[Any]:
        """Return the tests to run, given the names of their functions."""
        if self._only is not None:
            return _named(tests, names, self._only)
        if len(tests) <= self._most:
            return tests
        return _named(tests, names, self._about) or tests


def _named(tests: list[Any], names: list[str], wanted: list[str]) -> list[Any]:
    """PyTorch makes of ``test_x`` tests named ``test_x_cpu_float32``."""
    exact = set(wanted)
    beginnings = tuple(f"{name}_" for name in wanted)
    return [
        test
        for test, name in zip(tests, names)  # noqa: B905 -- Python 3.9 does not know strict
        if name in exact or name.startswith(beginnings)
    ]


def _functions_about(path: str, words: list[str]) -> list[str]:
    if not words:
        return []
    pattern = re.compile(r"\b(?:{})\b".format("|".join(map(re.escape, words))))
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return []
    lines = text.splitlines()
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and pattern.search("\n".join(lines[node.lineno - 1 : node.end_lineno]))
    ]


def _by_pytest(path: str, chosen: Chosen, report: Report) -> int:
    import pytest  # noqa: PLC0415 -- it may not be there

    class Recorder:
        """A plugin that writes down what pytest tells."""

        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:  # noqa: ANN401 -- pytest's
            """Take the others away."""
            names = [getattr(item, "originalname", None) or item.name for item in items]
            kept = chosen.of(list(items), names)
            config.hook.pytest_deselected(items=[item for item in items if item not in kept])
            items[:] = kept

        def pytest_collectreport(self, report: Any) -> None:  # noqa: ANN401 -- pytest's
            """A file that cannot be loaded."""
            if report.failed:
                outer.error(str(report.longrepr))

        def pytest_runtest_logstart(self, nodeid: str) -> None:
            """A test begins."""
            outer.start(nodeid)

        def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 -- pytest's
            """One of a test's phases is over."""
            skipped_call = report.outcome == "skipped" and not hasattr(report, "wasxfail")
            outcome = "skipped" if skipped_call else "passed"
            outer.say(report.nodeid, "failed" if report.failed else outcome)

        def pytest_runtest_logfinish(self, nodeid: str) -> None:
            """A test is over."""
            outer.end(nodeid)

    outer = report
    words = [path, "-q", "-p", "no:cacheprovider", "--color=no"]
    status = int(pytest.main(words, plugins=[Recorder()]))
    report.done()
    return status


class Result(unittest.TestResult):
    """A result that writes down what unittest tells."""

    def __init__(self, report: Report) -> None:
        """Write into this report."""
        super().__init__()
        self._report = report

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802 -- unittest's
        """A test begins."""
        super().startTest(test)
        self._report.start(test.id())

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802 -- unittest's
        """A test is over."""
        super().stopTest(test)
        self._report.end(test.id())

    def addError(self, test: Any, err: Any) -> None:  # noqa: ANN401, N802 -- unittest's
        """A test raised, or the set-up of a whole class or module did."""
        super().addError(test, err)
        self._report.say(test.id(), "failed")
        if not isinstance(test, unittest.TestCase):
            self._report.start(test.id())
            self._report.end(test.id())

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: ANN401, N802 -- unittest's
        """An assertion of a test."""
        super().addFailure(test, err)
        self._report.say(test.id(), "failed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802 -- unittest's
        """A test does not want to run here."""
        super().addSkip(test, reason)
        self._report.say(test.id(), "skipped")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: ANN401, N802 -- unittest's
        """A part of a test."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._report.say(test.id(), "failed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 -- unittest's
        """A test passed that says of itself that it fails."""
        super().addUnexpectedSuccess(test)
        self._report.say(test.id(), "failed")


def _by_unittest(path: str, chosen: Chosen, report: Report) -> int:
    try:
        tests = list(_flat(unittest.defaultTestLoader.loadTestsFromModule(_load(path))))
    except Exception as error:  # noqa: BLE001 -- whatever a test file raises
        report.error(f"{type(error).__name__}: {error}")
        return 2
    names = [getattr(test, "_testMethodName", "") for test in tests]
    result = Result(report)
    unittest.TestSuite(chosen.of(tests, names)).run(result)
    report.done()
    return 0 if result.wasSuccessful() else 1


def _load(path: str) -> types.ModuleType:
    name = Path(path).stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _flat(suite: Any) -> Any:  # noqa: ANN401 -- suites hold suites
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flat(test)
        else:
            yield test


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))

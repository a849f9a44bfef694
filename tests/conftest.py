"""Rules for every test: in CI a missing part fails, it does not skip."""

import os

import pytest

ALLOWED = "../shared"
"""Reasons that name this folder may skip in CI too: recordings that not everybody has, and whose ground
`tests/traces` covers."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    return no_skip_in_ci(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    return no_skip_in_ci(report)


def no_skip_in_ci(report):
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if ALLOWED not in reason:
            report.outcome = "failed"
            report.longrepr = f"In CI nothing is left out. {reason}"
    return report

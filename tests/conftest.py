"""Rules for every test: in CI a missing part fails, it does not skip."""

import os

import hypothesis
import pytest

# How long an example takes says something of the machine, and nothing of the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

pytest_plugins = ["tests.store.fixtures"]
"""The shop of a test's own, on either database."""

ALLOWED = ("../shared", "got empty parameter set", "audioop")
"""What a reason may name and be left out in CI too: recordings that not everybody has and whose ground
`tests/traces` covers (a test for each of them is then none), and a module that Python 3.13 has no more."""


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
        if not any(allowed in reason for allowed in ALLOWED):
            report.outcome = "failed"
            report.longrepr = f"In CI nothing is left out. {reason}"
    return report

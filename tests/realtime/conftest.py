"""Recordings of real sessions, where they are: beside the repository, not in it."""

from pathlib import Path

import pytest

from helpline.realtime.recordings import read_recording
from helpline.realtime.trace import Entry

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "recordings"
RECORDINGS = sorted(FOLDER.glob("*/*.yaml"))


def name_of(path: Path | None) -> str:
    return f"{path.parent.name}/{path.stem}" if path else "-"


@pytest.fixture(params=RECORDINGS or [None], ids=name_of)
def recording(request: pytest.FixtureRequest) -> list[Entry]:
    """One recorded session after the other."""
    if request.param is None:
        pytest.skip("the recordings of real sessions are not here: ../shared/data/recordings")
    return list(read_recording(request.param))


@pytest.fixture(scope="session")
def recordings() -> dict[str, list[Entry]]:
    """All recorded sessions by name."""
    if not RECORDINGS:
        pytest.skip("the recordings of real sessions are not here: ../shared/data/recordings")
    return {name_of(path): list(read_recording(path)) for path in RECORDINGS}

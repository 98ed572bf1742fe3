from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from vela.bootstrap.logs import set_up_logs

# A failure must be repeatable by whoever sees it: examples follow from the test, not from chance.
# No deadline: a machine shared with other work is slow at times, and pytest-timeout watches the rest.
for profile in ("default", "ci"):
    settings.register_profile(profile, derandomize=True, deadline=None, print_blob=True)
settings.load_profile("default")

# Short tracebacks in logs: drawing long ones takes seconds where a test lets services fail.
set_up_logs()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Directory with recorded market data beside the project."""
    directory = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not directory.is_dir():  # too large for the repository, and not ours to publish: users have no such folder
        pytest.skip("recorded market data is not here: it lies in ../shared/data beside the project")
    return directory

"""What all tests share."""

import pytest
from hypothesis import HealthCheck, settings

from entrenar_viz import Explorer
from entrenar_viz.workspace.presets import FOLDER_VARIABLE

# Whatever else the machine does: no test fails for being slow.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def no_presets_of_the_developer(tmp_path_factory):
    """The explorer lists the user's presets: tests must neither read nor write those of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(tmp_path_factory.mktemp("presets") / "none"))
        yield


@pytest.fixture(params=["canvas", "matplotlib"])
def explorer(request):
    """An explorer in either view, in which nothing may go wrong unseen."""
    explorer = Explorer(view=request.param)
    assert explorer._parts.root.model_id
    explorer._parts.tabs.fill()  # all widgets are sent, as when it is displayed and seen
    yield explorer
    assert explorer.errors == []
    explorer.close()

from __future__ import annotations

import pytest

from minicoord.learn.doors import pytest_option


def pytest_addoption(pluginmanager: pytest.PytestPluginManager):
    """Bring the option --work where no installed minicoord has brought it already."""
    if not pluginmanager.has_plugin(pytest_option.NAME):
        pluginmanager.register(pytest_option, pytest_option.NAME)

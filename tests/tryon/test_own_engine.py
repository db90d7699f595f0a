"""An engine of one's own, named in a setting."""

import pytest
from tests.infra.engines import InstantEngine
from tests.infra.settings import Settings

from selify.core.settings import SettingsWrong
from selify.tryon import own_engine


def test_a_factory_makes_the_engine() -> None:
    assert own_engine.is_own("tests.infra.engines:instant")
    made = own_engine.make("tests.infra.engines:instant", Settings())
    assert isinstance(made, InstantEngine)


@pytest.mark.parametrize(
    "entry", ["no.such.module:instant", "tests.infra.engines:nothing", ":instant", "tests.infra:"]
)
def test_what_cannot_be_loaded_is_a_wrong_setting(entry: str) -> None:
    with pytest.raises(SettingsWrong, match="SELIFY_TRYON_ENGINES"):
        own_engine.make(entry, Settings())


def test_our_own_names_are_none_of_it() -> None:
    assert not own_engine.is_own("embedded")

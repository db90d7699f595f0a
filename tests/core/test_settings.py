"""Settings come from the environment and one file, and say in one line what is wrong with them."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import field_validator
from tests.infra.settings import Settings

from selify.core import settings
from selify.core.secrets import SecretBox
from selify.core.settings import SettingsWrong
from selify.tryon.settings import TryOnSettings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SELIFY_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_left_alone_everything_is_embedded(tmp_path: Path) -> None:
    found = settings.load()
    assert (found.database_url, found.tryon_engines) == ("", ("embedded",))
    assert found.data_dir == tmp_path / ".selify"
    assert found.files_url == f"file://{tmp_path / '.selify' / 'files'}"


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "selify.env").write_text("SELIFY_PORT=1111\nSELIFY_HOST=0.0.0.0\nOTHER=1\n")
    monkeypatch.setenv("SELIFY_PORT", "2222")
    found = settings.load()
    assert (found.port, found.host) == (2222, "0.0.0.0")


def test_lists_are_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELIFY_TRYON_ENGINES", "gemini, embedded fal,,")
    monkeypatch.setenv("SELIFY_INSTAGRAM_MEDIA_HOSTS", "")
    found = settings.load()
    assert found.tryon_engines == ("gemini", "embedded", "fal")
    assert found.instagram_media_hosts == ()


def test_addresses_lose_their_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELIFY_PUBLIC_URL", "https://brand.example/")
    assert settings.load().public_url == "https://brand.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SELIFY_PORT", "99999"),
        ("SELIFY_PORT", "eighty"),
        ("SELIFY_WORKERS", "0"),
        ("SELIFY_PORT", "0"),
        ("SELIFY_PUBLIC_URL", "brand.example"),
        ("SELIFY_TRUSTED_PROXIES", "proxy.example"),
        ("SELIFY_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("SELIFY_MAX_CONNECTIONS", "0"),
        ("SELIFY_LOG_LEVEL", "loud"),
        ("SELIFY_STORAGE_URL", "s3bucket"),
        ("SELIFY_PUBLIC_URL", "https://"),
        ("SELIFY_PUBLIC_URL", "https://mira@shop.example"),
        ("SELIFY_PUBLIC_URL", "https://shop.example:port"),
        ("SELIFY_PUBLIC_URL", "https://shop.example/?page=1"),
        ("SELIFY_STORAGE_URL", "ftp://files.example"),
        ("SELIFY_STORAGE_URL", "file://"),
        ("SELIFY_INSTAGRAM_MEDIA_HOSTS", "cdn.example:443 cdn.example"),
        ("SELIFY_TRYON_MEDIA_HOSTS", "cdn.example"),
        ("SELIFY_PHOTO_HOURS", "-1"),
        ("SELIFY_MAX_PHOTO_MEGABYTES", "1000"),
    ],
)
def test_what_makes_no_sense_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsWrong) as wrong:
        settings.load()
    assert wrong.value.detail.startswith(f"{name}: ")
    assert "\n" not in wrong.value.detail
    assert "Value error" not in wrong.value.detail
    assert wrong.value.hint


def test_a_log_level_may_be_written_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELIFY_LOG_LEVEL", "info")
    assert settings.load().log_level == "INFO"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("selify.internal", "http://selify.internal:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("fd00::7", "http://[fd00::7]:80"),
    ],
)
def test_the_server_is_asked_at_an_address_that_answers(host: str, url: str) -> None:
    assert settings.load(host=host, port=80).own_url == url


def test_who_keeps_everything_elsewhere_needs_no_data_directory() -> None:
    elsewhere = {
        "database_url": "postgresql://db.example/selify",
        "storage_url": "s3://bucket/prefix",
        "secret_keys": SecretBox.new_key("k1"),
    }
    assert not settings.load(**elsewhere).uses_data_dir
    for name in elsewhere:
        assert settings.load(**{**elsewhere, name: ""}).uses_data_dir, name


def test_every_setting_explains_itself() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_secrets_are_not_shown() -> None:
    shown = repr(settings.load(instagram_app_secret="hush", gemini_api_key="hush"))
    assert "hush" not in shown


def test_the_house_makes_its_own_key_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = settings.load().secret_box
    path = tmp_path / ".selify" / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sealed = first.seal("x", about="row")
    assert settings.load().secret_box.open(sealed, about="row") == "x"
    assert [child.name for child in path.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    def key(_: int) -> str:
        return settings._own_key(tmp_path / "new")

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(key, range(64)))) == 1


def test_keys_given_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new, old = SecretBox.new_key("new"), SecretBox.new_key("old")
    monkeypatch.setenv("SELIFY_SECRET_KEYS", f"{new} {old}")
    box = settings.load().secret_box
    assert box.current_key == "new"
    assert box.open(SecretBox.parse([old]).seal("x", about="r"), about="r") == "x"
    assert not (tmp_path / ".selify").exists()


def test_a_key_of_ones_own_leaves_what_the_house_sealed_readable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sealed = settings.load().secret_box.seal("x", about="r")
    new = SecretBox.new_key("k2")
    monkeypatch.setenv("SELIFY_SECRET_KEYS", new)
    box = settings.load().secret_box
    assert (box.current_key, box.older_keys) == ("k2", ("k1",))
    assert box.open(sealed, about="r") == "x"


def test_the_houses_key_may_be_written_into_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sealed = settings.load().secret_box.seal("x", about="r")
    own = (tmp_path / ".selify" / "secret.key").read_text()
    monkeypatch.setenv("SELIFY_SECRET_KEYS", f"{SecretBox.new_key('k2')} {own}")
    box = settings.load().secret_box
    assert box.older_keys == ("k1",)
    assert box.open(sealed, about="r") == "x"


def test_another_key_of_the_same_name_is_refused_instead_of_hiding_the_houses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _ = settings.load().secret_box
    monkeypatch.setenv("SELIFY_SECRET_KEYS", SecretBox.new_key("k1"))
    with pytest.raises(SettingsWrong, match="two keys are called 'k1'") as wrong:
        _ = settings.load().secret_box
    assert str(tmp_path / ".selify" / "secret.key") in wrong.value.hint


@pytest.mark.parametrize("keys", ["k1:short", "nonsense", "k1"])
def test_keys_that_make_no_sense(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setenv("SELIFY_SECRET_KEYS", keys)
    with pytest.raises(SettingsWrong, match="SELIFY_SECRET_KEYS"):
        settings.load().secret_box  # noqa: B018 - made when first asked for


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsWrong, match="SELIFY_DATA_DIR"):
        settings.load(data_dir=tmp_path / "file" / "data").secret_box  # noqa: B018 - as above


# --- One of many ----------------------------------------------------------------------------------


class Lamp(settings.Settings):
    lamp: str = "on"

    def check_exposed(self) -> None:
        if self.lamp == "on":
            raise SettingsWrong("SELIFY_LAMP is on.")


class Door(settings.Settings):
    door: str = "open"

    def check_exposed(self) -> None:
        if self.door == "open":
            raise SettingsWrong("SELIFY_DOOR is open.")


def test_a_wing_gets_the_same_object_as_what_it_knows_of_it() -> None:
    found = settings.load(Lamp, lamp="off", photo_hours=3)
    assert found.of(Lamp) is found.of(TryOnSettings) is found
    assert (found.of(Lamp).lamp, found.of(TryOnSettings).photo_hours) == ("off", 3)
    with pytest.raises(LookupError, match="made without Door"):
        found.of(Door)


@pytest.mark.parametrize(
    ("set_to", "wrong"),
    [
        ({}, "DOOR|LAMP|INSTAGRAM"),
        ({"instagram_app_secret": "ours"}, "DOOR|LAMP"),
        ({"instagram_app_secret": "ours", "lamp": "off"}, "DOOR"),
        ({"instagram_app_secret": "ours", "door": "shut"}, "LAMP"),
        ({"lamp": "off", "door": "shut"}, "INSTAGRAM"),
    ],
)
def test_each_part_is_asked_whether_the_world_may_reach_us(
    set_to: dict[str, str], wrong: str
) -> None:
    ours = settings.load(Lamp, Door, **set_to)
    ours.check_for_the_world()
    with pytest.raises(SettingsWrong, match=wrong):
        ours.model_copy(update={"public_url": "https://brand.example"}).check_for_the_world()


def test_when_every_part_agrees_it_may() -> None:
    settings.load(
        *(Lamp, Door),
        public_url="https://brand.example",
        instagram_app_secret="ours",
        lamp="off",
        door="shut",
    ).check_for_the_world()


@pytest.mark.parametrize(
    "said",
    [
        {"__annotations__": {"photo_hours": int}, "photo_hours": 3},
        {"__annotations__": {"port": int}, "port": 3},
        {"own_url": property(lambda _: "mine")},
        {"_known_level": field_validator("log_level")(lambda _: "INFO")},
    ],
    ids=["another wing's field", "a generic field", "a property", "a validator"],
)
def test_two_that_say_the_same_name_are_refused(said: dict[str, Any]) -> None:
    twin = type("Twin", (settings.Settings,), {"__module__": __name__, **said})
    with pytest.raises(ValueError, match="Twin both say"):
        settings.load(twin)

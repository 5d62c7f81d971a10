import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_agent import config
from schoolwatch_agent.config import AgentConfig, ConfigError
from schoolwatch_agent.texts import Texts

ENGLISH = Texts("problems", "en")


def test_the_shipped_sample_is_all_defaults() -> None:
    assert config.parse(config.sample()) == AgentConfig()


def test_the_sample_documents_every_setting_with_its_default() -> None:
    text = re.sub(r"^# ", "", config.sample(), flags=re.MULTILINE)
    shown = {
        f"{section}.{key}": value
        for section, values in tomllib.loads(text).items()
        for key, value in values.items()
    }
    optional = {"server.mqtt_port", "server.tls"}  # absent as a default: as the enrolment said
    defaults = {
        f"{section}.{key}": value
        for section, values in json.loads(msgspec.json.encode(AgentConfig())).items()
        for key, value in values.items()
    }
    defaults["agent.data"] = "/var/lib/schoolwatch-agent"
    assert shown.keys() == defaults.keys()
    assert {k: v for k, v in shown.items() if k not in optional} == {
        k: v for k, v in defaults.items() if k not in optional
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[schedule]\nmesure = 1", "schedule.mesure"),
        ("[schedul]\nmeasure = 1", "schedul"),
        ('[schedule]\nmeasure = "often"', "schedule.measure"),
        ("[schedule]\nmeasure = 0", "schedule.measure"),
        ("[schedule]\nmeasure = 600\ndeliver = 300", "schedule.deliver"),
        ("[server]\nmqtt_port = 70000", "server.mqtt_port"),
        ('[server]\nurl = "ftp://x"', "server.url"),
        ("[delivery]\nack_wait = 3", "delivery.ack_wait"),
        ("[delivery]\nretry_max = 10", "delivery.retry_max"),
        ('[agent]\nlanguage = "fr"', "agent.language"),
        ("[spool]\nmax_bytes = 10", "spool.max_bytes"),
        ("agent = 3", "agent"),
        ('[server]\npassword = "x"', "server.password"),
    ],
)
def test_a_wrong_setting_is_named_by_its_path(text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, "agent.toml")
    assert caught.value.key == key
    assert str(caught.value).startswith(f"agent.toml: {key}: ")
    assert caught.value.told(ENGLISH).startswith(f"agent.toml: {key}: ")


def test_no_toml_names_the_file_and_line() -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse("measure 300")
    assert re.match(r"agent.toml: is not TOML: .*line 1", caught.value.told(ENGLISH))


@given(st.text())
def test_any_text_is_settings_or_a_config_error(text: str) -> None:
    try:
        found: object = config.parse(text)
    except ConfigError as error:
        found = error
    assert isinstance(found, AgentConfig | ConfigError)


@pytest.mark.parametrize("content", [b"\xff\xfe", "[agent]\r\n".encode("utf-16")])
def test_a_file_that_is_not_utf8_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "agent.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    assert "save it as UTF-8" in caught.value.told(ENGLISH)


def test_a_file_from_notepad_is_read(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_bytes(b"\xef\xbb\xbf[schedule]\r\nmeasure = 60\r\n")
    assert config.load(file).schedule.measure == 60


def test_a_relative_data_folder_counts_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('[agent]\ndata = "state"\n')
    assert config.load(file).data == tmp_path / "state"


def test_a_missing_file_that_was_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "none.toml")
    assert "none.toml: cannot be read" in caught.value.told(ENGLISH)

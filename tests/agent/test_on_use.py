"""What a delivery never needs is not loaded by it, and is there for whoever asks."""

import subprocess
import sys

import pytest

ASKS = """
import sys
from schoolwatch_agent.on_use import loaded_on_use
with loaded_on_use("urllib.request"):
    import schoolwatch_agent.delivery
assert "http.client" not in sys.modules, "the web's client was loaded"
import paho.mqtt.client as paho
{then}
"""


@pytest.mark.parametrize(
    "then",
    [
        "assert paho.urllib.request.getproxies() == {'https': 'http://192.0.2.1:8080'}",
        "from urllib.request import getproxies; assert getproxies()",
        "import urllib.request; assert urllib.request.Request('http://a.example').host == 'a.example'",
    ],
)
def test_a_delivery_does_without_the_webs_client_and_others_have_it(then: str) -> None:
    environment = {"https_proxy": "http://192.0.2.1:8080"}
    code = ASKS.format(then=then) + "assert 'http.client' in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

"""What a recording may not hold is cut out of it; what makes it worth sending stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_agent.host import Host
from schoolwatch_agent.personal import cut
from schoolwatch_agent.recorder import Recorder

NAMES = ("PC-HIEUTRUONG", "nguyenvana", "THPT-LEQUYDON", "Thu", "Thu Viện Trường")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        # names, however they are written
        (r"C:\Users\nguyenvana\Desktop\a.docx", r"C:\Users\-\Desktop\a.docx"),
        (json.dumps(r"C:\Users\tranthib\Desktop"), json.dumps(r"C:\Users\-\Desktop")),
        (r"C:\Users\Lê Thị Bích Ngọc\AppData\x.exe", r"C:\Users\-\AppData\x.exe"),
        (json.dumps(r"C:\Users\Le Thi Ngoc\AppData"), json.dumps(r"C:\Users\-\AppData")),
        (r"Access to 'C:\Users\Le Thi Ngoc' is denied", r"Access to 'C:\Users\-' is denied"),
        (r"no C:\Users\Thu Viện Trường", r"no C:\Users\-"),
        ("Thu Viện Trường and Thu", "- and -"),
        ("pc-hieutruong is slow", "- is slow"),
        (r"THPT-LEQUYDON\nguyenvana", r"-\-"),
        ("thay.a@lequydon.edu.vn", "someone@example.org"),
        # identifiers
        ("S-1-5-21-1004336348-1177238915-682003330-1001", "S-1-5-21-0"),
        ("S-1-12-1-3551461111-1202222222-1-2", "S-1-5-21-0"),
        ("key W269N-WFGWX-YVC9B-4J6C9-T83GX", "key -----"),
        ('"PartialProductKey":"T83GX"', '"PartialProductKey":"-"'),
        ('"SerialNumber": "PF3ABCDE"', '"SerialNumber": "-"'),
        ('"DNSDomain":"lequydon.local"', '"DNSDomain":"-"'),
        ("3c:97:0e:11:22:33", "00:00:00:00:00:00"),
        ("8c7b5e0a-1111-2222-3333-444455556666", "00000000-0000-0000-0000-000000000000"),
        # the network
        (r"\\may-chu\giao-an$", r"\\-\-"),
        (json.dumps({"path": r"\\may-chu\giao-an"}), json.dumps({"path": r"\\-\-"})),
        ("seen from 113.160.22.7", "seen from 113.160.0.1"),
        ("2405:4800:1:2:3e97:eff:fe11:2233", "2405:4800:1:2::ffff"),
    ],
)
def test_what_is_personal_is_cut(text: str, left: str) -> None:
    assert cut(text, NAMES) == left


@pytest.mark.parametrize(
    "text",
    [
        "192.168.1.23",
        "8.8.8.8",
        "4.18.23100.2009",
        "1.401.1144.0",
        "999.1.2.3",
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion",
        json.dumps(r"SYSTEM\CurrentControlSet\Services\mrxsmb10"),
        '{"Name":"Domain","Enabled":1}',
        "55c92734-d682-4d71-983e-d6ec3f16059f",
        "0FA1201D-4330-4FA8-8AE9-B877473B6441",
        "Kaspersky Endpoint Security for Windows",
        "Office16ProPlusVL_KMS_Client",
        "S-1-5-32-544",
    ],
)
def test_what_a_parser_needs_stays(text: str) -> None:
    assert cut(text, NAMES) == text


@given(around=st.text(alphabet=' "\\:,=(){}[]/-.\n', max_size=6), name=st.sampled_from(NAMES))
def test_no_name_is_left_whatever_stands_around_it(around: str, name: str) -> None:
    if not around.endswith("-") and not around.startswith("-"):
        assert name.lower() not in cut(f"{around}{name.swapcase()}{around}", NAMES).lower()


@given(text=st.text(alphabet='0123456789ABCDEF-.:\\"S', max_size=200))
def test_cutting_twice_changes_nothing_more(text: str) -> None:
    once = cut(text)
    assert cut(once) == once


class Windows(Host):
    """A Windows machine with people on it."""

    def __init__(self) -> None:
        super().__init__()
        self.system = "windows"

    def names(self, folder: str) -> tuple[str, ...]:
        assert folder.endswith("Users")
        return ("Public", "nguyenvana", "desktop.ini")

    def node_name(self) -> str:
        return "PC-HIEUTRUONG"

    def text(self, path: str) -> str:
        raise FileNotFoundError(path)

    def powershell(self, script: str, timeout: float = 30) -> str:
        return json.dumps({"products": [{"displayName": "Bkav của nguyenvana"}], "host": "pc-hieutruong"})


def test_a_windows_recording_names_neither_the_machine_nor_its_profiles() -> None:
    recorder = Recorder(Windows())
    assert "nguyenvana" in recorder.powershell("antivirus"), "the probe itself sees what is there"
    (answer,) = recorder.answers
    assert answer.json == {"products": [{"displayName": "Bkav của -"}], "host": "-"}

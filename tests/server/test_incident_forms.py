"""The report form of a serious incident: what it says, what it leaves open, and that what was made stays."""

import io
import json
import subprocess
from pathlib import Path

import msgspec
import pytest
from docx import Document
from jsonschema import Draft202012Validator
from sqlalchemy.exc import DatabaseError

from schoolwatch_server import incident_forms, rules, texts
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.database import audit, incident_recipients, incidents, serious
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.incident_recipients import RecipientRow
from schoolwatch_server.incident_forms import FormError, Wanted
from schoolwatch_server.rules.subject import device
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.serious import form
from schoolwatch_server.serious.timers import Sent
from tree import Tree

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "incident-form.json"
ADMIN = Principal("account", "quan-tri", ROLES["so_admin"], EVERYTHING, "so_admin")
RULES = {rule.id: rule for rule in rules.load()}
EVIDENCE = {
    "since": 0.0,
    "at": 0.0,
    "first": {
        "journal": 1,
        "taken_at": 1_790_000_000.0,
        "arrived_at": 1_790_432_000.0,
        "readings": {'antivirus.detections{"product": "clamav"}': 2.0},
        "facts": {'antivirus.threat{"product": "clamav", "threat": "Eicar"}': "2026-09-21T00:00:00Z"},
    },
    "last": {
        "journal": 2,
        "taken_at": 1_790_000_000.0,
        "arrived_at": 1_790_000_001.0,
        "sighting": "malware.found",
        "subject": r"C:\Users\Nguyen Van A\x.exe",
        "detail": {"user": r"TRUONG\nguyenvana"},
    },
}


def put(tree: Tree, *, is_exercise: bool = False, severity: str = "critical") -> int:
    """A serious incident of the first school's first device, with a note in which a person stands."""
    school = tree.schools[0]
    new = incidents.NewIncident(
        rule="malware_found",
        rule_version=1,
        severity=severity,
        subject=device(school.devices[0].id),
        since=tree.now - 3600,
        opened_at=tree.now,
        late=True,
        evidence=EVIDENCE,
    )
    with begin_write(tree.engine) as conn:
        opened = incidents.open_incident(conn, new, tree.now)
        assert opened is not None
        made = opened.id
        note = {"by": "ky-thuat", "text": "Đã rút mạng, gọi 0912 345 678"}
        incidents.add_event(conn, made, "noted", note, tree.now + 60)
        values = {"assignee": "ky-thuat", "is_exercise": is_exercise}
        conn.execute(t.incident.update().where(t.incident.c.id == made).values(**values))
    return made


def made_form(
    tree: Tree, incident: int, step: str = "notice", who: Principal = ADMIN
) -> tuple[form.Form, bytes, bytes]:
    wanted = Wanted(step, "province", who, tree.now + 100)
    row = incident_forms.make(tree.engine, incident, wanted, RULES["malware_found"], texts.load())
    with begin_read(tree.engine) as conn:
        kept = serious.form(conn, incident, row.sha256)
    assert kept is not None
    return form.decode(kept[0]), *kept


def words_of(letter: bytes) -> str:
    """All that stands on the pages, the first page's head and the others' included."""
    document = Document(io.BytesIO(letter))
    section = document.sections[0]
    parts = [section.first_page_header, section.header, document]
    said = [p.text for part in parts for p in part.paragraphs]
    said += [c.text for table in document.tables for row in table.rows for c in row.cells]
    return "\n".join(said)


def test_what_is_known_is_filled_in_and_the_rest_is_open(tree: Tree) -> None:
    incident = put(tree)
    made, _, letter = made_form(tree, incident)
    assert made.recipient is None, "nobody is the recipient by default"
    assert (made.step, made.revision, made.responsible, made.is_late) == ("notice", 1, "ky-thuat", True)
    assert made.place.school_code == tree.schools[0].code
    assert made.place.province == f"Tỉnh MarkP{'0'}X"
    assert made.devices[0].device == tree.schools[0].devices[0].device[:8]
    assert (made.due_at - made.detected_at).total_seconds() == 24 * 3600
    assert made.confidence == "V-2nd"
    said = words_of(letter)
    for part in (
        "BÁO CÁO NHANH",
        "Nghị định 331/2026/NĐ-CP",
        "V-2nd",
        "phát hiện muộn",
        "……",
        "Đầu mối liên hệ",
    ):
        assert part in said
    assert "DIỄN TẬP" not in said


@pytest.mark.parametrize("step", ["notice", "report"])
def test_it_keeps_to_its_schema(tree: Tree, step: str) -> None:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    _, body, _ = made_form(tree, put(tree), step)
    told = json.loads(body)
    assert not list(validator.iter_errors(told))
    assert list(validator.iter_errors(told | {"step": "other"}))


def test_people_are_not_in_it(tree: Tree) -> None:
    _, body, letter = made_form(tree, put(tree))
    for said in (body.decode(), words_of(letter)):
        assert "Nguyen Van A" not in said
        assert "nguyenvana" not in said
        assert "0912" not in said
        assert "Đã rút mạng" in said


def test_measured_and_arrived_both_stand_there(tree: Tree) -> None:
    made, _, letter = made_form(tree, put(tree))
    assert made.measured[0].title == "Số lần phát hiện mã độc trong 7 ngày qua"
    assert made.measured[0].value == 2.0
    assert made.measured[0].measured_at is not None
    assert made.measured[0].received_at is not None
    assert (made.measured[0].received_at - made.measured[0].measured_at).days == 5
    said = words_of(letter)
    assert "21:13:20 21/09/2026" in said
    assert "21:13:20 26/09/2026" in said


def test_an_exercise_is_marked_on_every_page(tree: Tree) -> None:
    made, _, letter = made_form(tree, put(tree, is_exercise=True))
    section = Document(io.BytesIO(letter)).sections[0]
    heads = ["".join(p.text for p in part.paragraphs) for part in (section.first_page_header, section.header)]
    assert all("DIỄN TẬP" in head for head in heads)
    assert form.file_name(made, "docx").startswith("dien-tap-su-co-")


def test_the_report_follows_the_notice_and_the_recipient_is_who_was_typed_in(tree: Tree) -> None:
    incident = put(tree)
    row = RecipientRow("province", "Trung tâm An ninh mạng", "1 Trần Phú", "ttanm@tinh.gov.vn", tree.now, "a")
    with begin_write(tree.engine) as conn:
        incident_recipients.set_recipient(conn, tree.schools[0].province, row)
        serious.set_sent(conn, incident, "notice", Sent(tree.now, "a", "12/SGDĐT-VP"), tree.now)
    made, _, letter = made_form(tree, incident, "report")
    assert made.notice_reference == "12/SGDĐT-VP"
    assert "Trung tâm An ninh mạng; 1 Trần Phú; ttanm@tinh.gov.vn" in words_of(letter)
    assert {"cause", "scope", "remedy"} <= set(made.to_fill)


def test_who_writes_is_the_office_of_the_account(tree: Tree) -> None:
    school = tree.schools[0]
    head = Principal(
        "account", "hieu-truong", ROLES["school_head"], Scope("school", school.id), "school_head"
    )
    made, _, letter = made_form(tree, put(tree), who=head)
    assert (made.sender, made.office) == ("school", f"Trường {school.mark}")
    assert f"TRƯỜNG {school.mark.upper()}" in words_of(letter)


def test_what_was_made_is_never_changed(tree: Tree) -> None:
    incident = put(tree)
    _, first, _ = made_form(tree, incident)
    again, second, letter = made_form(tree, incident)
    assert (again.revision, first == second) == (2, False)
    with begin_read(tree.engine) as conn:
        rows = serious.forms(conn, incident)
        told = [entry.action for entry in audit.newest(conn, 10)]
    assert [row.revision for row in rows] == [2, 1]
    assert (rows[1].sha256, rows[0].letter_sha256) == (form.digest(first), form.digest(letter))
    assert told.count("incident.form") == 2
    with pytest.raises(DatabaseError), begin_write(tree.engine) as conn:
        conn.execute(t.incident_form.update().values(body=b"{}"))


def test_of_an_incident_that_is_not_serious_or_not_seen_there_is_none(tree: Tree) -> None:
    other = Scope("school", tree.schools[1].id)
    stranger = Principal("account", "x", ROLES["school_head"], other, "school_head")
    for incident, who in ((put(tree), stranger), (10**6, ADMIN)):
        with pytest.raises(FormError, match="not_serious"):
            made_form(tree, incident, who=who)


def test_the_same_form_is_the_same_letter(tree: Tree) -> None:
    made, body, letter = made_form(tree, put(tree))
    assert form.encode(made) == body
    assert incident_forms.incident_letter.render(made, texts.load()) == letter
    assert msgspec.json.decode(body)["format"] == form.FORMAT


def test_libreoffice_prints_it(tree: Tree, peer, tmp_path: Path) -> None:
    _, _, letter = made_form(tree, put(tree, is_exercise=True), "report")
    (tmp_path / "letter.docx").write_bytes(letter)
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    command = [peer("soffice"), home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "letter.docx")], check=True, capture_output=True, timeout=120)
    reader = [peer("pdftotext"), "-layout", str(tmp_path / "letter.pdf"), "-"]
    said = subprocess.run(reader, check=True, capture_output=True, text=True).stdout
    pages = said.rstrip("\f").split("\f")
    assert all("DIỄN TẬP" in page for page in pages)
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in said
    assert "Nguyên nhân" in said


def test_what_was_kept_as_a_code_stands_in_words_in_the_letter(tree: Tree) -> None:
    made, _, _ = made_form(tree, put(tree))
    code = msgspec.structs.replace(made.measured[0], name="finding.outage_kind", value="isp", labels={})
    letter = incident_forms.incident_letter.render(
        msgspec.structs.replace(made, measured=(code,)), texts.load()
    )
    assert texts.load().get("vi", "value.isp") in words_of(letter)


def test_ages_stand_in_the_letter_in_units_that_people_count_in(tree: Tree) -> None:
    made, _, _ = made_form(tree, put(tree))
    ages = tuple(
        msgspec.structs.replace(made.measured[0], name="antivirus.signature_age", value=value, unit="s")
        for value in (45.0, 3600.0, 1.5 * 86400)
    )
    letter = incident_forms.incident_letter.render(msgspec.structs.replace(made, measured=ages), texts.load())
    for told in ("45 s", "1 giờ", "1,5 ngày"):
        assert told in words_of(letter)


def test_of_a_school_the_computers_that_were_there_are_listed(tree: Tree) -> None:
    school = tree.schools[0]
    number = put(tree)
    with begin_write(tree.engine) as conn:
        i = t.incident.c
        values = {
            "device_id": None,
            "room_id": None,
            "school_id": school.id,
            "subject": f"school:{school.id}",
        }
        conn.execute(t.incident.update().where(i.id == number).values(**values))
    made, _, letter = made_form(tree, number)
    theirs = sorted(device.device[:8] for device in school.devices)
    assert sorted(one.device for one in made.devices) == theirs
    assert all(device in words_of(letter) for device in theirs)
    with begin_write(tree.engine) as conn:
        conn.execute(t.incident.update().where(i.id == number).values(rule="site_untrusted"))
    assert made_form(tree, number)[0].devices == (), "a site's certificate is no trouble of computers"

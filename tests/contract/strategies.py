"""Hypothesis strategies for everything that can travel on the wire."""

from hypothesis import strategies as st

from schoolwatch_contract.ack import Ack
from schoolwatch_contract.frame import FORMATS, SEQ_MAX, Header
from schoolwatch_contract.records import EARLIEST, LATEST, Envelope, Fact, Reading, Sighting

KEY = bytes(range(32))

names = st.from_regex(r"[a-z][a-z0-9_]{0,20}(\.[a-z0-9][a-z0-9_]{0,12}){1,3}", fullmatch=True).filter(
    lambda name: len(name) <= 64
)
keys = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Any text without NUL and lone surrogates, as Vietnamese as it likes."""
    return st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=longest)


labels = st.dictionaries(keys, texts(128), max_size=8)
times = st.floats(EARLIEST, LATEST, exclude_max=True)
readings = st.builds(
    Reading, names, st.none() | st.floats(allow_nan=False, allow_infinity=False), labels=labels
)
facts = st.builds(Fact, names, st.none() | texts(512), labels=labels, reason=texts(512))
sightings = st.builds(
    Sighting,
    names,
    texts(128),
    detail=st.dictionaries(keys, texts(512), max_size=32),
    seen_at=st.none() | times,
)
envelopes = st.builds(
    Envelope,
    schema=st.just(1),
    taken_at=times,
    agent=texts(32),
    readings=st.lists(readings, max_size=6).map(tuple),
    facts=st.lists(facts, max_size=4).map(tuple),
    sightings=st.lists(sightings, max_size=3).map(tuple),
)

devices = st.binary(min_size=16, max_size=16).map(bytes.hex)
spools = st.binary(min_size=8, max_size=8).map(bytes.hex)
headers = st.tuples(
    devices,
    spools,
    st.lists(st.integers(1, SEQ_MAX), min_size=2, max_size=2).map(sorted),
    st.integers(int(EARLIEST * 1000), int(LATEST * 1000) - 1),
    st.sampled_from(sorted(FORMATS)),
).map(lambda parts: Header(parts[0], parts[1], parts[2][1], parts[2][0], parts[3] / 1000, parts[4]))
acks = st.builds(Ack, epoch=spools, spools=st.dictionaries(spools, st.integers(0, SEQ_MAX), max_size=20))

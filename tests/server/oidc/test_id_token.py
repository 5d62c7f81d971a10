"""Whether an ID token answers our question: each thing that it may say, or be signed with, wrongly."""

import hmac
import json
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_provider import CLIENT, EC, RSA, SECRET, Key, b64, compact
from schoolwatch_server.oidc import flow, id_token
from schoolwatch_server.oidc.errors import ProofError, ProviderError, UnknownKeyError
from schoolwatch_server.oidc.identity import Identity, is_subject
from schoolwatch_server.oidc.provider import discovery_url, keys_of, parse, signer
from schoolwatch_server.oidc_section import Oidc

ISSUER, NONCE = "https://dang-nhap.so.gov.vn/realms/so", "n" * 43
SECTION = Oidc(issuer=ISSUER, client_id=CLIENT)
WEAK = Key("weak", bits=1024)


def claims(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": ISSUER, "sub": "a", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": NONCE} | more
    return {name: value for name, value in said.items() if value is not None}


def signed(said: dict[str, Any], key: Key = RSA, **header: Any) -> str:
    return compact({"alg": key.algorithm, "kid": key.kid} | header, said, key.sign)


def check(token: str, section: Oidc = SECTION, *shown: Key) -> Identity:
    keys = keys_of({"keys": [key.jwk for key in shown or (RSA, EC)]})
    return id_token.check(token, keys, section, nonce=NONCE, now=time.time())


@pytest.mark.parametrize("key", [RSA, EC])
def test_a_token_that_answers_our_question_names_somebody(key: Key) -> None:
    assert check(signed(claims(), key)) == Identity(ISSUER, "a", False)
    assert check(signed(claims(aud=[CLIENT, "khac"], azp=CLIENT), key)).subject == "a"


def test_microsoft_s_object_id_names_somebody_where_the_settings_say_so() -> None:
    section = msgspec.structs.replace(SECTION, subject_claim="oid")
    assert check(signed(claims(oid="b")), section).subject == "b"
    with pytest.raises(ProofError, match="oid"):
        check(signed(claims()), section)


@pytest.mark.parametrize(
    ("said", "is_proved"),
    [
        ({"amr": ["pwd", "otp"]}, True),
        ({"acr": "2"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "otp"}, False),
        ({"amr": [["otp"]]}, False),
        ({"acr": ["2"]}, False),
        ({"acr": 2}, False),
        ({}, False),
    ],
)
def test_a_second_factor_is_what_the_settings_name_and_nothing_else(
    said: dict[str, Any], is_proved: bool
) -> None:
    section = msgspec.structs.replace(SECTION, second_factor_amr=("otp",), second_factor_acr=("2",))
    assert check(signed(claims(**said)), section).has_second_factor == is_proved
    assert not check(signed(claims(**said))).has_second_factor, "no setting, no second factor"


CLAIMS: dict[str, dict[str, Any]] = {
    "another login's nonce": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://khac.example"},
    "another client": {"aud": "khac"},
    "ours beside another, made for that one": {"aud": [CLIENT, "khac"], "azp": "khac"},
    "ours beside another, made for nobody named": {"aud": [CLIENT, "khac"]},
    "no audience": {"aud": None},
    "expired": {"exp": int(time.time()) - 3600},
    "no end": {"exp": None},
    "signed long ago, good for ever": {"iat": 1_600_000_000, "exp": 4_000_000_000},
    "signed tomorrow": {"iat": int(time.time()) + 86400, "exp": int(time.time()) + 90000},
    "not yet": {"nbf": int(time.time()) + 3600},
    "nobody": {"sub": ""},
    "a number for a name": {"sub": 7},
    "a name too long": {"sub": "x" * 256},
}


@pytest.mark.parametrize("what", CLAIMS)
def test_a_token_that_says_something_else_is_refused(what: str) -> None:
    with pytest.raises(ProofError):
        check(signed(claims(**CLAIMS[what])))


def _public(encoding: Encoding) -> bytes:
    return RSA.private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def _hmac(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda text: hmac.digest(secret, text, sha256)


STRANGER = Key("rsa-1")
HEADER = {"typ": "JWT", "kid": "rsa-1"}
FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "alg none": lambda claims: compact({**HEADER, "alg": "none"}, claims, lambda _: b""),
    "alg None, as some libraries had it": lambda claims: compact(
        {**HEADER, "alg": "None"}, claims, lambda _: b""
    ),
    "HS256 with the public key in PEM": lambda claims: compact(
        {**HEADER, "alg": "HS256"}, claims, _hmac(_public(Encoding.PEM))
    ),
    "HS256 with the public key in DER": lambda claims: compact(
        {**HEADER, "alg": "HS256"}, claims, _hmac(_public(Encoding.DER))
    ),
    "HS256 with the key as it is shown": lambda claims: compact(
        {**HEADER, "alg": "HS256"}, claims, _hmac(json.dumps(RSA.jwk).encode())
    ),
    "HS256 with the client's secret": lambda claims: compact(
        {**HEADER, "alg": "HS256"}, claims, _hmac(SECRET.encode())
    ),
    "a stranger's key under the same name": lambda claims: compact(
        {**HEADER, "alg": "RS256"}, claims, STRANGER.sign
    ),
    "a stranger's key that the token brings along": lambda claims: compact(
        {"alg": "RS256", "jwk": STRANGER.jwk, "jku": "http://127.0.0.1:9/", "kid": "x"}, claims, STRANGER.sign
    ),
    "a key of another kind": lambda claims: compact({**HEADER, "alg": "ES256"}, claims, EC.sign),
    "something that must be understood": lambda claims: compact(
        {**HEADER, "alg": "RS256", "crit": ["x"], "x": 1}, claims, RSA.sign
    ),
    "signed, then changed": lambda claims: _changed(compact({**HEADER, "alg": "RS256"}, claims, RSA.sign)),
    "no token at all": lambda _: "a.b.c",
    "too long": lambda claims: compact({**HEADER, "alg": "RS256"}, {**claims, "x": "x" * 40000}, RSA.sign),
}


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body[:-2]}{'A' if body[-2] != 'A' else 'B'}{body[-1]}.{signature}"


@pytest.mark.parametrize("what", FORGED)
def test_a_token_that_the_provider_did_not_sign_is_refused(what: str) -> None:
    with pytest.raises(ProofError) as refused:
        check(FORGED[what](claims()))
    assert "eyJ" not in str(refused.value)
    assert RSA.jwk["n"] not in str(refused.value)


def test_a_short_key_and_an_algorithm_that_the_settings_leave_out_are_refused() -> None:
    with pytest.raises(ProofError, match="InvalidKeyError"):
        check(signed(claims(), WEAK), SECTION, WEAK)
    with pytest.raises(ProofError, match="not allowed"):
        check(signed(claims(), EC), msgspec.structs.replace(SECTION, algorithms=("RS256",)))


def test_a_key_is_chosen_by_name_and_kind_and_never_guessed_among_several() -> None:
    other = Key("rsa-2")
    both = [RSA.jwk, other.jwk, EC.jwk]
    assert signer(both, "rsa-2", "RS256") == other.jwk
    assert signer(both, None, "ES256") == EC.jwk
    assert signer(both, None, "RS256") is None
    assert signer(both, "ec-1", "RS256") is None
    assert signer([RSA.jwk, RSA.jwk], "rsa-1", "RS256") is None, "two of one name"
    assert signer([{**RSA.jwk, "alg": "RS512"}], "rsa-1", "RS256") is None
    with pytest.raises(UnknownKeyError):
        check(signed(claims(), other))
    for nothing in ({}, {"keys": "x"}, {"keys": [7]}, {"keys": [{**RSA.jwk, "use": "enc"}]}):
        with pytest.raises(ProviderError):
            keys_of(nothing)


def test_a_damaged_key_of_the_provider_is_a_refusal_and_no_fault() -> None:
    for damage in ({"n": "!"}, {"n": 7}, {"e": None}, {"n": ""}, {"e": "AQ"}):
        key = {**RSA.jwk, **damage}
        with pytest.raises(ProofError):
            id_token.check(signed(claims()), [key], SECTION, nonce=NONCE, now=time.time())


@settings(max_examples=30)
@given(st.text(max_size=60), st.dictionaries(st.text(max_size=8), st.integers() | st.text(), max_size=4))
def test_whatever_comes_for_a_token_is_refused_in_words(text: str, header: dict[str, Any]) -> None:
    forged = f"{b64(json.dumps({'alg': 'RS256', 'kid': 'rsa-1'} | header).encode())}.{text}"
    for token in (text, f"{text}.{text}.{text}", forged, f"{forged}.{text}"):
        with pytest.raises(ProofError):
            check(token)


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=12), st.none() | st.text() | st.lists(st.integers()), max_size=6))
def test_whatever_a_provider_says_of_itself_is_read_or_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ProviderError):
        parse({"issuer": ISSUER} | document, ISSUER)


def test_a_provider_is_asked_where_the_standard_says() -> None:
    assert discovery_url("https://a.vn/x/") == "https://a.vn/x/.well-known/openid-configuration"
    assert discovery_url("https://a.vn") == "https://a.vn/.well-known/openid-configuration"


@settings(max_examples=30)
@given(st.text(max_size=500), st.floats(0, 4e9))
def test_a_login_on_its_way_comes_back_as_it_was_until_its_time_is_over(after: str, now: float) -> None:
    key, one = b"k" * 32, flow.begin(after, now)
    cookie = flow.wrap(key, one)
    assert cookie.isascii()
    assert flow.unwrap(key, cookie, now) == one
    assert flow.unwrap(key, cookie, now + flow.SECONDS + 1) is None
    assert flow.unwrap(key, cookie, now - 1) is None
    assert flow.unwrap(b"o" * 32, cookie, now) is None
    assert len({one.state, one.nonce, one.verifier, one.challenge, one.secret}) == 5
    assert len(one.verifier) == 43, "RFC 7636 wants 43 to 128"


@settings(max_examples=30)
@given(st.text(max_size=300))
def test_whatever_comes_for_a_cookie_is_no_login(text: str) -> None:
    assert flow.unwrap(b"k" * 32, text, 0.0) is None


@settings(max_examples=30)
@given(st.text(max_size=300))
def test_a_subject_is_what_a_provider_may_write(text: str) -> None:
    good = 0 < len(text) <= 255 and all(" " <= letter <= "~" for letter in text)
    assert is_subject(text) == (good and not text.startswith(" ") and not text.endswith(" "))

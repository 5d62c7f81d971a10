"""This server as a client of the provider: sends a browser there, and reads what it comes back with."""

import hmac
import secrets
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.oidc import client_secret, fetch, flow, id_token, provider
from schoolwatch_server.oidc.errors import ProofError, ProviderError, UnknownKeyError
from schoolwatch_server.oidc.identity import Identity
from schoolwatch_server.oidc.provider import Key, Provider

CALLBACK = "/login/oidc/callback"

AT_ONCE = 4
"""Questions to the provider on their way: a slow one must not hold every thread of the server."""

FRESH = 900.0
"""Seconds that what the provider says of itself, and its keys, are taken as they were."""

LOOK_AGAIN = 10.0
"""Seconds between two looks for a key that is not known."""

SPENT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    provider: Provider
    keys: tuple[Key, ...]
    at: float


class Client:
    """Logins through one provider; what it says of itself is kept in memory. `clock` gives seconds."""

    def __init__(self, config: ServerConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `ConfigError` when the secret or the authorities' file can't be used."""
        self.section = config.oidc
        self.redirect = config.http.public_url.rstrip("/") + CALLBACK
        self._clock, self._key = clock, secrets.token_bytes(32)
        self._known: _Known | None = None
        self._spent: OrderedDict[str, None] = OrderedDict()
        self._lock, self._places = threading.Lock(), threading.BoundedSemaphore(AT_ONCE)
        client_secret.read(self.section.client_secret_file)
        try:
            self._trust: ssl.SSLContext = fetch.trust(self.section.ca_file)
        except OSError as error:
            raise ConfigError(
                f"oidc.ca_file: {self.section.ca_file}: is no file of certificates (PEM)"
            ) from error

    def begin(self, after: str, now: float) -> tuple[str, str]:
        """Where to send the browser, and its cookie. Raises `ProviderError`."""
        known, one = self._now(), flow.begin(after, now)
        asked = {
            "response_type": "code",
            "client_id": self.section.client_id,
            "redirect_uri": self.redirect,
            "scope": "openid profile" if self.section.subject_claim == "oid" else "openid",
            "state": one.state,
            "nonce": one.nonce,
            "code_challenge": one.challenge,
            "code_challenge_method": "S256",
        }
        if self.section.prompt:
            asked["prompt"] = self.section.prompt
        if self.section.second_factor_acr:
            asked["acr_values"] = " ".join(self.section.second_factor_acr)
        address = known.provider.authorization
        joint = "&" if "?" in address else "?"
        return address + joint + urlencode(asked, quote_via=quote), flow.wrap(self._key, one)

    def flow_of(self, cookie: str, state: str, now: float) -> flow.Flow | None:
        """The login that this browser began and this answer is for; None for another, and the second time."""
        one = flow.unwrap(self._key, cookie, now)
        if one is None or not hmac.compare_digest(one.state.encode(), state.encode("utf-8", "replace")):
            return None
        with self._lock:
            if one.state in self._spent:
                return None
            self._spent[one.state] = None
            while len(self._spent) > SPENT_MOST:
                self._spent.popitem(last=False)
        return one

    def finish(self, one: flow.Flow, brought: flow.Return, now: float) -> Identity:
        """Who came back. Raises `ProofError` or `ProviderError`."""
        known = self._now()
        if brought.issuer != known.provider.issuer and (brought.issuer or known.provider.names_itself):
            raise ProofError(
                "the answer is another provider's (iss)"
            )  # RFC 9207 §2.4: before the code is used
        if brought.error or not brought.code:
            raise ProofError("the provider let nobody in")
        token = self._exchange(known.provider, one, brought.code)
        try:
            return id_token.check(token, known.keys, self.section, nonce=one.nonce, now=now)
        except UnknownKeyError:
            keys = self._look_again(known).keys
            return id_token.check(token, keys, self.section, nonce=one.nonce, now=now)

    def _exchange(self, to: Provider, one: flow.Flow, code: str) -> str:
        """The ID token that the code is good for."""
        try:
            secret = client_secret.read(self.section.client_secret_file)
        except ConfigError as error:
            raise ProviderError(str(error)) from error
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": one.verifier,
        }
        auth = None
        if to.takes_basic:
            auth = (quote(self.section.client_id, safe=""), quote(secret, safe=""))  # RFC 6749 §2.3.1
        else:
            form |= {"client_id": self.section.client_id, "client_secret": secret}
        status, answer = self._ask(to.token, form=form, auth=auth)
        if status in {400, 401, 403}:
            raise ProofError(f"the provider does not take the code: {_word(answer.get('error'))}")
        if status != 200:
            raise ProviderError(f"the token endpoint answers {status}")
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the token endpoint gives no ID token")
        return token

    def _now(self) -> _Known:
        known = self._known
        if known is None or self._clock() - known.at > FRESH:
            document = self._get(provider.discovery_url(self.section.issuer))
            known = self._with_keys(provider.parse(document, self.section.issuer))
        return known

    def _look_again(self, known: _Known) -> _Known:
        """The keys as they are now, unless somebody has just looked."""
        newest = self._known or known
        if newest is not known or self._clock() - known.at < LOOK_AGAIN:
            return newest
        return self._with_keys(known.provider)

    def _with_keys(self, of: Provider) -> _Known:
        self._known = _Known(of, provider.keys_of(self._get(of.keys)), self._clock())
        return self._known

    def _get(self, url: str) -> dict[str, Any]:
        status, document = self._ask(url)
        if status != 200:
            raise ProviderError(f"{url} answers {status}")
        return document

    def _ask(
        self, url: str, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        with self._place():
            return fetch.ask(self._trust, url, form=form, auth=auth)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise ProviderError("the provider is slow, and others wait for it already")
        try:
            yield
        finally:
            self._places.release()


def _word(error: object) -> str:
    """An error code of RFC 6749 §5.2, and nothing that could be more."""
    return error if isinstance(error, str) and error.isidentifier() and len(error) <= 40 else "no reason"

"""The way to Grafana's HTTP API: a request, its answer, and what is wrong in words that say what to do.

https://grafana.com/docs/grafana/latest/developers/http_api/
"""

import json
import ssl
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

TIMEOUT: Final = 30.0
"""Seconds for one answer."""

LARGEST: Final = 32_000_000
"""Bytes of one answer; the list of all alert rules of a large Grafana is a tenth of that."""


class GrafanaError(Exception):
    """Grafana did not do what it was asked for; the text says why and what to do."""


class Grafana:
    """One Grafana, spoken to with a token of a service account. Raises `GrafanaError` throughout."""

    def __init__(self, url: str, token: str, ca_file: str | None = None) -> None:
        import httpx  # few commands speak to Grafana: the others needn't hold it in memory

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise GrafanaError(f"--url: {url[:80]!r} is no address of a Grafana: write https://HOST[/PATH]")
        if not token.isascii() or not token.isprintable() or not token:
            raise GrafanaError("the token's file must hold one line, the token of a service account")
        try:
            trust = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else False
        except OSError as error:
            raise GrafanaError(f"--ca-file: {ca_file}: is no file of certificates (PEM)") from error
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        # what the environment says of proxies and .netrc is not for a token
        self._http = httpx.Client(verify=trust, headers=headers, timeout=TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **params: str) -> dict[str, Any] | None:
        """The object at a path; None when there is nothing."""
        found = self._get(path, params)
        if found is None or isinstance(found, dict):
            return found
        raise GrafanaError(f"{self.url}{path} answers with something else than it should: {_NO_GRAFANA}")

    def many(self, path: str, **params: str) -> list[dict[str, Any]]:
        """The objects at a path; none when there is nothing."""
        found = self._get(path, params)
        if found is None:
            return []
        if isinstance(found, list) and all(isinstance(one, dict) for one in found):
            return found
        raise GrafanaError(f"{self.url}{path} answers with something else than it should: {_NO_GRAFANA}")

    def _get(self, path: str, params: dict[str, str]) -> Any:
        status, answer = self._ask("GET", path, params=params)
        if status == 404:
            return None
        self._refuse(status, answer, "GET", path)
        return answer

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Changes something."""
        status, answer = self._ask(method, path, json=body, headers=headers)
        self._refuse(status, answer, method, path)
        return answer

    def _ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        import httpx

        try:
            with self._http.stream(method, self.url + path, **more) as answer:
                content = bytearray()
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > LARGEST:
                        raise GrafanaError(f"{self.url}: the answer to {path} does not end")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            why = str(error) or type(error).__name__
            raise GrafanaError(f"{self.url} can't be reached: {why[:200]}") from error
        if answer.is_redirect:
            to = answer.headers.get("location", "")[:200]
            what = (
                "something before it asks people to log in: give an address that leads past that"
                if "login" in to or "signin" in to
                else "give --url as it stands there"
            )
            raise GrafanaError(f"{self.url}{path} sends on to {to}: {what}")
        try:
            return answer.status_code, json.loads(content) if content else None
        except ValueError as error:
            if answer.status_code in (401, 403, 404, 429):
                return answer.status_code, None
            if answer.status_code >= 500:
                return answer.status_code, None
            raise GrafanaError(
                f"{self.url}{path} answered {answer.status_code} with something else than JSON: {_NO_GRAFANA}"
            ) from error

    def _refuse(self, status: int, answer: Any, method: str, path: str) -> None:
        if status < 300:
            return
        said = str(answer.get("message", "")) if isinstance(answer, dict) else ""
        what = f"Grafana refuses {method} {path} ({status}{': ' if said else ''}{said[:300]})"
        raise GrafanaError(f"{what}: {_ADVICE.get(status, _AWAY if status > 500 else 'see its log')}")


_NO_GRAFANA: Final = "is --url the address of a Grafana, with its path?"

_AWAY: Final = "it, or what stands before it, can't answer just now: look, then run again"

_ADVICE: Final = {
    400: "what is sent does not fit this version, or the object came from a file and is changed there",
    401: "the token is wrong, expired or of another Grafana; make one at Administration, Service accounts",
    403: "the token may not do that; the service account needs the role Admin",
    404: "is --url right, with the path below which Grafana is, and is its alerting switched on?",
    409: "something of that name is there already, or somebody changed it just now; look, then run again",
    412: "somebody changed it just now, or something of that name is there already; look, then run again",
    422: "what is sent does not fit this version of Grafana",
    429: "it had too many requests: wait a minute, then run again",
}

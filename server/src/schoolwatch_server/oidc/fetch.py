"""Asking the provider over HTTPS, within bounds: so many seconds, so many bytes, and never sent elsewhere."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from schoolwatch_server.oidc.errors import ProviderError
from schoolwatch_server.oidc_section import is_loopback

SECONDS = 8.0
"""For one question, from the name's look-up to the last byte."""

BYTES = 256 * 1024
"""Of an answer; the largest sets of keys have about 20 KiB."""

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


def trust(ca_file: str) -> ssl.SSLContext:
    """By which authorities the provider is known: this file's (PEM), or those the machine trusts.

    Raises `OSError` (`ssl.SSLError` too).
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def ask(
    context: ssl.SSLContext,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    seconds: float = SECONDS,
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer; a `form` is sent by POST. Raises `ProviderError`."""
    try:
        return asyncio.run(_within(context, url, form, auth, seconds))
    except TimeoutError:
        raise ProviderError(f"no whole answer within {seconds:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ProviderError(f"not reached ({type(error).__name__})") from None


async def _within(
    context: ssl.SSLContext,
    url: str,
    form: Mapping[str, str] | None,
    auth: tuple[str, str] | None,
    seconds: float,
) -> tuple[int, dict[str, Any]]:
    # the machine's proxy leads outside, and never to the machine itself
    outside = not is_loopback(urlsplit(url).hostname or "")
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(
            verify=context, follow_redirects=False, trust_env=outside, timeout=seconds, headers=_HEADERS
        ) as client,
        client.stream("GET" if form is None else "POST", url, data=form, auth=auth) as answer,
    ):
        return answer.status_code, _read(await _body(answer), answer.status_code)


async def _body(answer: httpx.Response) -> bytes:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise ProviderError("the answer is compressed, which was not asked for")
    body = b""
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > BYTES:
            raise ProviderError(f"the answer is longer than {BYTES} bytes")
    return body


def _read(body: bytes, status: int) -> dict[str, Any]:
    """What is no object is nobody's fault where the status says already that it failed."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        if status != 200:
            return {}
        raise ProviderError("the answer is no JSON object") from None

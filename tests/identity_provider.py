"""A provider of identities (OpenID Connect) on loopback: real HTTP, real signatures, and it may cheat.

Where it is honest it keeps to the standards: a code is good once, for one client, redirect address and
verifier (RFC 7636). Tokens are signed here, and not by the library that the server checks them with.
"""

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

CLIENT, SECRET = "schoolwatch", "a client secret: 100%/+ of it"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    """A key that signs, and how the provider shows it."""

    def __init__(self, kid: str, algorithm: str = "RS256", bits: int = 2048) -> None:
        self.kid, self.algorithm = kid, algorithm
        if algorithm == "RS256":
            self.private: Any = rsa.generate_private_key(65537, bits)
            numbers = self.private.public_key().public_numbers()
            shown = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        else:
            self.private = ec.generate_private_key(ec.SECP256R1())
            point = self.private.public_key().public_numbers()
            x, y = (b64(part.to_bytes(32, "big")) for part in (point.x, point.y))
            shown = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        self.jwk: dict[str, Any] = {"kid": kid, "use": "sig", "alg": algorithm, **shown}

    def sign(self, text: bytes) -> bytes:
        if self.algorithm == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), SHA256())
        r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def compact(header: Mapping[str, Any], claims: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A JWS in its compact form (RFC 7515 §7.1)."""
    text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{b64(sign(text.encode()))}"


@dataclass
class Provider:
    """`subject` is who is logged in there; the other fields are what a test makes it do."""

    subject: str = "nguoi-dung-1"
    key: Key = field(default_factory=lambda: RSA)
    shown: list[dict[str, Any]] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)
    make_token: Callable[[dict[str, Any]], str] | None = None
    methods: tuple[str, ...] = ("client_secret_basic",)
    token_answer: tuple[int, bytes] | None = None
    slow: float = 0.0
    redirect: str = ""
    asked: list[str] = field(default_factory=list)
    authorised: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        provider = self

        class Handler(_Handler):
            of = provider

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if self.tls is None else "https"
        self.issuer = f"{scheme}://127.0.0.1:{self._server.server_port}/realms/so"
        self.shown = self.shown or [self.key.jwk]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/certs",
            "token_endpoint_auth_methods_supported": list(self.methods),
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }

    def authorise(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = self.authorised = query
        back = {"code": code, "state": query["state"], "iss": self.issuer} | self.back
        return f"{query['redirect_uri']}?{urlencode({k: v for k, v in back.items() if v})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, bytes]:
        if self.token_answer is not None:
            return self.token_answer
        if authorization:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            client, secret = unquote(pair[0]), unquote(pair[2])
        else:
            client, secret = form.get("client_id", ""), form.get("client_secret", "")
        way = "client_secret_basic" if authorization else "client_secret_post"
        if (client, secret) != (CLIENT, SECRET) or way not in self.methods:
            return 401, b'{"error": "invalid_client"}'
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["code_challenge"] != challenge
        ):
            return 400, b'{"error": "invalid_grant"}'
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.make_token(claims) if self.make_token else self.signed(claims)
        body = {"access_token": "unused", "token_type": "Bearer", "id_token": token}
        return 200, json.dumps(body).encode()

    def signed(self, claims: Mapping[str, Any], **header: Any) -> str:
        head = {"alg": self.key.algorithm, "typ": "JWT", "kid": self.key.kid} | header
        return compact({k: v for k, v in head.items() if v is not None}, claims, self.key.sign)


class _Handler(BaseHTTPRequestHandler):
    of: Provider

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.of.asked.append(url.path)
        time.sleep(self.of.slow)
        name = url.path.removeprefix("/realms/so")
        if self.of.redirect and name == "/.well-known/openid-configuration":
            return self._answer(302, b"", {"Location": self.of.redirect})
        if name in {"/.well-known/openid-configuration", "/moved"}:
            return self._answer(200, json.dumps(self.of.described()).encode())
        if name == "/certs":
            return self._answer(200, json.dumps({"keys": self.of.shown}).encode())
        if name == "/auth":
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            return self._answer(302, b"", {"Location": self.of.authorise(query)})
        return self._answer(404, b"{}")

    def do_POST(self) -> None:
        self.of.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {key: values[0] for key, values in parse_qs(body).items()}
        self._answer(*self.of.token(form, self.headers.get("Authorization", "")))

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # who asked has gone: it waited long enough
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


RSA = Key("rsa-1")
EC = Key("ec-1", "ES256")

"""X.509 certificates of our own: a root, an issuing CA below it, what that signs, and its revocation list.

RFC 5280; ECDSA P-256 with SHA-256, because a device pays for each byte of a handshake. Pure: the time is
passed in (UTC), and nothing is read or written.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Purpose = Literal["server", "client"]

ROOT_LIFE = timedelta(days=20 * 365)
ISSUING_LIFE = timedelta(days=5 * 365)
LEAF_LIFE = timedelta(days=90)
CRL_LIFE = timedelta(days=14)

BACKDATED = timedelta(days=2)
"""How long before its making a certificate begins: a school's PC may be set to another time zone."""

_USES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with the key that it is of."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def root(name: str, now: datetime) -> Pair:
    """A root, signed by itself."""
    key = _key()
    subject = _subject(f"{name} root {now:%Y}")
    return Pair(_authority(subject, subject, key, key, now, ROOT_LIFE, depth=1), key)


def issuing(above: Pair, name: str, now: datetime) -> Pair:
    """A CA below a root, which signs everything else while the root's key lies in a safe."""
    key = _key()
    subject = _subject(f"{name} issuing {now:%Y-%m-%d}")
    life = min(ISSUING_LIFE, above.certificate.not_valid_after_utc - now)
    return Pair(_authority(subject, above.certificate.subject, key, above.key, now, life, depth=0), key)


def leaf(
    issuer: Pair,
    names: Sequence[str],
    now: datetime,
    *,
    life: timedelta = LEAF_LIFE,
    purpose: Purpose = "server",
) -> Pair:
    """A certificate for names and addresses (the first is its common name), never longer than its issuer's.

    Raises `ValueError` for a name that can't stand in a certificate.
    """
    key = _key()
    end = min(now + life, issuer.certificate.not_valid_after_utc)
    made = (
        _begun(_subject(names[0][:64]), issuer.certificate.subject, key, issuer.key, now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([_USES[purpose]]), critical=False)
        .add_extension(_usage(authority=False), critical=True)
    )
    return Pair(made.sign(issuer.key, hashes.SHA256()), key)


def crl(
    issuer: Pair, revoked: Mapping[int, datetime], number: int, now: datetime
) -> x509.CertificateRevocationList:
    """What the issuer has revoked: serial number to when; RFC 5280 §5."""
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(now + CRL_LIFE)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_issuer_id(issuer.key), critical=False)
    )
    for serial, at in sorted(revoked.items()):
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
        made = made.add_revoked_certificate(one.build())
    return made.sign(issuer.key, hashes.SHA256())


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """The names and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = found.get_values_for_type(x509.IPAddress)
    return frozenset([*found.get_values_for_type(x509.DNSName), *map(str, addresses)])


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether it is time to renew: a third of its life is left, or it does not hold at all."""
    begun = certificate.not_valid_before_utc + BACKDATED
    end = certificate.not_valid_after_utc
    return not certificate.not_valid_before_utc <= now < end - (end - begun) / 3


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, 64 hex digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_issuer_id(signer), critical=False)
    )


def _authority(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
    *,
    depth: int,
) -> x509.Certificate:
    made = (
        _begun(subject, issuer, key, signer, now, now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return made.sign(signer, hashes.SHA256())


def _issuer_id(signer: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

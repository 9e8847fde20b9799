"""A certificate of one's own: an authority made once, which each screen is told to trust, and a certificate by it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from layers.errors import SettingError

AUTHORITY_DAYS, CERTIFICATE_DAYS = 3650, 397


def make_certificate(folder: Path, names: Sequence[str]) -> tuple[Path, Path, Path]:
    """Make a certificate for names and addresses, and the authority where it is missing.

    Returns
    -------
    Files of the authority's certificate, of the certificate and of its key; keys are readable by their owner only.

    Raises
    ------
    SettingError
        No name was given, or the folder cannot be written.
    """
    if not names:
        raise SettingError(
            "A certificate needs a name.", "Name what the map is opened under: `certificate map.example`."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        issuer, issuer_key = _authority(folder)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(names[0], issuer.subject, key, CERTIFICATE_DAYS)
            .add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )
        _write_key(folder / "map.key", key)
        (folder / "map.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise SettingError(
            f"{folder} cannot be written: {error.strerror}.", "Set LOCAL_DIR to a folder of yours."
        ) from error
    return folder / "authority.pem", folder / "map.pem", folder / "map.key"


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    path, key_path = folder / "authority.pem", folder / "authority.key"
    if path.exists() and key_path.exists():
        held = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        assert isinstance(held, ec.EllipticCurvePrivateKey)
        return x509.load_pem_x509_certificate(path.read_bytes()), held
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Situation map, own authority")])
    certificate = (
        _builder("Situation map, own authority", name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    _write_key(key_path, key)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
    )


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    plain = serialization.NoEncryption()
    content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)

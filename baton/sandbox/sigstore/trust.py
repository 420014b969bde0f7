"""The document that makes a Sigstore client use, and trust, an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sigstore_models.common.v1 import (
    DistinguishedName,
    HashAlgorithm,
    LogId,
    PublicKey,
    PublicKeyDetails,
    TimeRange,
    X509Certificate,
    X509CertificateChain,
)
from sigstore_models.trustroot.v1 import (
    CertificateAuthority,
    ClientTrustConfig,
    Service,
    ServiceConfiguration,
    ServiceSelector,
    SigningConfig,
    TransparencyLogInstance,
    TrustedRoot,
)

from baton.sandbox.sigstore import SANDBOX_DOMAIN, SANDBOX_MARKER
from baton.sandbox.sigstore.certificates import VALID_FROM
from baton.sandbox.sigstore.keys import CertifiedKey, PrivateKey, subject_public_key_info

if TYPE_CHECKING:
    from baton.sandbox.sigstore.ctlog import CtLog
    from baton.sandbox.sigstore.fulcio import Fulcio
    from baton.sandbox.sigstore.rekor import Rekor
    from baton.sandbox.sigstore.rekor_v1 import RekorV1
    from baton.sandbox.sigstore.tsa import TimestampAuthority

REKOR_PATH: Final = "/rekor"
REKOR_V1_PATH: Final = "/rekor-v1"
TSA_PATH: Final = "/tsa/api/v1/timestamp"
OIDC_PATH: Final = "/oidc"

_ALWAYS: Final = TimeRange(start=VALID_FROM)


def client_trust_config(
    url: str, *, fulcio: Fulcio, ctlog: CtLog, rekor: Rekor, rekor_v1: RekorV1, tsa: TimestampAuthority
) -> ClientTrustConfig:
    """The trust root and the addresses of an instance.

    The trust root depends on the keys alone: after a restart, on whichever port, it is the same.

    Args:
        url: where the instance is now. Fulcio sits at its very root, since the client takes the path of Fulcio's API
            for an absolute one.
        fulcio: the certificate authority.
        ctlog: its certificate transparency log.
        rekor: the transparency log of version 2, which clients prefer.
        rekor_v1: the one of version 1.
        tsa: the timestamp authority.
    """
    return ClientTrustConfig(
        media_type="application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        trusted_root=TrustedRoot(
            media_type="application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            tlogs=[
                _log(rekor.origin, rekor.key, rekor.log_id, PublicKeyDetails.PKIX_ED25519),
                _log(rekor_v1.host, rekor_v1.key, rekor_v1.log_id, PublicKeyDetails.PKIX_ECDSA_P256_SHA_256),
            ],
            certificate_authorities=[_authority("fulcio", fulcio.intermediate, fulcio.root)],
            ctlogs=[_log(f"ctlog.{SANDBOX_DOMAIN}", ctlog.key, ctlog.log_id, PublicKeyDetails.PKIX_ECDSA_P256_SHA_256)],
            timestamp_authorities=[_authority("tsa", tsa.signer, tsa.root)],
        ),
        signing_config=SigningConfig(
            media_type="application/vnd.dev.sigstore.signingconfig.v0.2+json",
            ca_urls=[_service(url)],
            oidc_urls=[_service(url + OIDC_PATH)],
            rekor_tlog_urls=[_service(url + REKOR_PATH, version=2), _service(url + REKOR_V1_PATH)],
            rekor_tlog_config=ServiceConfiguration(selector=ServiceSelector.ANY),
            tsa_urls=[_service(url + TSA_PATH)],
            tsa_config=ServiceConfiguration(selector=ServiceSelector.ANY),
        ),
    )


# The models decode base64 when they validate, so what is in bytes already is put in without validation.


def _log(host: str, key: PrivateKey, log_id: bytes, details: PublicKeyDetails) -> TransparencyLogInstance:
    public_key = PublicKey.model_construct(
        raw_bytes=subject_public_key_info(key), key_details=details, valid_for=_ALWAYS
    )
    return TransparencyLogInstance(
        base_url=f"https://{host}",
        hash_algorithm=HashAlgorithm.SHA2_256,
        public_key=public_key,
        log_id=LogId.model_construct(key_id=log_id),
        operator=SANDBOX_MARKER,
    )


def _authority(name: str, *chain: CertifiedKey) -> CertificateAuthority:
    return CertificateAuthority(
        subject=DistinguishedName(organization=SANDBOX_MARKER, common_name=_common_name(chain[-1].certificate)),
        uri=f"https://{name}.{SANDBOX_DOMAIN}",
        cert_chain=X509CertificateChain(certificates=[_der(link.certificate) for link in chain]),
        valid_for=_ALWAYS,
        operator=SANDBOX_MARKER,
    )


def _common_name(certificate: x509.Certificate) -> str:
    (attribute,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(attribute.value)


def _der(certificate: x509.Certificate) -> X509Certificate:
    return X509Certificate.model_construct(raw_bytes=certificate.public_bytes(Encoding.DER))


def _service(url: str, *, version: int = 1) -> Service:
    return Service(url=url, major_api_version=version, valid_for=_ALWAYS, operator=SANDBOX_MARKER)

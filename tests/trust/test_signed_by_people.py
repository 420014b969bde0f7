"""A release that people sign: any one of them, but one for all files, on the days on which their keys count."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from baton.model.base import digest_of
from baton.model.errors import Invalid
from baton.model.manifest import Artifact
from baton.model.signing import HumanGpgSigner, HumanSigstoreSigner
from baton.sandbox.sigstore import ISSUER
from baton.trust.release import verify_release
from baton.trust.result import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from baton.model.signing import Signer
    from baton.sandbox.sigstore.server import LocalSigstore
    from baton.trust.result import Report
    from tests.trust.conftest import Gnupg

NAMES = ("hello-1.0.tar.gz", "hello-1.0.zip")
FILES = [(Artifact(name=name, digest=digest_of(name.encode()), size=len(name)), None) for name in NAMES]
LONG_AGO = date.today() - timedelta(days=300)  # noqa: DTZ011  # months are meant


def identity(name: str, **window: Any) -> dict[str, Any]:
    return {"identity": f"{name}@example.org", "issuer": ISSUER, **window}


def by_sigstore(**people: Sequence[dict[str, Any]]) -> HumanSigstoreSigner:
    listed = [{"person": person, "identities": list(identities)} for person, identities in people.items()]
    return HumanSigstoreSigner.model_validate({"instance": "sandbox", "people": listed})


ANYONE = by_sigstore(ada=[identity("ada"), identity("ada.home")], hedy=[identity("hedy")])


class Desk:
    """Where people sign with Sigstore."""

    def __init__(self, sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes]) -> None:
        self._sandbox = sandbox
        self._bundle = bundle

    def made_by(self, *who: str, provider: str = ISSUER) -> dict[str, bytes]:
        """The bundles of the files, by one of these each."""
        tokens = (self._sandbox.tokens.for_person(f"{name}@example.org", provider=provider) for name in who)
        return {
            f"{name}.sigstore.json": self._bundle(token, name.encode())
            for name, token in zip(NAMES, tokens, strict=True)
        }

    def verify(self, signer: Signer, made: dict[str, bytes]) -> Report:
        return verify_release(FILES, [(signer, made)], trust_config=self._sandbox.trust_config)


@pytest.fixture(scope="module")
def desk(sandbox: LocalSigstore, bundle: Callable[[str, bytes], bytes]) -> Desk:
    return Desk(sandbox, bundle)


def faults(report: Report) -> set[Fault | None]:
    return {signature.fault for file in report.files for signature in file.signatures}


@pytest.mark.parametrize("who", [("ada", "ada"), ("hedy", "hedy"), ("ada", "ada.home")])
def test_any_one_of_them_signs_with_whatever_is_listed_of_them(desk: Desk, who: tuple[str, str]) -> None:
    report = desk.verify(ANYONE, desk.made_by(*who))
    assert report, report.failures


def test_two_people_do_not_share_the_files(desk: Desk) -> None:
    report = desk.verify(ANYONE, desk.made_by("ada", "hedy"))
    (problem,) = report.problems
    assert problem == (
        "the sigstore-human signatures are by 2 people, expected one of them to sign all files: "
        "hello-1.0.tar.gz.sigstore.json is by ada, hello-1.0.zip.sigstore.json is by hedy"
    )


def test_people_of_one_name_at_two_issuers_are_two(desk: Desk) -> None:
    google = {"identity": "ada@example.org", "issuer": "https://accounts.google.com"}
    first, second = NAMES
    made = desk.made_by("ada", "ada") | {
        name: bundle
        for name, bundle in desk.made_by("ada", "ada", provider=google["issuer"]).items()
        if name.startswith(second)
    }
    assert desk.verify(by_sigstore(ada=[identity("ada"), google]), made)
    (problem,) = desk.verify(by_sigstore(ada=[identity("ada")], hedy=[google]), made).problems
    assert f"{first}.sigstore.json is by ada, {second}.sigstore.json is by hedy" in problem


def test_nobody_else_counts_nor_the_same_name_by_another_issuer(desk: Desk) -> None:
    stranger = desk.verify(ANYONE, desk.made_by("ada", "mallory"))
    assert faults(stranger) == {None, Fault.UNTRUSTED}
    elsewhere = desk.verify(ANYONE, desk.made_by("ada", "ada", provider="https://accounts.google.com"))
    assert faults(elsewhere) == {Fault.UNTRUSTED}


@pytest.mark.parametrize(
    "window",
    [{"until": LONG_AGO}, {"from": LONG_AGO + timedelta(days=900)}, {"revoked": LONG_AGO}],
    ids=["over", "to come", "revoked"],
)
def test_what_does_not_count_on_the_day_of_the_signature_does_not_count(desk: Desk, window: dict[str, date]) -> None:
    made = desk.made_by("ada", "ada")
    assert not desk.verify(by_sigstore(ada=[identity("ada", **window)], hedy=[identity("hedy")]), made)
    assert desk.verify(by_sigstore(ada=[identity("ada", **window), identity("ada", **{"from": LONG_AGO})]), made)


def test_one_bundle_for_each_file_and_none_beside(desk: Desk) -> None:
    made = desk.made_by("ada", "ada")
    first, second = made
    assert faults(desk.verify(ANYONE, {first: made[first]})) == {None, Fault.MISSING}
    assert faults(desk.verify(ANYONE, {first: made[second], second: made[first]})) == {Fault.BAD}
    extra = desk.verify(ANYONE, {**made, "hello.exe.sigstore.json": made[first]})
    assert extra.problems == ("hello.exe.sigstore.json is a signature of no file of the manifest",)


class Keys:
    """Ada's and grace's OpenPGP keys, and files to sign with them."""

    def __init__(self, gnupg: Gnupg, folder: Path) -> None:
        self._gnupg = gnupg
        self.of = {name: gnupg.make(f"{name} who signs <{name}@example.org>") for name in ("ada", "grace", "mallory")}
        self.files = [(artifact, folder / artifact.name) for artifact, _ in FILES]
        for artifact, path in self.files:
            path.write_bytes(artifact.name.encode())

    def signer(self, **windows: dict[str, Any]) -> HumanGpgSigner:
        """Those who may, with when their keys count."""
        people = [
            {
                "person": name,
                "keys": [
                    {
                        "fingerprint": self.of[name],
                        "public_key": self._gnupg.export(self.of[name]).decode(),
                        **window,
                    }
                ],
            }
            for name, window in windows.items()
        ]
        return HumanGpgSigner.model_validate({"people": people})

    def made_by(self, *who: str) -> dict[str, bytes]:
        return {
            f"{artifact.name}.asc": self._gnupg.sign(self.of[name], path)
            for (artifact, path), name in zip(self.files, who, strict=True)
        }


@pytest.fixture(scope="module")
def keys(gnupg: Gnupg, tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(gnupg, tmp_path_factory.mktemp("signed"))


def test_one_persons_own_key_signs_all_files(keys: Keys) -> None:
    both = keys.signer(ada={}, grace={})
    assert verify_release(keys.files, [(both, keys.made_by("grace", "grace"))])
    shared = verify_release(keys.files, [(both, keys.made_by("ada", "grace"))])
    (problem,) = shared.problems
    assert problem == (
        "the gpg-human signatures are by 2 people, expected one of them to sign all files: "
        "hello-1.0.tar.gz.asc is by ada, hello-1.0.zip.asc is by grace"
    )
    assert faults(verify_release(keys.files, [(both, keys.made_by("ada", "mallory"))])) == {None, Fault.UNKNOWN_KEY}
    over = keys.signer(ada={"until": LONG_AGO}, grace={})
    assert not verify_release(keys.files, [(over, keys.made_by("ada", "ada"))])
    with pytest.raises(Invalid, match="OpenPGP signs its content, not its digest"):
        verify_release(FILES, [(both, keys.made_by("ada", "ada"))])

"""The files: what the plan, the manifest, the builds and the signatures say of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.evidence.result import bad, good
from baton.model.attesting import planned_attester
from baton.model.base import counted
from baton.model.manifest import ManifestFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.evidence.folder import Folder
    from baton.evidence.result import Check
    from baton.model.evidence import Record
    from baton.model.manifest import Manifest
    from baton.model.plan import Plan
    from baton.model.resigning import Resigning

_DESCRIBED = "describe"
"""The step that a manifest names for the SPDX documents that Baton makes."""


def same_release(folder: Folder, record: Record, plan: Plan, manifest: Manifest | None) -> Iterator[Check]:
    """Whether list, record, plan and manifest are of one and the same release."""
    index, faults = folder.index, []
    for fact in ("release", "run", "sandbox", "plan", "manifest", "complete", "at"):
        told, expected = getattr(record, fact), getattr(index, fact)
        if told != expected:
            faults.append(f"the record says {fact} {told}; the list says {expected}")
    if (kept := folder.digest("plan.json")) != index.plan:
        faults.append(f"plan.json is plan {kept}; the list says {index.plan}")
    if (plan.release, plan.sandbox) != (index.release, index.sandbox):
        faults.append(f"the plan is for {plan.release}; the list is of {index.release}")
    faults += [] if manifest is None else _manifest_faults(folder, record, plan, manifest)
    if manifest is None and index.complete:
        faults.append("there is no manifest, so that nothing can have been released")
    yield from (bad("release", fault) for fault in faults)
    if not faults:
        yield good("release", f"plan {index.plan}" + (f", manifest {index.manifest}" if manifest else ""))


def _manifest_faults(folder: Folder, record: Record, plan: Plan, manifest: Manifest) -> Iterator[str]:
    index = folder.index
    if (kept := folder.digest("manifest.json")) != index.manifest:
        yield f"manifest.json is manifest {kept}; the list says {index.manifest}"
    if manifest.plan != index.plan:
        yield f"the manifest follows plan {manifest.plan}; the release followed {index.plan}"
    if (manifest.project, manifest.version) != (index.release.project, index.release.version):
        yield f"the manifest is of {manifest.project} {manifest.version}; the list is of {index.release}"
    if record.source is not None and manifest.commit != record.source.commit:
        yield f"the manifest is of commit {manifest.commit}; the source was prepared as {record.source.commit}"
    # What was released is signed anew as it is, whatever had been prepared on top of its plan's commit.
    if plan.resigning is None and not plan.source.prepare and manifest.commit != plan.source.commit:
        yield f"the manifest is of commit {manifest.commit}; the plan releases {plan.source.commit}"


def made_as_told(folder: Folder, record: Record, plan: Plan, manifest: Manifest) -> Iterator[Check]:
    """Whether each file of the manifest is what its step made, and each step built the released commit."""
    if plan.resigning is not None:
        yield from _listed_as_told(plan.resigning, manifest)
        return
    made: dict[str, ManifestFile] = {}
    for built in record.built:
        subject = f"step {built.step}"
        artifacts = folder.artifacts(name := f"built/{built.step}.json")
        if folder.digest(name) != built.artifacts.digest:
            yield bad(subject, f"made {folder.digest(name)}; the record says {built.artifacts.digest}")
        if built.commit != manifest.commit:
            yield bad(subject, f"built commit {built.commit}; the manifest is of {manifest.commit}")
        if plan.step(built.step) is None:
            yield bad(subject, "made files, but the plan has no such step")
        made |= {file.name: ManifestFile(**file.model_dump(), step=built.step) for file in artifacts.artifacts}
    wrong = [
        file.name
        for file in manifest.files
        if file.step != _DESCRIBED and file.model_copy(update={"sbom": None}) != made.get(file.name)
    ]
    wrong += sorted(made.keys() - {file.name for file in manifest.files})
    if wrong:
        yield bad("files", f"the manifest and what the steps made differ: {', '.join(wrong[:10])}")
    else:
        yield good("files", f"{counted(len(manifest.files), 'file')}, each as its step made it")


def _listed_as_told(resigning: Resigning, manifest: Manifest) -> Iterator[Check]:
    """Whether a manifest of what was signed anew has the files of the list that a person gave, if one did."""
    if resigning.evidence is not None:
        yield good("files", f"{counted(len(manifest.files), 'file')}, of the release whose evidence is in the plan")
        return
    wanted = {file.name: file.digest for file in resigning.files}
    came = {file.name: file.digest for file in manifest.files}
    if differing := sorted(name for name, _ in wanted.items() ^ came.items()):
        yield bad("files", f"the manifest and the plan's list differ: {', '.join(dict.fromkeys(differing))[:500]}")
    else:
        yield good("files", f"{counted(len(came), 'file')}, each as the plan lists it")


def signed_as_planned(folder: Folder, record: Record, plan: Plan, manifest: Manifest) -> Iterator[Check]:
    """Whether each of the plan's signers signed each file of the manifest, and nothing else."""
    if tuple(made.signer for made in record.signed) != plan.signers:
        came = ", ".join(made.signer.kind for made in record.signed) or "nobody"
        yield bad("signatures", f"are by {came}; the plan's signers are {', '.join(s.kind for s in plan.signers)}")
    for made in record.signed:
        subject = f"signatures by {made.signer.kind}"
        artifacts = folder.artifacts(name := f"signatures/{made.signer.kind}.json")
        there = {signature.name for signature in artifacts.artifacts}
        expected = {f"{file.name}{made.signer.suffix}" for file in manifest.files}
        if folder.digest(name) != made.signatures.digest:
            yield bad(subject, f"are {folder.digest(name)}; the record says {made.signatures.digest}")
        if there != expected:
            differing = ", ".join(sorted(there ^ expected)[:10])
            yield bad(subject, f"are not one for each file of the manifest: {differing}")
        else:
            yield good(subject, f"{counted(len(there), 'signature')}, one for each file of the manifest")


def published_as_planned(record: Record, plan: Plan, manifest: Manifest) -> Iterator[Check]:
    """Whether every target shows every file, every signature and every statement."""
    told = [published.target for published in record.published]
    planned = [target.name for target in plan.targets]
    if told != planned:
        yield bad("targets", f"public on {', '.join(told) or 'none'}; the plan's targets are {', '.join(planned)}")
    files = len(manifest.files) * (1 + len(plan.signers) + (planned_attester(plan) is not None))
    for published in record.published:
        subject = f"target {published.target}"
        if published.checked != files:
            yield bad(subject, f"{counted(published.checked, 'file')} were fetched back; there are {files}")
        else:
            yield good(subject, f"{counted(files, 'file')} fetched back from {published.url}")

"""Commands that speak at a gate: agreeing, objecting, taking either back."""

# ruff: noqa: PLC0415  # why: the package's docstring
from baton.cli import arguments as a


def sign_off(
    release: a.Release,
    gate: a.Gate,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    subject: a.Subject = None,
    attempt: a.Attempt = 1,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Agree to what a gate asks about.

    Shows what you agree to, the digest of the plan or of the manifest with its files and checks, and asks before it
    signs that and sends it. Your sign-off counts for exactly that digest.

    While no worker is up, `--signal --subject DIGEST` leaves a sign-off for later. It counts only if that digest is
    what the gate asks about.

    Examples:
      baton sign-off hello/1.0.0 publish
      baton sign-off hello/1.0.0 publish --as ada --role release-manager --key ~/.ssh/id_ed25519
      baton sign-off hello/1.0.0 publish --print > message.json
      temporal workflow signal -w release/hello/1.0.0 --name sign_off --input-file message.json
    """
    from baton.cli.agreement import Expected, speak_at_gate
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import SignOff

    speak_at_gate(
        SignOff,
        find_place(sandbox=sandbox, state=state),
        release,
        gate,
        speaker=Speaker(person, role, reason, key, unsigned),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
        expected=Expected(subject, attempt),
    )


def reject(
    release: a.Release,
    gate: a.Gate,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    subject: a.Subject = None,
    attempt: a.Attempt = 1,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Object to what a gate asks about: it can't pass until you withdraw.

    Shows what the gate asks about, and asks before it signs your objection and sends it. If you had signed off, that
    no longer counts.

    Examples:
      baton reject hello/1.0.0 publish --reason "the installer does not start"
      baton reject hello/1.0.0 publish --yes
    """
    from baton.cli.agreement import Expected, speak_at_gate
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import Rejection

    speak_at_gate(
        Rejection,
        find_place(sandbox=sandbox, state=state),
        release,
        gate,
        speaker=Speaker(person, role, reason, key, unsigned),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
        expected=Expected(subject, attempt),
    )


def withdraw(
    release: a.Release,
    gate: a.Gate,
    *,
    person: a.Person = None,
    role: a.Role = None,
    reason: a.Reason = "",
    key: a.Key = None,
    unsigned: a.Unsigned = False,
    yes: a.Yes = False,
    signal: a.Signal = False,
    subject: a.Subject = None,
    attempt: a.Attempt = 1,
    only_print: a.Print = False,
    as_json: a.Json = False,
    sandbox: a.Sandbox = False,
    state: a.State = None,
) -> None:
    """Take back your own sign-off or rejection, until the gate has passed.

    Examples:
      baton withdraw hello/1.0.0 publish --reason "found the cause, it is not ours"
    """
    from baton.cli.agreement import Expected, speak_at_gate
    from baton.cli.place import find_place
    from baton.cli.speech import Manner, Speaker
    from baton.model.acts import Withdrawal

    speak_at_gate(
        Withdrawal,
        find_place(sandbox=sandbox, state=state),
        release,
        gate,
        speaker=Speaker(person, role, reason, key, unsigned),
        manner=Manner(yes=yes, signal=signal, only_print=only_print, as_json=as_json),
        expected=Expected(subject, attempt),
    )

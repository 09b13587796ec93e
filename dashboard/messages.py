"""What a browser may send to Dash: checked against the app's own callbacks before Dash sees it.

Dash trusts the body of a question and fails with an error of the server where it is not what its own renderer sends;
here each is held against the callback it names: the parts it asks about, the parts it answers, and their shapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

DEPTH = 32  # of nested lists and objects; a figure's state has about ten
_KEYS = {"output", "outputs", "inputs", "state", "changedPropIds", "parsedChangedPropsIds"}
_WILDCARDS = (["ALL"], ["ALLSMALLER"])
_ANY = (*_WILDCARDS, ["MATCH"])


class Malformed(ValueError):
    """A body that Dash's own renderer would never send; the text says what is wrong with it."""


def parsed(raw: bytes) -> object:
    """The body's JSON; raises Malformed for what is none, for NaN, and for nesting deeper than ``DEPTH``."""
    try:
        body: object = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    _bounded(body)
    return body


def check(body: object, callbacks: Mapping[str, Mapping[str, Any]]) -> None:
    """Hold a body against the app's callback map; raises Malformed."""
    if not isinstance(body, dict) or not set(body) <= _KEYS:
        raise Malformed("not a callback's body")
    output = body.get("output")
    callback = callbacks.get(output) if isinstance(output, str) else None
    if callback is None or "callback" not in callback:
        raise Malformed("no such callback on this server")
    asked = [*_parts(body, "inputs", callback["inputs"]), *_parts(body, "state", callback["state"])]
    _outputs(body.get("outputs"), callback)
    _changed(body.get("changedPropIds", []), asked)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bounded(body: object) -> None:
    """Walk level by level, so that depth costs no stack."""
    level: list[object] = [body]
    for _ in range(DEPTH):
        below: list[object] = []
        for value in level:
            below += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if not below:
            return
        level = below
    raise Malformed(f"nested deeper than {DEPTH}")


def _parts(body: Mapping[str, Any], name: str, wanted: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The inputs or the state of a body, flat, after they were held against what the callback declares."""
    given = body.get(name, [])
    if not isinstance(given, list) or len(given) != len(wanted):
        raise Malformed(f"{name} are not those of the callback")
    found: list[dict[str, Any]] = []
    for entry, spec in zip(given, wanted, strict=True):
        found += _entries(entry, spec["id"], spec["property"])
    return found


def _outputs(given: object, callback: Mapping[str, Any]) -> None:
    if callback.get("no_output"):
        if given not in (None, []):
            raise Malformed("outputs of a callback that has none")
        return
    declared = callback["output"]
    several = isinstance(declared, (list, tuple))
    wanted = list(declared) if several else [declared]
    entries = given if several else [given]
    if not isinstance(entries, list) or len(entries) != len(wanted):
        raise Malformed("outputs are not those of the callback")
    for entry, spec in zip(entries, wanted, strict=True):
        _entries(entry, spec.component_id_str(), spec.component_property)


def _entries(entry: object, name: str, prop: str) -> list[dict[str, Any]]:
    """One declared part as it was sent: an object, or a list of them where its id stands for any number."""
    pattern = json.loads(name) if name.startswith("{") else name
    many = isinstance(pattern, dict) and any(value in _WILDCARDS for value in pattern.values())
    sent = entry if many else [entry]
    if not isinstance(sent, list):
        raise Malformed(f"{name[:80]}: expected a list")
    return [_fitting(one, pattern, prop) for one in sent]


def _fitting(one: object, pattern: object, prop: str) -> dict[str, Any]:
    if not isinstance(one, dict) or not _same(one.get("id"), pattern) or _bare(one.get("property")) != prop:
        raise Malformed(f"not a part of the callback, expected {prop}")
    return one


def _bare(prop: object) -> str:
    """A property without what Dash puts behind it to tell apart callbacks that share an output."""
    return prop.partition("@")[0] if isinstance(prop, str) else ""


def _same(given: object, pattern: object) -> bool:
    if not isinstance(pattern, dict):
        return given == pattern
    return isinstance(given, dict) and set(given) == set(pattern) and all(_fits(given[key], pattern[key]) for key in pattern)


def _fits(value: object, wanted: object) -> bool:
    return isinstance(value, (str, int, float)) if wanted in _ANY else value == wanted


def _changed(changed: object, asked: Sequence[Mapping[str, Any]]) -> None:
    """What triggered the question is among what it asks about."""
    known = {f"{_name(part['id'])}.{part['property']}" for part in asked}
    if not isinstance(changed, list) or not all(isinstance(one, str) and one in known for one in changed):
        raise Malformed("changedPropIds are not among the inputs")


def _name(identity: object) -> str:
    """An id as Dash writes it into a property's name."""
    return identity if isinstance(identity, str) else json.dumps(identity, sort_keys=True, separators=(",", ":"))

"""Where a policy may be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.destination import check_free, check_writable
from plant_models.core.errors import BadInput


def test_a_new_an_empty_and_a_policy_s_own_folder_are_free_and_left_as_they_are(tmp_path: Path) -> None:
    for name in ("manifest.json", "weights.safetensors", "last"):
        (tmp_path / "policy").mkdir(exist_ok=True)
        (tmp_path / "policy" / name).touch()
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for place in ("policy", "empty", "new", "new/deeper"):
        check_free(tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_holds_something_else_may_be_written_into_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    check_writable(tmp_path)
    with pytest.raises(BadInput, match=r"holds 'notes.txt', which is no part of a policy and would be lost"):
        check_free(tmp_path)


@pytest.mark.parametrize("place", ["/proc/policy", "/proc/new/policy", "x" * 300])
def test_a_place_that_cannot_be_written_is_told_with_the_reason(place: str) -> None:
    with pytest.raises(BadInput, match=r"cannot be written \(.+\); name another folder"):
        check_free(Path(place))

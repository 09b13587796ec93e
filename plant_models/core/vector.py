"""Frozen named vectors: the states, inputs, disturbances, parameters and outputs of a plant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, TypeAlias, dataclass_transform

from plant_models.core.quantity import Quantity, quantity

Expr: TypeAlias = Any
"""A float, a NumPy array, a CasADi symbol or a pint quantity: equations are written once for all four."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(quantity,))
class Vector:
    """Base of a plant's vectors; every field is declared with :func:`quantity` and none has a default."""

    _declared: ClassVar[tuple[tuple[str, Quantity], ...]] = ()

    def __init_subclass__(cls, **kw: Any) -> None:
        """Turn the subclass into a frozen, keyword-only dataclass."""
        super().__init_subclass__(**kw)
        dataclass(frozen=True, kw_only=True)(cls)
        cls._declared = tuple((f.name, f.metadata["quantity"]) for f in fields(cls))  # type: ignore[arg-type]

    @classmethod
    def quantities(cls) -> dict[str, Quantity]:
        """Return the declared quantities by name, in order."""
        return dict(cls._declared)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the field names, in order."""
        return tuple(name for name, _ in cls._declared)

    @classmethod
    def nominal(cls) -> Self:
        """Return the vector at its nominal values."""
        return cls(**{name: q.nominal for name, q in cls.quantities().items()})

    @classmethod
    def of(cls, values: Sequence[Expr]) -> Self:
        """Return the vector with ``values`` in the order of declaration.

        Raises:
            ValueError: where the count differs.
        """
        return cls(**dict(zip(cls.names(), values, strict=True)))

    def __iter__(self) -> Iterator[Expr]:
        """Yield the values in the order of declaration."""
        return (getattr(self, name) for name in self.names())

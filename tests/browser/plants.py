"""Two plant cards as the catalogue would give them, without tracing a plant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plant_models.core.errors import UnknownName

_EQUATIONS = """Exothermic stirred tank A -> B with a cooling jacket, on its cold branch below ignition.

    dc_A/dt = q/V (c_f - c_A) - r                                              mole balance on A
    dT/dt   = q/V (T_f - T) + (-dH) r / (rho c_p) + UA (T_c - T)/(rho c_p V)   energy balance
    r       = k_0 exp(-E_R/T) c_A                                              Arrhenius rate

Assumed: perfect mixing, constant volume and density, one jacket temperature that follows its command at once.
"""
BOOK = {"text": "Seborg, Edgar, Mellichamp, Doyle: Process Dynamics and Control, 4th ed., Wiley 2016, Example 2.5", "doi": ""}


def _quantity(name: str, unit: str, nominal: float, meaning: str, **more: object) -> dict[str, Any]:
    empty = {"low": None, "high": None, "valid": [None, None], "rate": None, "uncertain": 0.0, "tag": "", "noise": 0.0}
    known = {"kind": "load", "measured": True, "forecast": False, "source": None, "shown": unit}
    return {"name": name, "unit": unit, "nominal": nominal, "meaning": meaning, **empty, **known, **more}


_VECTORS = {
    "states": [
        _quantity("c_A", "mol/L", 0.877, "concentration of A", low=0.7, high=1.0, valid=[0.0, 1.2]),
        _quantity("T", "K", 324.5, "reactor temperature", low=310.0, high=340.0, valid=[250.0, 650.0], shown="degC"),
    ],
    "inputs": [_quantity("T_c", "K", 300.0, "jacket temperature", low=280.0, high=320.0, rate=10.0, tag="TV-101")],
    "disturbances": [
        _quantity("T_f", "K", 350.0, "feed temperature", low=344.0, high=356.0, tag="TI-102"),
        _quantity("c_f", "mol/L", 1.0, "feed concentration of A", low=0.97, high=1.03, measured=False),
    ],
    "parameters": [
        _quantity("k_0", "1/min", 7.2e10, "frequency factor", uncertain=0.05, source=BOOK),
        _quantity("UA", "J/(min K)", 5.0e4, "heat transfer to the jacket", uncertain=0.05, source=BOOK),
    ],
    "outputs": [
        _quantity("c_A", "mol/L", 0.877, "concentration of A", low=0.7, high=1.0, tag="AI-101", noise=0.001),
        _quantity("T", "K", 324.5, "reactor temperature", low=310.0, high=340.0, tag="TI-101", noise=0.1),
    ],
}
_LOOPS = [
    {"tag": "AIC-101", "pv": "c_A", "mv": "", "sp_of": "TIC-101", "low": 0.7, "high": 1.0, "unit": "mol/L", "authority": 0.0,
     "gains": {"K_c": -60.0, "T_i": 0.6, "T_d": 0.0, "b": 0.5}},
    {"tag": "TIC-101", "pv": "T", "mv": "T_c", "sp_of": "", "low": 314.0, "high": 331.0, "unit": "K", "authority": 4.0,
     "gains": {"K_c": 2.0, "T_i": 1.0, "T_d": 0.0, "b": 1.0}},
]  # fmt: skip
CARD: dict[str, Any] = {
    "name": "exothermic_cstr", "title": "Exothermic stirred tank", "folder": "reactors", "equations": _EQUATIONS,
    "time_unit": "min", "decision": 0.5, "loop_period": 0.05, "vectors": _VECTORS, "loops": _LOOPS,
    "margins": [{"name": n, "kind": kind, "nominal": 8.5, "unit": "K"} for n, kind in (("hot", "hard"), ("runaway", "trip"))],
    "duty": {"kind": "tracking", "output": "c_A", "scale": 0.03, "moves": {"T_c": 0.01}},
    "scenarios": [{"name": "tracking", "description": "concentration targets in steps", "steps": 60, "role": "judging"}],
    "sources": [BOOK],
}  # fmt: skip


class Cards:
    """A catalogue of a reactor and a house that shares its card."""

    def names(self) -> Sequence[str]:
        return ("exothermic_cstr", "heat_pump_house")

    def card(self, name: str) -> Mapping[str, Any]:
        if name == "heat_pump_house":
            return {
                **CARD,
                "name": name,
                "title": "House with a heat pump",
                "folder": "hvac",
                "duty": {"kind": "economic", "currency": "EUR"},
            }
        if name == "exothermic_cstr":
            return CARD
        raise UnknownName(f"plant {name!r}: unknown")

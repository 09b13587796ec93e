"""Industrial plants as equations, compiled simulators and Gymnasium environments; importing registers ``plants/<Name>-v0``."""

import gymnasium

from plant_models.catalogue import names


def environment_id(name: str) -> str:
    """Return the Gymnasium id of a plant: ``exothermic_cstr`` is ``plants/ExothermicCstr-v0``."""
    return f"plants/{''.join(word.capitalize() for word in name.split('_'))}-v0"


def _register() -> None:
    for name in names():
        gymnasium.register(
            id=environment_id(name),
            entry_point="plant_models.env.single:PlantEnv",
            vector_entry_point="plant_models.env.batched:PlantVectorEnv",
            kwargs={"plant": name},
        )


_register()

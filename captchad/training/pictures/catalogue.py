"""The families by name; those whose package is not installed are left out, and said so."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

from captchad.training.pictures.designs import DesignFamily
from captchad.training.pictures.designs_arithmetic import DesignArithmeticFamily
from captchad.training.pictures.empty import EmptyFamily
from captchad.training.pictures.generators import (
    CaptchaFamily,
    FlaskSimpleFamily,
    GvcodeFamily,
    MulticolorFamily,
    WheezyFamily,
)
from captchad.training.pictures.published_programs import PROGRAMS, ProgramFamily
from captchad.training.pictures.pypi_apart import APART_GENERATORS
from captchad.training.pictures.pypi_arithmetic import ARITHMETIC_GENERATORS
from captchad.training.pictures.pypi_generators import GENERATORS
from captchad.training.pictures.pypi_package import PackageFamily
from captchad.training.pictures.pypi_warped import WARPED_GENERATORS
from captchad.training.pictures.source import Family, FamilyUnavailable
from captchad.training.pictures.synthetic import (
    ForeignFamily,
    GroupsFamily,
    SignsFamily,
    SyntheticArithmeticFamily,
    SyntheticFamily,
)

LOGGER = logging.getLogger(__name__)


_DRAWN_HERE = (
    SyntheticFamily,
    SyntheticArithmeticFamily,
    GroupsFamily,
    SignsFamily,
    ForeignFamily,
    DesignFamily,
    DesignArithmeticFamily,
    EmptyFamily,
    CaptchaFamily,
    WheezyFamily,
    GvcodeFamily,
    MulticolorFamily,
    FlaskSimpleFamily,
)
_PACKAGES = {**GENERATORS, **WARPED_GENERATORS, **ARITHMETIC_GENERATORS, **APART_GENERATORS}
CATALOGUE: dict[str, Callable[[], Family]] = {
    **{family.name: family for family in _DRAWN_HERE},
    **{name: partial(PackageFamily, name, package) for name, package in _PACKAGES.items()},
    **{name: partial(ProgramFamily, name, program) for name, program in PROGRAMS.items()},
}
"""How to make each family, by name."""


def load_families(names: Sequence[str] | None = None) -> list[Family]:
    """Make the named families, or all; ValueError for a name nobody knows."""
    wanted = tuple(CATALOGUE) if names is None else tuple(names)
    unknown = sorted(set(wanted) - set(CATALOGUE))
    if unknown:
        raise ValueError(f"no family is called {', '.join(unknown)}; there are {', '.join(CATALOGUE)}")
    families = []
    for name in wanted:
        try:
            families.append(CATALOGUE[name]())
        except (ImportError, FamilyUnavailable) as error:
            LOGGER.warning("pictures of the family %s are left out: %s", name, error)
    return families

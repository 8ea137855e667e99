"""What all sections of the configuration are made of: their base, and numbers within their ranges."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from captchad.domain.ports import HIGHEST_PORT

DURATION_LIMIT_SECONDS = 315_360_000
"""Ten years. Redis refuses an expiry beyond what it can count, in the middle of the script that sets it."""
COUNT_LIMIT = 1_000_000_000
SIZE_LIMIT_BYTES = 2**50
"""Numbers up to here are exact in Redis's scripts, also where several are added up."""

Port = Annotated[int, Field(ge=1, le=HIGHEST_PORT)]
Seconds = Annotated[float, Field(gt=0, le=DURATION_LIMIT_SECONDS, allow_inf_nan=False)]
SecondsOrZero = Annotated[float, Field(ge=0, le=DURATION_LIMIT_SECONDS, allow_inf_nan=False)]
WholeSeconds = Annotated[int, Field(ge=1, le=DURATION_LIMIT_SECONDS)]
WholeSecondsOrZero = Annotated[int, Field(ge=0, le=DURATION_LIMIT_SECONDS)]
Count = Annotated[int, Field(ge=1, le=COUNT_LIMIT)]
CountOrZero = Annotated[int, Field(ge=0, le=COUNT_LIMIT)]
Bytes = Annotated[int, Field(ge=1, le=SIZE_LIMIT_BYTES)]
BytesOrZero = Annotated[int, Field(ge=0, le=SIZE_LIMIT_BYTES)]
Percentage = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """Base of all sections: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

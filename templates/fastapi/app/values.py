"""The two types of schema.py that Pydantic has no name for. Types are strict everywhere: a text is no number, and true is none
either, since a value that was guessed right today is a silent mistake tomorrow.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Strict
from pydantic_core import PydanticCustomError


def _without_point(value: Any) -> Any:
    """To JSON `64.0` is a whole number, and clients that keep numbers as floats write it so."""
    return int(value) if type(value) is float and value.is_integer() else value


def _text_alone(value: Any) -> Any:
    # A text of digits would be taken for seconds since 1970.
    if not isinstance(value, datetime) and not (isinstance(value, str) and value[4:5] == "-"):
        raise PydanticCustomError("datetime_type", "Input should be a text as in RFC 3339: 2025-01-31T12:00:00Z")
    return value


Whole = Annotated[int, Strict(), BeforeValidator(_without_point)]
Moment = Annotated[datetime, BeforeValidator(_text_alone)]

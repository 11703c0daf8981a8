"""The base class of all errors: how their texts are made, and how they pass between processes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class ZendeskError(Exception):
    """Base class of all errors of this package; each subclass is a dataclass.

    ``message`` names fields and properties of the class in braces; ``advice`` is fixed text.
    """

    retryable: ClassVar[bool] = False
    message: ClassVar[str] = ""
    advice: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        dataclass(eq=False)(cls)

    def __str__(self) -> str:
        values = {name: getattr(self, name) for _, name, _, _ in Formatter().parse(self.message) if name}
        return f"{self.message.format(**values)} {self.advice}".rstrip()

    def __reduce__(self) -> tuple[Callable[..., "ZendeskError"], tuple[Any, ...]]:
        return _restore, (type(self), self.__dict__)


def _restore(cls: type[ZendeskError], fields: dict[str, Any]) -> ZendeskError:
    error = cls.__new__(cls)
    error.__dict__.update(fields)
    return error

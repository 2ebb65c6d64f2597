"""Cases that one test runs one after another, where as many tests would only cost time."""

import inspect
import traceback
from collections.abc import Callable, Iterable
from functools import wraps

import pytest


def each(names: str, cases: Iterable[object]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """In place of pytest.mark.parametrize: one test runs every case, and names all those that fail.

    No fixture that a case changes may be shared by them: they all see the same one.
    """
    own, known = [name.strip() for name in names.split(",")], list(cases)

    def of(check: Callable[..., None]) -> Callable[..., None]:
        assert not isinstance(check, type), "of a class pytest would collect nothing; use pytest.mark.parametrize there"

        @wraps(check)
        def test(*own_class: object, **fixtures: object) -> None:
            failed = []
            for case in known:
                values = dict(zip(own, case if len(own) > 1 else [case], strict=True))
                try:
                    check(*own_class, **fixtures, **values)
                except (Exception, pytest.fail.Exception) as error:
                    line = traceback.extract_tb(error.__traceback__)[-1]
                    failed.append(f"{values}: {type(error).__name__} in line {line.lineno} of {line.name}: {error}")
            assert failed == [], f"{len(failed)} of {len(known)} cases failed\n\n" + "\n\n".join(failed)

        signature = inspect.signature(check)
        left = [parameter for name, parameter in signature.parameters.items() if name not in own]
        test.__signature__ = signature.replace(parameters=left)  # what pytest still has to give
        return test

    return of

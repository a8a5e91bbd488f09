"""A section of luigi.cfg, as a class: each value can be overridden from the environment, and a wrong one is named."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from typing import Any, ClassVar

import luigi
import luigi.configuration

from pipeline.config.environment import SettingError, environment, value_of


class Section(luigi.Config):
    """A section of luigi.cfg. `env` names the environment variable that overrides each value."""

    env: ClassVar[Mapping[str, str]] = {}
    ignore_unconsumed: ClassVar[set[str]] = set()

    @classmethod
    def _has_section(cls) -> bool:
        return bool(luigi.configuration.get_config().has_section(cls.__name__))

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> Any:
        section = luigi.configuration.get_config()[cls.__name__] if cls._has_section() else {}
        if unknown := unknown_options(cls):
            from pipeline.config.names import refuse_options

            raise SettingError(refuse_options(cls, unknown))
        parameters, given = dict(params), environment()
        variables = {variable: value for variable in cls.env.values() if (value := value_of(variable, given))}
        parsed = {
            name: _parse(parameters[name], variables, variable, variable)
            for name, variable in cls.env.items()
            if variable in variables
        }
        for key in section:
            if (name := key.replace("-", "_")) in parameters and name not in {**parsed, **kwargs}:
                _parse(parameters[name], section, key, f"luigi.cfg, [{cls.__name__}]: {key}")
        return super().get_param_values(params, args, {**parsed, **kwargs})  # type: ignore[no-untyped-call]


def unknown_options(section: type[Section]) -> list[str]:
    """Options of luigi.cfg that the section does not have, sorted."""
    luigi_cfg, name = luigi.configuration.get_config(), section.__name__
    given = {key.replace("-", "_") for key in luigi_cfg[name]} if luigi_cfg.has_section(name) else set()
    return sorted(given - {known for known, _ in section.get_params()} - section.ignore_unconsumed)  # type: ignore[no-untyped-call]


def _parse(parameter: Any, values: Mapping[str, str], key: str, setting: str) -> Any:
    try:
        return parameter.parse(values[key])
    except configparser.Error:
        raise SettingError(f"{setting} cannot be read: write %% for % and no ${{...}}") from None
    except SettingError:
        raise
    except ValueError as error:
        raise SettingError(f"{setting} cannot be used: {error}") from error

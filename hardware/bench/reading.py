"""A scenario file to a `Scenario`, or to one clear problem with its line, its step and the nearest key.

YAML by `safe_load`'s loader, then strict types: nothing is guessed, nothing unknown is passed over.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NoReturn

import msgspec
import yaml

from hardware.bench.complaints import Wrong, nearest, path_key, say_wrong
from hardware.bench.scenario import (
    DEFAULT_DEVICES,
    DEFAULT_WITHIN_S,
    Doing,
    Scenario,
    ScenarioProblem,
    Step,
    Vocabulary,
)
from hardware.bench.wording import EXPECT_KEYS, STEP_KEYS, doing_of, needs

MAX_BYTES = 256 * 1024
MAX_STEPS = 500
MAX_SECONDS = 400 * 86_400.0
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    summary: str
    steps: list[dict[str, Any]]
    learn: list[str] = []
    devices: list[str] = msgspec.field(default_factory=lambda: list(DEFAULT_DEVICES))
    clock: Literal["sure", "unsure"] = "sure"
    settings: dict[str, str | int | float | bool] = {}
    pace: float = 40.0


_HEADER_KEYS = tuple(f.name for f in msgspec.structs.fields(_Header))


def parse_scenario(raw: bytes, file: str, vocabulary: Vocabulary) -> Scenario | ScenarioProblem:
    """`file` is what problems call it; its stem is the scenario's name."""
    try:
        return _Reader(raw, file, vocabulary).scenario()
    except _Stop as stop:
        return stop.problem


class _Stop(Exception):
    def __init__(self, problem: ScenarioProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _Reader:
    def __init__(self, raw: bytes, file: str, vocabulary: Vocabulary) -> None:
        self._file = file
        self._vocabulary = vocabulary
        self._root = self._compose(raw)

    def scenario(self) -> Scenario:
        plain = _plain(self._root)
        known = _lines(self._root)
        for key in plain:
            if key not in _HEADER_KEYS:
                self._fail(known[key], nearest(key, _HEADER_KEYS))
        try:
            header = msgspec.convert(plain, _Header)
        except msgspec.ValidationError as wrong:
            key = path_key(str(wrong))
            self._fail(known.get(key, 0), say_wrong(str(wrong)))
        self._check_header(header, known)
        nodes = next(v for k, v in self._root.value if k.value == "steps").value
        steps = tuple(
            self._step(number, step, _lines(node), node.start_mark.line + 1)
            for number, (step, node) in enumerate(zip(header.steps, nodes, strict=True), 1)
        )
        self._check_devices(header, steps)
        stem = self._file.rsplit("/", 1)[-1].removesuffix(".yaml")
        return Scenario(
            stem, header.title, header.summary, steps, tuple(header.learn), tuple(header.devices),
            header.clock, tuple(header.settings.items()), header.pace,
        )  # fmt: skip

    def _compose(self, raw: bytes) -> yaml.MappingNode:
        if len(raw) > MAX_BYTES:
            self._fail(0, "es demasiado grande para ser un escenario")
        try:
            events = list(yaml.parse(raw.decode("utf-8"), Loader=yaml.SafeLoader))
            if any(isinstance(e, yaml.AliasEvent) for e in events):
                self._fail(0, "no se admiten alias (*nombre): escriba el paso completo")
            root = yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
        except UnicodeDecodeError:
            self._fail(0, "no está en UTF-8")
        except (yaml.YAMLError, RecursionError) as trouble:
            mark = getattr(trouble, "problem_mark", None)
            self._fail(mark.line + 1 if mark else 0, "no es YAML que se entienda")
        if not isinstance(root, yaml.MappingNode):
            self._fail(1, "debe empezar con title:, summary: y steps:")
        self._check_nodes(root)
        return root

    def _check_nodes(self, node: yaml.Node) -> None:
        """YAML would silently keep the last of two equal keys, and lets half characters through."""
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    self._fail(key.start_mark.line + 1, "una clave debe ser una palabra")
                if key.value in seen:
                    self._fail(key.start_mark.line + 1, f"«{key.value}» está dos veces")
                seen.add(key.value)
                self._check_nodes(key)
                self._check_nodes(value)
        elif isinstance(node, yaml.ScalarNode):
            if any("\ud800" <= c <= "\udfff" for c in node.value):
                self._fail(node.start_mark.line + 1, "hay un carácter que no existe")
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                self._check_nodes(value)

    def _check_header(self, header: _Header, lines: dict[str, int]) -> None:
        if not 0 < header.pace <= MAX_SECONDS:
            self._fail(lines["pace"], "«pace» debe ser mayor que cero")
        if not 1 <= len(header.steps) <= MAX_STEPS:
            self._fail(lines["steps"], f"un escenario tiene de 1 a {MAX_STEPS} pasos")
        for device in header.devices:
            if device not in self._vocabulary.verbs:
                self._fail(lines["devices"], nearest(device, self._vocabulary.verbs, "dispositivo"))
        for setting in header.settings:
            if setting not in self._vocabulary.settings:
                self._fail(lines["settings"], nearest(setting, self._vocabulary.settings, "ajuste"))

    def _check_devices(self, header: _Header, steps: tuple[Step, ...]) -> None:
        for number, step in enumerate(steps, 1):
            for device in needs(step.doing):
                if device not in header.devices:
                    self._fail(step.line, f"falta «{device}» en «devices»", number)

    def _step(self, number: int, raw: dict[str, Any], lines: dict[str, int], line: int) -> Step:
        try:
            return self._read_step(dict(raw), line)
        except Wrong as wrong:
            self._fail(lines.get(wrong.key, line), wrong.text, number)
        except msgspec.ValidationError as wrong:
            key = path_key(str(wrong))
            self._fail(lines.get(key, line), say_wrong(str(wrong)), number)

    def _read_step(self, raw: dict[str, Any], line: int) -> Step:
        known = (*STEP_KEYS, *self._vocabulary.verbs)
        for key in raw:
            if key not in known:
                raise Wrong(key, nearest(key, known))
        at = _duration("at", raw.pop("at")) if "at" in raw else None
        within = _duration("within", raw.pop("within")) if "within" in raw else DEFAULT_WITHIN_S
        say, turn = _text("say", raw.pop("say", "")), _text("turn", raw.pop("turn", ""))
        if len(raw) > 1:
            raise Wrong(list(raw)[1], f"un paso hace una sola cosa, no {' y '.join(raw)}")
        doing: Doing = None
        if raw:
            ((key, value),) = raw.items()
            if key == "wait":
                value = _duration("wait", value)
            if key == "expect" and isinstance(value, dict):
                value = self._expectation(value)
            doing = doing_of(key, value, self._vocabulary)
        elif not say and at is None:
            raise Wrong("", "el paso no hace ni dice nada")
        if turn and not (raw and (key in self._vocabulary.verbs or key in {"network", "node"})):
            raise Wrong("turn", "«turn» va con un dispositivo, con network o con node")
        return Step(line, at, say, turn, within, doing)

    def _expectation(self, value: dict[str, Any]) -> dict[str, Any]:
        for key in value:
            if key not in EXPECT_KEYS:
                raise Wrong("expect", nearest(key, EXPECT_KEYS))
        if "holds" in value:
            return {**value, "holds": _duration("expect", value["holds"])}
        return value

    def _fail(self, line: int, text: str, step: int = 0) -> NoReturn:
        raise _Stop(ScenarioProblem(self._file, line, text, step))


def _duration(key: str, value: object) -> float:
    """`12s`, `500ms`, `2min`, `3h`, `1d` to seconds."""
    found = re.fullmatch(
        r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|min|h|d)", value if isinstance(value, str) else ""
    )
    if found is None:
        raise Wrong(key, f"«{key}» es una duración como 12s, 500ms, 2min, 3h o 1d, no «{value}»")
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds > MAX_SECONDS:
        raise Wrong(key, f"«{key}» es demasiado largo")
    return seconds


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise Wrong(key, f"«{key}» es texto: escríbalo entre comillas")
    return value.strip()


def _plain(node: yaml.MappingNode) -> dict[str, Any]:
    loader = yaml.SafeLoader("")
    try:
        plain: dict[str, Any] = {
            str(key.value): loader.construct_object(value, deep=True) for key, value in node.value
        }
    finally:
        loader.dispose()
    return plain


def _lines(node: yaml.Node) -> dict[str, int]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): key.start_mark.line + 1 for key, _ in node.value}

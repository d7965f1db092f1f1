"""From YAML text to a validated `Site`, with a line number in every error."""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, get_args, get_origin

import msgspec
import yaml

from passerby.config.outgoing import MQTT_NAME, PRIVATE, WebhookSettings
from passerby.config.secrets import fill_secrets
from passerby.config.settings import CameraSettings, Site, TransitSettings
from passerby.errors import ConfigError
from passerby.ids import CameraId
from passerby.redaction import redact

_CAMERA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def load_site(
    path: Path | str, *, environment: Mapping[str, str] | None = None, secrets: Literal["needed", "left"] = "needed"
) -> Site:
    """Read and validate a site file. Raises ConfigError: one line with file, line, value, and what was expected.

    `{NAME}` (capitals) inside a string is replaced from `environment` (the process's own by default). In the user, the
    password and the query of a URL the value is percent-encoded, so a secret is given as it is. With `secrets` left, a
    name that is not set stays as it is written: for who connects to no camera. `defaults` are merged under each camera.
    A key with nothing beneath it counts as one without keys.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{file}: cannot read the site file: {reason}") from error
    try:
        known = os.environ if environment is None else environment
        return _Reader(file, known, secrets_needed=secrets == "needed").site(text)
    except RecursionError as error:
        raise ConfigError(f"{file}: nested too deeply, or a mapping or list that contains itself") from error


class _Reader:
    """Walks the YAML node tree beside the settings types, so that each value is checked where its line is known."""

    def __init__(self, file: Path, environment: Mapping[str, str], *, secrets_needed: bool) -> None:
        self._file = file
        self._environment = environment
        self._secrets_needed = secrets_needed

    def site(self, text: str) -> Site:
        root = self._compose(text)
        keys = self._keys(root, "the site file")
        fields = _fields(Site)
        self._reject_unknown(keys, {*fields, "defaults"}, "")
        for required in ("site", "cameras"):
            if required not in keys:
                self._fail(root, f"`{required}` is missing; a site file needs `site` and `cameras`")

        values: dict[str, Any] = {}
        for name, (_, node) in keys.items():
            if name not in {"cameras", "defaults"}:
                # Only who speaks to the broker and the webhooks needs their secrets, and says so when they are missing.
                apart = name in {"mqtt", "webhooks"}
                reader = _Reader(self._file, self._environment, secrets_needed=False) if apart else self
                values[name] = reader._value(node, fields[name], name)
        values["cameras"] = self._cameras(keys["cameras"][1], keys.get("defaults", (None, None))[1])
        if "association" in values:
            self._check_topology(keys["association"][1], values["association"].topology, values["cameras"])
        if "webhooks" in values:
            self._check_webhooks(keys["webhooks"][1], values["webhooks"])
        data = values.get("data", Path("./data"))
        values["data"] = self._absolute_path(data, keys["data"][1] if "data" in keys else root)
        return Site(**values)

    def _cameras(self, node: yaml.Node, defaults_node: yaml.Node | None) -> dict[CameraId, CameraSettings]:
        fields = _fields(CameraSettings)
        shared_fields = {name: kind for name, kind in fields.items() if name != "url"}
        defaults: dict[str, Any] = {}
        if defaults_node is not None:
            defaults = self._struct_values(defaults_node, shared_fields, "defaults")
        cameras: dict[CameraId, CameraSettings] = {}
        for name, (key_node, camera_node) in self._keys(node, "cameras").items():
            if not _CAMERA_NAME.fullmatch(name):
                self._fail(
                    key_node,
                    f"camera name {name!r} is not usable; expected letters, digits, `-`, `_`, `.`, at most 64",
                )
            own = self._struct_values(camera_node, fields, f"cameras.{name}")
            if "url" not in own:
                self._fail(key_node, f"camera {name!r} has no `url`")
            url_node = self._keys(camera_node, name)["url"][1]
            own["url"] = self._camera_url(own["url"], url_node)
            cameras[CameraId(name)] = CameraSettings(**{**defaults, **own})
        if not cameras and not isinstance(node, yaml.MappingNode):
            self._fail(node, "`cameras` is empty; name a camera, or write {} where all are attached at run time")
        return cameras

    def _check_topology(
        self, node: yaml.Node, topology: Sequence[TransitSettings], cameras: Mapping[CameraId, CameraSettings]
    ) -> None:
        """Every camera that is named is one of the site's, and no pair is spoken of twice or in two ways."""
        listed = self._keys(node, "association").get("topology")
        lines = listed[1].value if listed else []
        overlaps: dict[frozenset[CameraId], bool] = {}
        seen: set[tuple[CameraId, CameraId]] = set()
        for index, (line, word) in enumerate(zip(lines, topology, strict=True)):
            where, pair = f"association.topology[{index}]", (word.before, word.after)
            for key, name in (("from", word.before), ("to", word.after)):
                if name not in cameras:
                    self._fail(line, f"{where}.{key} is {name!r}: {_expected_word(name, tuple(cameras))}")
            if pair in seen:
                self._fail(line, f"{where}: {word.before} to {word.after} stands twice; write it into one line")
            seen.add(pair)
            if word.overlap is not None and overlaps.setdefault(frozenset(pair), word.overlap) != word.overlap:
                self._fail(line, f"{where}: {word.before} and {word.after} overlap or do not; the other way says else")

    def _check_webhooks(self, node: yaml.Node, webhooks: Sequence[WebhookSettings]) -> None:
        """Each has a name of its own."""
        seen = {MQTT_NAME}
        for line, webhook in zip(node.value, webhooks, strict=True):
            if webhook.name in seen:
                self._fail(line, f"webhooks: the name {webhook.name!r} is taken; give each another one")
            seen.add(webhook.name)

    def _camera_url(self, url: str, node: yaml.Node) -> str:
        if "://" not in url:
            return str(self._absolute_path(Path(url), node))
        if any(letter.isspace() for letter in url):
            self._fail(node, "the URL holds a blank; write it as %20")  # redaction could not tell where a password ends
        return url

    def _absolute_path(self, path: Path, node: yaml.Node) -> Path:
        try:
            return (self._file.parent / path.expanduser()).resolve()
        except RuntimeError:
            self._fail(node, f"{str(path)!r} names a home folder that is not known")

    def _struct_values(self, node: yaml.Node, fields: Mapping[str, Any], where: str) -> dict[str, Any]:
        keys = self._keys(node, where)
        self._reject_unknown(keys, set(fields), where)
        return {key: self._value(child, fields[key], f"{where}.{key}") for key, (_, child) in keys.items()}

    def _value(self, node: yaml.Node, kind: Any, where: str) -> Any:
        if _is_struct(kind):
            return self._struct(node, kind, where)
        if get_origin(kind) is list and isinstance(node, yaml.SequenceNode) and _is_struct(get_args(kind)[0]):
            # One by one, so that each mistake has its own line.
            return [self._struct(one, get_args(kind)[0], f"{where}[{i}]") for i, one in enumerate(node.value)]
        plain = self._plain(node)
        try:
            return msgspec.convert(plain, kind, strict=True, dec_hook=_from_yaml)
        except msgspec.ValidationError as error:
            expected = str(error).split(" - at ", maxsplit=1)[0]
            words = _words(kind)
            if words and isinstance(plain, list):
                expected = _expected_word(str(next((one for one in plain if one not in words), "")), words)
            elif words:
                expected = _expected_word(str(plain), words)
            self._fail(node, f"{where} is {_shown(plain, where)}: {expected[0].lower()}{expected[1:]}")

    def _struct(self, node: yaml.Node, kind: Any, where: str) -> Any:
        values = self._struct_values(node, _fields(kind), where)
        for known in msgspec.structs.fields(kind):
            if known.required and known.encode_name not in values:
                self._fail(node, f"{where} has no `{known.encode_name}`")
        names = {known.encode_name: known.name for known in msgspec.structs.fields(kind)}
        try:
            return kind(**{names[key]: value for key, value in values.items()})
        except ValueError as error:
            self._fail(node, f"{where}: {error}")

    def _plain(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(child) for child in node.value]
        if isinstance(node, yaml.MappingNode):
            return {key: self._plain(child) for key, (_, child) in self._keys(node, "this mapping").items()}
        try:
            value = yaml.SafeLoader("").construct_object(node)
        except (yaml.constructor.ConstructorError, ValueError):
            self._fail(node, f"{node.value!r} is not a valid {node.tag.removeprefix('tag:yaml.org,2002:')}")
        return self._substitute(node, value) if isinstance(value, str) else value

    def _substitute(self, node: yaml.Node, text: str) -> str:
        def missing(name: str) -> str:
            if self._secrets_needed:
                self._fail(node, f"{text} needs the environment variable {name}, which is not set")
            return f"{{{name}}}"

        return fill_secrets(text, self._environment, missing=missing)

    def _compose(self, text: str) -> yaml.Node:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigError(f"{self._file}:{line}: not valid YAML: {redact(str(error.problem))}") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{self._file}:1: not valid YAML: {redact(str(error)).splitlines()[0]}") from error
        if root is None:
            raise ConfigError(f"{self._file}:1: the file is empty; a site file needs `site` and `cameras`")
        return root

    def _keys(self, node: yaml.Node, where: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The keys of a mapping with their nodes: (key node, value node)."""
        if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
            return {}
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"{where} is {_shown(self._plain(node), where)}, expected keys with values")
        keys: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._fail(key_node, f"a key in {where} is not a plain word")
            key = str(key_node.value)
            if key in keys:
                self._fail(key_node, f"{key!r} stands twice in {where}")
            keys[key] = (key_node, child)
        return keys

    def _reject_unknown(self, keys: Mapping[str, tuple[yaml.Node, yaml.Node]], known: set[str], where: str) -> None:
        for key, (key_node, _) in keys.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"
                self._fail(key_node, f"unknown key {key!r}{f' in {where}' if where else ''}; {hint}")

    def _fail(self, node: yaml.Node, problem: str) -> NoReturn:
        raise ConfigError(f"{self._file}:{node.start_mark.line + 1}: {redact(problem)}")


def _shown(value: Any, where: str) -> str:
    return "not what it should be" if PRIVATE.fullmatch(where) else repr(value)


def _from_yaml(kind: type, value: Any) -> Any:
    """The one type of ours that YAML has no word for: a path."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise msgspec.ValidationError(f"Expected `{kind.__name__.lower()}`, got `{type(value).__name__}`")


def _words(kind: Any) -> tuple[str, ...]:
    """The only words that a key takes, or a list of them; empty where it takes others too."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return _words(get_args(kind)[0]) if get_origin(kind) in (Annotated, tuple, list) else ()


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _expected_word(given: str, words: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(given, words, n=1, cutoff=0.5)
    return f"expected one of {', '.join(words)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}

"""A plain JSON Schema validator for the keywords that the site file's schema uses; any other keyword is an error."""

import operator
import re
from collections.abc import Callable
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_NOTES = {"title", "description", "default", "$schema", "$defs"}


def violations(value: Any, schema: dict[str, Any], *, root: dict[str, Any], where: str = "$") -> list[str]:
    """What of `value` breaks `schema`, one text each; empty if it is valid. `$ref` is looked up in `root`."""
    found: list[str] = []
    for keyword, rule in schema.items():
        if keyword in _NOTES:
            continue
        if keyword == "$ref":
            target = root
            for part in rule.removeprefix("#/").split("/"):
                target = target[part]
            found += violations(value, target, root=root, where=where)
        elif keyword == "anyOf":
            if all(violations(value, choice, root=root, where=where) for choice in rule):
                found.append(f"{where}: fits none of {rule}")
        elif keyword in {"properties", "additionalProperties", "required"}:
            if isinstance(value, dict):
                found += _object_violations(value, keyword, rule, schema=schema, root=root, where=where)
        elif keyword in {"items", "prefixItems", "minItems", "maxItems"}:
            if isinstance(value, list):
                found += _array_violations(value, keyword, rule, schema=schema, root=root, where=where)
        elif not _fits(value, keyword, rule):
            found.append(f"{where}: {value!r} breaks {keyword} {rule!r}")
    return found


def _object_violations(
    value: dict[str, Any], keyword: str, rule: Any, *, schema: dict[str, Any], root: dict[str, Any], where: str
) -> list[str]:
    if keyword == "required":
        return [f"{where}: {key!r} is missing" for key in rule if key not in value]
    known = schema.get("properties", {})
    if keyword == "properties":
        pairs = [(key, rule[key]) for key in value if key in known]
    else:
        unknown = [key for key in value if key not in known]
        if rule is False:
            return [f"{where}: unknown key {key!r}" for key in unknown]
        pairs = [(key, rule) for key in unknown]
    return [text for key, child in pairs for text in violations(value[key], child, root=root, where=f"{where}.{key}")]


def _array_violations(
    value: list[Any], keyword: str, rule: Any, *, schema: dict[str, Any], root: dict[str, Any], where: str
) -> list[str]:
    if keyword == "minItems":
        return [f"{where}: too short"] if len(value) < rule else []
    if keyword == "maxItems":
        return [f"{where}: too long"] if len(value) > rule else []
    prefix = schema.get("prefixItems", [])
    if keyword == "prefixItems":
        pairs = list(zip(value, rule, strict=False))
    elif rule is False:
        return [f"{where}: too long"] if len(value) > len(prefix) else []
    else:
        pairs = [(item, rule) for item in value[len(prefix) :]]
    return [text for item, child in pairs for text in violations(item, child, root=root, where=f"{where}[]")]


_NUMBER_RULES: dict[str, Callable[[float, float], bool]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}


def _fits(value: Any, keyword: str, rule: Any) -> bool:
    is_bool = isinstance(value, bool)
    if keyword == "type":
        return isinstance(value, _TYPES[rule]) and (rule == "boolean" or not is_bool)
    if keyword == "enum":
        return value in rule
    if keyword in _NUMBER_RULES:
        return is_bool or not isinstance(value, int | float) or _NUMBER_RULES[keyword](value, rule)
    if keyword == "minLength":
        return not isinstance(value, str) or len(value) >= rule
    if keyword == "pattern":
        return not isinstance(value, str) or re.search(rule, value) is not None
    raise ValueError(f"this validator does not know the keyword {keyword!r}")

"""Cameras attached, edited, paused and removed at run time, on their way to the edges."""

import itertools
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from hub.camera_news import CameraNews, Progress, write_news
from passerby.config import Site
from passerby.config.attached import CameraFolder, SavedCamera
from passerby.config.attaching import settle
from passerby.config.changing import changed_settings
from passerby.errors import ConfigError, StoreError
from passerby.ids import BootId, CameraId, EdgeId
from passerby.messages import CameraAction, CameraCommand, HubMessage, Status
from passerby.transport import ConnectedEdge, Delivery
from passerby.transport.allow_list import ALLOW_LIST_NAME, AllowList

_log = logging.getLogger("passerby.hub")

LOOK_S = 0.5
REPEAT_S = 5.0
"""So often the same is said to an edge that has not answered."""

_FRESH_NS = 10**9
"""A folder changed so lately may change again without another time: it is read once more."""


class CommandPort(Protocol):
    """What is needed of `passerby.transport.HubPort`."""

    def edges(self) -> list[ConnectedEdge]:
        """The edges that are here."""

    def send(self, edge_id: EdgeId, message: HubMessage) -> bool:
        """Queue a message to an edge."""


@dataclass(slots=True)
class _Word:
    """What a process of an edge was told of a camera last. `answer` is None until there is one; empty: it was done."""

    changed_at_ns: int
    command_id: int
    again_at: float = float("-inf")
    answer: str | None = None


class CameraChanges:
    """Says to the connected edges what was said of cameras at run time, until each has answered.

    An edge that connects hears all of it anew: a camera that is as it should be is left alone there. Not thread-safe.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._folder = CameraFolder(site.data)
        self._allowed = _Allowed(site.data / "keys" / ALLOW_LIST_NAME)
        self._command_ids: Iterator[int] = itertools.count(time.time_ns())  # none of a former hub's comes again
        self._saved: Mapping[CameraId, SavedCamera] = {}
        self._stamp = -1
        self._words: dict[tuple[EdgeId, BootId, CameraId], _Word] = {}
        self._news: dict[CameraId, CameraNews] = {}
        self._due = float("-inf")
        self._complaint = ""

    def look(self, port: CommandPort, *, now: float) -> None:
        """Say what is due at `now`, seconds of a monotonic clock. What fails is in the log; call it often."""
        if now < self._due:
            return
        self._due = now + LOOK_S
        try:
            self._read()
            self._allowed.refresh()
            edges = port.edges()
            here = {(edge.edge_id, edge.boot_id) for edge in edges}
            self._words = {key: word for key, word in self._words.items() if key[:2] in here}
            news = {camera_id: self._news_of(camera_id, port, edges, now=now) for camera_id in self._saved}
            if news != self._news:
                write_news(self._site.data, news)
                self._news = news
            self._complaint = ""
        except (ConfigError, StoreError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("%s", error)

    def answered(self, delivery: Delivery) -> None:
        """Note what a Status says of commands."""
        status = delivery.envelope.message
        if not isinstance(status, Status) or not status.answers:
            return
        answers = {answer.command_id: answer for answer in status.answers}
        for (edge_id, boot_id, camera_id), word in self._words.items():
            answer = answers.get(word.command_id)
            mine = (edge_id, boot_id) == (delivery.edge_id, delivery.envelope.boot_id)
            if answer is not None and mine and word.answer is None:  # what was said twice is answered twice
                word.answer = answer.refused
                if answer.refused:
                    _log.warning("edge %s refuses: %s", edge_id, answer.refused)
                else:
                    _log.info("camera %s: edge %s has taken the change", camera_id, edge_id)
                self._due = float("-inf")

    def _read(self) -> None:
        stamp = self._folder.stamp()
        if stamp != self._stamp:
            self._saved = self._folder.read()
            if time.time_ns() - stamp > _FRESH_NS:
                self._stamp = stamp

    def _news_of(
        self, camera_id: CameraId, port: CommandPort, edges: Sequence[ConnectedEdge], *, now: float
    ) -> CameraNews:
        try:
            return self._say(camera_id, port, edges, now=now)
        except ConfigError as error:
            return CameraNews(changed_at_ns=self._saved[camera_id].changed_at_ns, progress="refused", reason=str(error))

    def _say(self, camera_id: CameraId, port: CommandPort, edges: Sequence[ConnectedEdge], *, now: float) -> CameraNews:
        saved = self._saved[camera_id]
        if saved.attached and saved.removed and camera_id in self._site.cameras:
            return CameraNews(changed_at_ns=saved.changed_at_ns, progress="taken")  # the site file has it again
        takers, reason = self._takers(camera_id, saved, edges)
        action: CameraAction = "remove" if saved.removed else "attach" if saved.attached else "edit"
        words = [self._tell(edge, camera_id, saved, action=action, port=port, now=now) for edge in takers]
        if action == "attach":
            for edge in edges:
                if camera_id in edge.cameras and edge not in takers and takers:
                    self._tell(edge, camera_id, saved, action="remove", port=port, now=now)
        progress: Progress = "taken" if all(word.answer is not None for word in words) else "asked"
        refused = next((word.answer for word in words if word.answer), None)
        if refused or reason:
            progress, reason = ("refused", refused) if refused else ("waiting", reason)
        return CameraNews(
            changed_at_ns=saved.changed_at_ns,
            progress=progress,
            edges=sorted({edge.edge_id for edge in takers}),
            reason=reason,
        )

    def _takers(
        self, camera_id: CameraId, saved: SavedCamera, edges: Sequence[ConnectedEdge]
    ) -> tuple[list[ConnectedEdge], str]:
        """The processes that are to be told, and why nobody is where somebody should be."""
        if saved.removed or not saved.attached:
            having = [edge for edge in edges if camera_id in edge.cameras]
            return having, "" if having or saved.removed else f"no edge that is here has camera {camera_id}"
        # An edge that speaks for a camera that is not its own is refused in all it says of its cameras.
        allowed = self._allowed.edges_for(camera_id)
        owner = saved.edge or choose(camera_id, edges, allowed=allowed)
        advice = f"`passerby keys allow EDGE KEY --camera {camera_id}` lets one"
        if owner is None:
            return [], f"no edge that is here may speak for camera {camera_id}; {advice}"
        if owner not in allowed:
            return [], f"edge {owner} may not speak for camera {camera_id}; {advice}"
        if saved.edge is None:
            self._saved = {**self._saved, camera_id: settle(self._site, camera_id, owner, word=saved)}
        takers = [edge for edge in edges if edge.edge_id == owner]
        return takers, "" if takers else f"edge {owner}, whose camera it is, is not here"

    def _tell(
        self,
        edge: ConnectedEdge,
        camera_id: CameraId,
        saved: SavedCamera,
        *,
        action: CameraAction,
        port: CommandPort,
        now: float,
    ) -> _Word:
        key = (edge.edge_id, edge.boot_id, camera_id)
        word = self._words.get(key)
        if word is None or word.changed_at_ns != saved.changed_at_ns:
            word = self._words[key] = _Word(saved.changed_at_ns, next(self._command_ids))
        if word.answer is None and now >= word.again_at:
            settings = {} if action == "remove" else self._folder.filled(camera_id, saved, os.environ)
            if action == "attach":
                settings = msgspec.to_builtins(changed_settings(camera_id, None, settings))
            command = CameraCommand(
                command_id=word.command_id, camera_id=camera_id, action=action, settings=dict(settings)
            )
            port.send(edge.edge_id, command)
            word.again_at = now + REPEAT_S
        return word


class _Allowed:
    """The allow-list, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = -1
        self._list = AllowList({})

    def refresh(self) -> None:
        """Read it if it has changed. Raises ConfigError."""
        try:
            stamp = self._path.stat().st_mtime_ns
        except OSError:
            stamp = 0
        if stamp != self._stamp:
            self._list, self._stamp = AllowList.read(self._path), stamp

    def edges_for(self, camera_id: CameraId) -> set[EdgeId]:
        """The edges that may speak for a camera."""
        return {edge.name for edge in self._list.edges() if edge.may_speak_for(camera_id)}


def choose(camera_id: CameraId, edges: Sequence[ConnectedEdge], *, allowed: set[EdgeId]) -> EdgeId | None:
    """Whose a new camera is, of edges that may speak for it: one that has it already, else the one with the fewest."""
    able = [edge for edge in edges if edge.edge_id in allowed]
    able = [edge for edge in able if camera_id in edge.cameras] or able
    return min(able, key=lambda edge: (len(edge.cameras), edge.edge_id)).edge_id if able else None

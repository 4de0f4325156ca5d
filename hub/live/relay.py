"""Hands the events of projects to those who watch them."""

from collections import defaultdict
from collections.abc import Iterable, Set
from typing import Final
from uuid import UUID

import structlog

from hub.events.models import Told
from hub.events.service import listen
from hub.live.messages import Happened
from hub.live.viewer import Viewer

log = structlog.get_logger(__name__)


class Relay:
    """Who watches which projects, in this process."""

    def __init__(self, url: str) -> None:
        """Listen over the Valkey at `url`, once `run` does."""
        self._url: Final = url
        self._watching: dict[UUID, set[Viewer]] = defaultdict(set)

    @property
    def projects(self) -> Set[UUID]:
        """Return the projects that somebody watches."""
        return self._watching.keys()

    def viewers(self, project_id: UUID) -> Iterable[Viewer]:
        """Return who watches a project."""
        return self._watching.get(project_id, ())

    def watch(self, viewer: Viewer, projects: Iterable[UUID]) -> None:
        """Hand the events of these projects to the viewer from now on."""
        viewer.projects |= frozenset(projects)
        for project_id in projects:
            self._watching[project_id].add(viewer)

    def unwatch(self, viewer: Viewer, projects: Iterable[UUID]) -> None:
        """Stop handing over these projects' events."""
        viewer.projects -= frozenset(projects)
        for project_id in projects:
            watching = self._watching.get(project_id)
            if watching is not None:
                watching.discard(viewer)
                if not watching:
                    del self._watching[project_id]

    def tell(self, told: Told) -> None:
        """Hand an event to whoever watches its project."""
        watching = self._watching.get(told.project_id)
        if not watching:
            return
        message = Happened(
            kind=told.event.kind,
            project_id=told.project_id,
            subject_id=told.event.subject_id,
            at=told.at,
            details=dict(told.event.details),
            withheld=told.withheld,
        ).model_dump_json()
        for viewer in watching:
            viewer.tell(message)

    async def run(self) -> None:
        """Hand over what comes until cancelled or Valkey goes away."""
        async for told in listen(self._url):
            if told is not None:
                self.tell(told)

"""How every program writes its log: an event a line as JSON, secrets masked, what libraries say included."""

import logging
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from contract.masking import mask

_BEFORE: Final[Sequence[Processor]] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask the secrets of an event; the last step before it is written."""
    return {name: mask(value, name) for name, value in event.items()}


_AFTER: Final[Sequence[Processor]] = (
    structlog.processors.format_exc_info,
    structlog.processors.StackInfoRenderer(),
    mask_event,
    structlog.processors.JSONRenderer(ensure_ascii=False),
)


def configure(level: int = logging.INFO) -> None:
    """Write the program's events from `level` and libraries' warnings to standard output, and what ends it too."""
    structlog.configure(
        processors=[*_BEFORE, *_AFTER],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_BEFORE, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_AFTER],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_ending


def _log_ending(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger(__name__).critical("the program ended by a fault", exc_info=(kind, error, trace))

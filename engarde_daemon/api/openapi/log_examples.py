"""Examples of the log's route; see `examples`."""

from datetime import UTC, datetime
from typing import Any

from engarde_daemon.api.admin.log import LogLines
from engarde_daemon.protocol import LogLevel, LogRecord

ANSWERS: dict[Any, Any] = {
    LogLines: LogLines(
        data=[
            LogRecord(
                number=41,
                at=datetime(2027, 3, 1, 9, 30, tzinfo=UTC),
                level=LogLevel.INFO,
                event="ready",
                fields={"host": "127.0.0.1", "port": "8700"},
            )
        ],
        cursor="5b1c9e2f.41",
    )
}

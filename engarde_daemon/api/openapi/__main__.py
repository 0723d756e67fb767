"""Writes the API's document to standard output: `make openapi` keeps it in `docs/`."""

import json
import sys
from importlib.metadata import version

from engarde_daemon.api.app import CONTROLLERS
from engarde_daemon.api.openapi.document import describe

document = describe(CONTROLLERS, version=version("engarde-daemon"))
sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")

"""Which archive the settings name, and what is imported for it."""

import subprocess
import sys

import pytest

from engarde_daemon.config import Settings
from engarde_daemon.config.stores import BigQuery
from engarde_daemon.daemon.archives import archive_of
from engarde_daemon.domain.errors import Invalid


def test_bigquery_without_a_project_is_refused_by_the_settings_name():
    """Before anything is opened."""
    with pytest.raises(Invalid, match=r"\[bigquery\] project"):
        archive_of(Settings(bigquery=BigQuery(mode="bigquery")))


def test_a_daemon_that_does_not_use_bigquery_imports_nothing_of_it():
    """Google's libraries take 50 MB and a quarter of a second."""
    program = (
        "import sys\n"
        "from engarde_daemon.config import Settings\n"
        "from engarde_daemon.daemon import tree\n"
        "from engarde_daemon.daemon.archives import archive_of\n"
        "archive_of(Settings())\n"
        "print([name for name in sys.modules if name.startswith(('google.', 'grpc'))])\n"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert run.stdout.strip() == b"[]"


def test_missing_libraries_are_named_with_the_way_to_get_them():
    """The extra is not installed by default."""
    program = (
        "import sys\n"
        "sys.modules['google.cloud'] = None\n"
        "from engarde_daemon.config.stores import BigQuery\n"
        "from engarde_daemon.daemon.archives import bigquery_of\n"
        "try:\n"
        "    bigquery_of(BigQuery(mode='bigquery', project='p'))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert run.stdout.startswith(b"Invalid [bigquery] mode")
    assert b'pip install "engarde-daemon[bigquery]"' in run.stdout

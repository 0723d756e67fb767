"""How settings are read, and how a wrong configuration is refused."""

from pathlib import Path

import pytest

from engarde_daemon.config import ConfigurationError, Settings, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its configuration."""
    return tmp_path / "engarde.toml"


def problems(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    """What `load` finds wrong, without the directory of the test."""
    with pytest.raises(ConfigurationError) as refused:
        load(path, environ or {})
    return [problem.replace(f"{path}", "engarde.toml") for problem in refused.value.problems]


def test_all_faults_are_reported_at_once(file: Path):
    """A file with a fault in three places and a wrong variable gives four lines."""
    file.write_text('[server]\nport = "x"\n\n[cache]\nsize = 1\n\n[sever]\nhost = "h"\n')

    found = problems(file, {"ENGARDE_CACHE__BODY_BYTES": "-1"})

    assert [problem.partition(";")[0] for problem in found] == [
        "server.port: must be a whole number from 1 to 65535 (from engarde.toml line 2)",
        "cache.size: is no setting",
        "sever.host: is no setting",
        "cache.body_bytes: must be a whole number of bytes, at least 1024 (from environment variable ENGARDE_CACHE__BODY_BYTES)",
    ]


def test_an_unknown_key_shows_its_neighbours_and_its_place(file: Path):
    """A misspelt name is corrected from the message alone."""
    file.write_text("# nothing\n[cache]\nsize = 1\n")

    assert problems(file) == [
        "cache.size: is no setting; [cache] has body_bytes (from engarde.toml line 3)"
    ]


def test_an_unknown_section_shows_the_known_ones(file: Path):
    """Every section is named, so that the right one is among them."""
    file.write_text("[sever]\nport = 1\n")

    (problem,) = problems(file)

    assert "the sections are server, storage, postgres," in problem


def test_a_missing_file_is_named(file: Path):
    """A file that was asked for and is not there is a fault, not a default."""
    assert problems(file) == ["engarde.toml: cannot be read: No such file or directory"]


@pytest.mark.parametrize("content", [b"[server\n", b"\xff"])
def test_a_file_that_is_no_toml_does_not_hide_other_faults(file: Path, content: bytes):
    """The environment is still checked when the file cannot be."""
    file.write_bytes(content)

    unreadable, variable = problems(file, {"ENGARDE_SERVER__PORT": "many"})

    assert unreadable.startswith("engarde.toml: is not valid TOML: ")
    assert variable.startswith("server.port: must be")


def test_a_value_is_never_repeated(file: Path):
    """A password in a DSN that is refused does not reach the error."""
    file.write_text('[postgres]\ndsn = "mysql://user:s3cret@host/name"\n')

    with pytest.raises(ConfigurationError) as refused:
        load(file, {"ENGARDE_POSTGRES__DSN": "s3cret", "ENGARDE_LOG__PASSWORD": "s3cret"})

    assert len(refused.value.problems) == 3
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("server = 3", "server: is a section: write [server] and its settings below"),
        ("[server.port]\nnumber = 1", "server.port.number: is no setting; [server] has host"),
        ("[server]\nport = true", "server.port: must be a whole number"),
        ('[server]\nport = "8700"', "server.port: must be a whole number"),
        ("[server]\nport = 0", "server.port: must be a whole number from 1"),
        ("[delivery]\nlease_s = nan", "delivery.lease_s: must be a number of seconds"),
        ("[delivery]\nlease_s = inf", "delivery.lease_s: must be a number of seconds"),
        ("[plans.free]\nstorage_gb = 0", "plans.free.storage_gb: must be a number of GB above 0"),
        ("[plans.free]\nstorage_gb = nan", "plans.free.storage_gb: must be a number of GB"),
        ('[plans.free]\nretention_days = "ever"', "plans.free.retention_days: must be a whole"),
        ("[plans.Gold]\nstorage_gb = 1", "plans.Gold.storage_gb: is no setting; [plans] has NAME"),
        ('[log]\nlevel = "loud"', 'log.level: must be "debug", "info", "warning" or "error"'),
        ('[zerodb]\nmode = "hosted"', 'zerodb.mode: must be "embedded", "cloud" or "local"'),
        ('[zerodb]\nbase_url = "https://me:key@host"', "zerodb.base_url: must be a URL like"),
        ('[postgres]\ndsn = "host"', 'postgres.dsn: must be "embedded" or a URL'),
        ('[storage]\ndata_dir = ""', "storage.data_dir: must be text of one or more characters"),
    ],
)
def test_a_wrong_value_says_what_is_allowed(file: Path, text: str, complaint: str):
    """Each fault names its key and its bounds."""
    file.write_text(text)

    (problem,) = problems(file)

    assert problem.startswith(complaint)


@pytest.mark.parametrize("section", ["zerodb", "zerodb_next"])
def test_the_hosted_zerodb_needs_a_project_and_a_key(file: Path, section: str):
    """Both are told at once, before anything is started."""
    file.write_text(f'[{section}]\nmode = "cloud"\n')

    found = [problem.partition(":")[0] for problem in problems(file)]

    assert found == [f"{section}.project_id", f"{section}.api_key"]


def test_bigquery_needs_a_project(file: Path):
    """It is told with whatever else is wrong, not by the first write to the archive."""
    file.write_text('[bigquery]\nmode = "bigquery"\n')

    assert problems(file) == ["bigquery.project: is missing; BigQuery needs one that it can bill"]


def test_a_plan_of_ones_own_names_all_three_limits(file: Path):
    """Each limit a new plan leaves open is a fault, also of a plan that names none."""
    file.write_text("[plans.gold]\nstorage_gb = 2\nmonthly_items = 0\n[plans.silver]\n")

    found = [problem.partition(";")[0] for problem in problems(file)]

    assert found == [
        'plans.gold.monthly_items: must be a whole number above 0, or "unlimited" (from engarde.toml line 3)',
        "plans.gold.retention_days: is missing",
        "plans.silver.storage_gb: is missing",
        "plans.silver.retention_days: is missing",
        "plans.silver.monthly_items: is missing",
    ]


def test_an_empty_section_is_no_fault(file: Path):
    """Whoever comments out every setting of a section may leave its name."""
    file.write_text("[server]\n[plans]\n")

    assert load(file, {}) == Settings()


def test_a_key_whose_line_is_not_found_still_names_its_file(file: Path):
    """A name may be written with escapes, which only the parser sees through."""
    file.write_text('"\\u0078" = 1\n')

    (problem,) = problems(file)

    assert problem.startswith("x: is no setting")
    assert problem.endswith("(from engarde.toml)")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ENGARDE_SERVER_PORT", "ENGARDE_SERVER__PORT"),
        ("ENGARDE_PLANS_FREE_STORAGE_GB", "ENGARDE_PLANS__FREE__STORAGE_GB"),
    ],
)
def test_a_variable_with_single_underscores_is_refused(name: str, meant: str):
    """A variable that can only be a misspelt setting is not silently ignored."""
    assert problems(None, {name: "1"}) == [
        f"{name}: is no setting; write {meant} (from environment variable {name})"
    ]


def test_variables_of_other_programs_are_left_alone():
    """A variable without the double underscore, or without the prefix, is nobody's fault."""
    assert load(None, {"ENGARDE_API_URL": "x", "SERVER__PORT": "x"}) == load(None, {})


def test_without_any_source_the_defaults_hold():
    """The Structs' defaults are the configuration of a start with nothing at all."""
    assert load(None, {}) == Settings()


def test_the_file_wins_over_the_default(file: Path):
    """A key that is not in the file keeps its default."""
    file.write_text("[server]\nport = 9000\n")

    settings = load(file, {})

    assert (settings.server.port, settings.server.host) == (9000, "127.0.0.1")


def test_the_environment_wins_over_the_file(file: Path):
    """A variable replaces what the file says."""
    file.write_text("[server]\nport = 9000\n")

    assert load(file, {"ENGARDE_SERVER__PORT": " 9001 "}).server.port == 9001


def test_the_command_line_wins_over_the_environment():
    """An option replaces what the environment says."""
    settings = load(None, {"ENGARDE_SERVER__PORT": "9001"}, {"server.port": 9002})

    assert settings.server.port == 9002


@pytest.mark.parametrize(
    "text",
    [
        "[plans.free]\nstorage_gb = 2.5",
        "[plans]\nfree.storage_gb = 2.5",
        "[plans]\nfree = { storage_gb = 2.5 }",
    ],
)
def test_a_plan_keeps_the_limits_that_are_not_named(file: Path, text: str):
    """One limit of a known plan can be changed alone, in each of TOML's spellings."""
    file.write_text(text)

    free = load(file, {}).plans["free"]

    assert (free.storage_gb, free.retention_days, free.monthly_items) == (2.5, 30, 100)


def test_a_fault_inside_an_inline_table_points_to_its_line(file: Path):
    """Where a key's own line is not known, the nearest one above it is named."""
    file.write_text("[plans]\n\nfree = { storage_gb = -1 }\n")

    (problem,) = problems(file)

    assert problem.endswith("(from engarde.toml line 3)")


def test_variables_are_read_by_the_type_of_their_setting():
    """Text from the environment becomes a number where a number is wanted, and stays text else."""
    settings = load(
        None,
        {
            "ENGARDE_PLANS__FREE__STORAGE_GB": "0.5",
            "ENGARDE_PLANS__FREE__MONTHLY_ITEMS": "unlimited",
            "ENGARDE_STORAGE__DATA_DIR": "8700",
            "ENGARDE_LOG__FILE": "",
        },
    )

    assert settings.plans["free"].storage_gb == 0.5
    assert settings.plans["free"].monthly_items == "unlimited"
    assert settings.storage.data_dir == "8700"
    assert settings.log.file == ""


def test_a_new_plan_can_be_added_by_the_environment_alone():
    """Containers configure everything without a file."""
    environ = {
        "ENGARDE_PLANS__BLACK_BELT__STORAGE_GB": "7",
        "ENGARDE_PLANS__BLACK_BELT__RETENTION_DAYS": "9",
        "ENGARDE_PLANS__BLACK_BELT__MONTHLY_ITEMS": "11",
    }

    assert load(None, environ).plans["black_belt"].retention_days == 9

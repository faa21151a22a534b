"""The person's settings: `.env`, the environment over it, the caller's over both."""

from pathlib import Path

import pytest

from objproc_embedded.environment import has_one_of, own_environment


@pytest.fixture(autouse=True)
def in_a_folder_with_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("REDIS_URL=redis://from-file\nS3_BUCKET=from-file\n")
    monkeypatch.setenv("REDIS_URL", "redis://from-environment")


def test_the_environment_goes_before_the_file():
    own = own_environment()
    assert (own["REDIS_URL"], own["S3_BUCKET"]) == ("redis://from-environment", "from-file")


def test_the_caller_goes_before_both_and_may_take_away():
    own = own_environment({"REDIS_URL": "", "S3_BUCKET": "mine"})
    assert "REDIS_URL" not in own
    assert own["S3_BUCKET"] == "mine"


def test_an_empty_value_is_as_good_as_none():
    assert not has_one_of({"REDIS_URL": ""}, ("REDIS_URL",))
    assert has_one_of({"S3_BUCKET": "mine"}, ("S3_ENDPOINT_URL", "S3_BUCKET"))

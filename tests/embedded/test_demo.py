"""`make demo`, whole: real servers, real services, the sample objects."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from embedded.support import until
from objproc_client import ObjectDetails
from objproc_embedded.demo import Demo
from objproc_embedded.demo_story import Story
from objproc_embedded.samples import SAMPLES

LAST_LINE = re.compile(r"demo: (\d+) objects completed, (\d+) failed, (\d+) artifacts, [\d.]+ s")
DEMO_TIMEOUT_S = 150


def start_demo(folder: Path) -> subprocess.Popen[str]:
    with (folder.parent / "out").open("w") as out, (folder.parent / "err").open("w") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "objproc_embedded.demo"],
            env={**os.environ, "TMPDIR": str(folder), "REDIS_URL": "redis://not.used"},
            stdout=out,
            stderr=err,
            text=True,
        )


async def test_the_demo_takes_every_sample_through_and_leaves_nothing(tmp_path: Path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    demo = start_demo(folder)
    await until(lambda: demo.poll() is not None, DEMO_TIMEOUT_S)
    out, err = (tmp_path / "out").read_text(), (tmp_path / "err").read_text()
    assert demo.returncode == 0, out + err
    summary = LAST_LINE.fullmatch(out.splitlines()[-1])
    assert summary is not None
    assert summary.groups()[:2] == (str(len(SAMPLES)), "0")
    assert int(summary.group(3)) >= len(SAMPLES)
    assert "at first    FAILED: malformed_json: Not valid JSON" in out
    assert re.search(r"customers\.csv .*?\n.*COMPLETED(?s:.*?)results +2,500 rows of 6 columns · 182 rejected", out)
    assert list(folder.iterdir()) == []


async def test_an_interrupted_demo_leaves_nothing(tmp_path: Path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    demo = start_demo(folder)
    await until(lambda: list(folder.glob("*/data/stack.json")))
    demo.send_signal(signal.SIGINT)
    await until(lambda: demo.poll() is not None)
    assert demo.returncode == 130
    assert list(folder.iterdir()) == []


def test_an_object_that_did_not_come_out_as_it_should_makes_the_demo_fail(tmp_path: Path):
    demo = Demo(tmp_path)
    details = ObjectDetails(object_id="1", identifier="it", state="FAILED")
    good = Story(sample=SAMPLES[0], details=details, headline="", failure=None, faults=[])
    demo.stories = [good]
    assert demo.is_good
    demo.stories.append(Story(sample=SAMPLES[0], details=details, headline="", failure=None, faults=["it is wrong"]))
    assert not demo.is_good
    assert "  WRONG       it is wrong" in demo.stories[1].lines()

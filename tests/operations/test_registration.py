"""What the worker relies on: the entry point, the order of operations, quiet imports, true progress."""

import json
import subprocess
import sys

import pytest

from objproc.operations import OperationContext, OperationFactory
from objproc.operations.harness import describe
from operations.running import CHAIN, run

REQUIRES = {
    "validate": (),
    "transform": ("validate",),
    "enrich": ("transform",),
    "analyze": ("enrich",),
    "export": ("analyze",),
}


def test_the_entry_point_registers_the_five_operations():
    OperationFactory.load()
    registered = OperationFactory.all()
    assert {name: registered[name].requires for name in CHAIN} == REQUIRES


def test_every_params_schema_can_be_published():
    for name in CHAIN:
        schema = OperationFactory.all()[name].Params.model_json_schema()
        assert schema["additionalProperties"] is False
        json.dumps(schema)


def test_importing_the_operations_starts_no_thread():
    script = "import os, objproc_worker.operations; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


@pytest.mark.parametrize("name", CHAIN)
def test_progress_grows_to_one(tmp_path, name):
    content = "id,v,w\n" + "".join(f"{i},text {i},{'x' if i == 500 else i}\n" for i in range(200_000))
    before = run(tmp_path, content, until=CHAIN[max(CHAIN.index(name) - 1, 0)])
    inputs = {n: describe(a.path, n) for r in before.results.values() for n, a in r.artifacts.items()}
    told = []
    operation = OperationFactory.create(name)
    scratch = tmp_path / "measured"
    scratch.mkdir()
    operation.execute(
        OperationContext(
            object_id="o",
            identifier="i",
            params=operation.Params(),
            source=describe(tmp_path / "data.csv"),
            inputs=inputs,
            scratch=scratch,
            report=told.append,
        )
    )
    assert len(told) >= 3
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("name", CHAIN)
def test_summaries_are_small_and_hold_no_value(tmp_path, name):
    content = "id,word\n" + "".join(f"{i},sesame{i % 5}\n" for i in range(100))
    done = run(tmp_path, content, until="export")
    text = json.dumps(done.results[name].summary)
    assert len(text) <= 4096
    assert "sesame" not in text

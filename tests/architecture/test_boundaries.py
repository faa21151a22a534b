"""What import-linter cannot say: names within modules, and the contracts themselves. The rest is in .importlinter."""

from __future__ import annotations

import ast
import configparser
import sys

import pytest

from architecture.tree import DISTRIBUTIONS, ROOT, files, imports_of, name_of, toml, tree_of
from objproc.streams.connection import SCRIPTS

METHODS_MAX = 4
ADAPTERS = {
    "RedisStreams",
    "RedisTasks",
    "RedisInspection",
    "Assurance",
    "MemoryServer",
    "MemoryStreams",
    "MemoryTasks",
    "PostgresProjection",
    "PostgresGarbage",
    "Store",
    "connect",
    "connect_pool",
    "connect_store",
}


def test_the_domain_imports_the_standard_library_and_itself_only() -> None:
    strangers = {
        (name_of(path), module)
        for path in (ROOT / "libs/common/objproc/domain").glob("*.py")
        for module, _ in imports_of(path)
        if module.partition(".")[0] not in sys.stdlib_module_names and not module.startswith("objproc.domain")
    }
    assert not strangers


@pytest.mark.parametrize("module", ["asyncio", "random", "secrets", "time", "threading", "socket", "os", "logging"])
def test_the_domain_knows_no_clock_no_chance_and_no_world(module: str) -> None:
    paths = (ROOT / "libs/common/objproc/domain").glob("*.py")
    assert not [name_of(path) for path in paths if module in {found for found, _ in imports_of(path)}]


def test_the_domain_never_asks_what_time_it_is() -> None:
    asking = [
        f"{name_of(path)}:{node.lineno}"
        for path in (ROOT / "libs/common/objproc/domain").glob("*.py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "uuid4", "uuid1"}
    ]
    assert not asking


def test_only_composition_roots_name_adapters() -> None:
    named = [
        f"{name_of(path)}: {module}.{name}"
        for path in files(".py", parts=("services",))
        if path.name != "__main__.py"
        for module, name in imports_of(path)
        if module.startswith(("objproc.streams", "objproc.store")) and name in ADAPTERS
    ]
    assert not named


def test_a_port_has_at_most_four_methods() -> None:
    wide = {}
    for path in files(".py", parts=("libs", "services")):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Port"):
                methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
                if len(methods) > METHODS_MAX:
                    wide[node.name] = len(methods)
    assert not wide


def test_every_package_is_under_the_import_contracts() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    roots = set(config["importlinter"]["root_packages"].split())
    packages = {
        name for path in DISTRIBUTIONS for name in toml(path)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    }
    assert roots == packages


def test_every_script_is_loaded() -> None:
    assert set(SCRIPTS) == {path.stem for path in files(".lua", parts=("libs",))}


def test_sql_lives_in_its_homes() -> None:
    homes = ("libs/common/objproc/store/", "services/api/objproc_api/queries")
    # the worker's tables are files that DuckDB queries, not the database
    homes += ("services/worker/objproc_worker/operations/tabular/",)
    verbs = ("SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ")
    elsewhere = [
        f"{name_of(path)}:{node.lineno}"
        for path in files(".py", parts=("libs", "services"))
        if not name_of(path).startswith(homes)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(verbs)
    ]
    assert not elsewhere

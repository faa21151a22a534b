"""Plans: what a request really means."""

from __future__ import annotations

import pytest

from objproc.domain.graph import GraphError, OperationDependencyGraph

BUILT_IN = {
    "validate": (),
    "transform": ("validate",),
    "enrich": ("transform",),
    "analyze": ("enrich",),
    "export": ("analyze",),
}


def test_a_plan_holds_everything_the_wanted_operation_needs_parents_first() -> None:
    graph = OperationDependencyGraph(BUILT_IN)
    assert graph.plan(["analyze"]) == ("validate", "transform", "enrich", "analyze")


def test_asking_twice_for_the_same_changes_nothing() -> None:
    graph = OperationDependencyGraph(BUILT_IN)
    assert graph.plan(["validate", "analyze", "validate"]) == graph.plan(["analyze"])


def test_the_order_does_not_depend_on_the_order_of_the_question() -> None:
    graph = OperationDependencyGraph({"z": (), "y": (), "x": ("z", "y"), "w": ("y",)})
    assert graph.plan(["x", "w"]) == graph.plan(["w", "x"]) == graph.plan(["w", "z", "x"])


def test_a_diamond_plans_each_operation_once() -> None:
    graph = OperationDependencyGraph({"split": (), "left": ("split",), "right": ("split",), "join": ("left", "right")})
    plan = graph.plan(["join"])
    assert sorted(plan) == ["join", "left", "right", "split"]
    assert (plan[0], plan[-1]) == ("split", "join")


def test_an_empty_request_is_an_empty_plan() -> None:
    assert OperationDependencyGraph(BUILT_IN).plan([]) == ()


def test_an_unknown_operation_is_refused_by_name() -> None:
    with pytest.raises(GraphError, match="unknown operation 'fly'; known: analyze, enrich") as caught:
        OperationDependencyGraph(BUILT_IN).plan(["validate", "fly"])
    assert caught.value.operation == "fly"


def test_a_requirement_that_nobody_offers_is_refused() -> None:
    with pytest.raises(GraphError, match="'a' requires 'b', which nobody offers") as caught:
        OperationDependencyGraph({"a": ("b",)}).plan(["a"])
    assert caught.value.operation == "a"


@pytest.mark.parametrize("requires", [{"a": ("a",)}, {"a": ("b",), "b": ("c",), "c": ("a",)}])
def test_a_cycle_is_refused_and_named(requires: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(GraphError, match="operations require each other: ") as caught:
        OperationDependencyGraph(requires).plan(["a"])
    assert caught.value.operation in requires


def test_a_cycle_elsewhere_does_no_harm() -> None:
    graph = OperationDependencyGraph({"a": (), "b": ("c",), "c": ("b",)})
    assert graph.plan(["a"]) == ("a",)

import ast
import inspect
from pathlib import Path

import pytest

import govmatch as gm

PUBLIC = """
Alliance Assignment Certificate GovmatchError GreatCircle Infeasible InvalidInput InvalidPolicy
InvalidTables Matcher MissingExtra Plan PlanFaults Policy Problem RoadGraph SolverError UnknownId
UnsupportedFeature Verification __version__ assign datasets explain match plot_day plot_flows
plot_map plot_unmet read_tables report schema_json templates verify warmup write_sheets write_tables
""".split()


def test_the_public_names_are_these():
    assert sorted(gm.__all__) == sorted(PUBLIC)
    assert dir(gm) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_loads_and_is_documented(name):
    value = getattr(gm, name)
    assert getattr(gm, name) is value
    if callable(value):
        assert value.__name__ == name
        assert value.__module__.startswith("govmatch.")
        assert len(inspect.getdoc(value) or "") > 20


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'govmatch' has no attribute 'utils'"):
        _ = gm.utils


def test_a_type_checker_sees_the_same_names():
    tree = ast.parse(Path(gm.__file__).read_text(encoding="utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    seen = {
        alias.name: (statement.module or alias.name)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert set(seen) | {"__version__"} == set(gm.__all__)
    for name, module in seen.items():
        assert name == "datasets" or gm._MODULE_OF[name] == module


def test_every_error_is_a_govmatch_error():
    errors = [v for n in PUBLIC if isinstance(v := getattr(gm, n), type) and issubclass(v, Exception)]
    assert len(errors) == 10
    assert all(issubclass(e, gm.GovmatchError) for e in errors)


@pytest.mark.parametrize("room", ["model", "reach", "solve", "plan", "reporting", "_kernels", "datasets"])
def test_every_module_says_what_it_is(room):
    folder = Path(gm.__file__).parent / room
    for path in folder.glob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path.name} has no docstring"

"""What Python files import, read from their text: nothing is run."""

import ast
from pathlib import Path

PROJECT = Path(__file__).parents[1]
SCRIPTS = PROJECT / "workflow_scripts"
LIBRARY = SCRIPTS / "dtkd"


def file_of(module: str) -> Path | None:
    """The file of one of the library's modules or packages, or None."""
    path = SCRIPTS / module.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def module_of(file: Path) -> str:
    """The name by which a file of the library is imported."""
    return ".".join(file.relative_to(SCRIPTS).with_suffix("").parts).removesuffix(".__init__")


def imported(file: Path, lazy: bool = True) -> set[str]:
    """The modules that a file names in imports, those for type checkers left out.

    With ``lazy`` also those of imports in functions, else only what runs when the file is imported.
    """
    found = set()
    todo = list(ast.parse(file.read_text(encoding="utf-8")).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = {name for name in names if file_of(name)}
            found |= modules if len(modules) == len(names) else modules | {node.module}
        elif lazy or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return found


def reached(file: Path, lazy: bool = True, but: tuple[str, ...] = ()) -> set[str]:
    """The modules that a file imports, by itself or through the library; none in ``but`` or through those."""
    found, todo = set(), [file]
    while todo:
        new = {module for module in imported(todo.pop(), lazy) if not module.startswith(but)} - found
        found |= new
        for module in new:
            packages = [module.rsplit(".", n)[0] for n in range(module.count(".") + 1)]  # importing it runs theirs too
            todo += [own for own in map(file_of, packages) if own]
    return found

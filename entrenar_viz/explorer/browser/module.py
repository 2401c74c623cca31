"""The ES modules of this folder as the one module that a widget may have: it has no address to import others from."""

import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

from entrenar_viz.errors import EntrenarVizError

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]+)\} from )"(?P<file>\.{1,2}/[\w/.]+\.js)";\n', re.MULTILINE)
LEFT = re.compile(r"^\s*(?:import\b(?!\s*\().*|export\s*(?:\*|\{).*)", re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)


@cache
def module(entry: str, folder: Path = HERE) -> str:
    """The file ``entry`` and all that it imports, each once and after what it imports.

    EntrenarVizError for an import in another form than ``import { a, b } from "./file.js";``, of a file or a name that
    there is not, and for a name that two files declare.
    """
    texts: dict[str, str] = {}
    needs: dict[str, list[str]] = {}
    waiting = [entry]
    while waiting:
        file = waiting.pop()
        if file in texts:
            continue
        texts[file] = _read(folder, file)
        needs[file] = [_beside(file, found["file"]) for found in IMPORT.finditer(texts[file])]
        waiting += needs[file]
    _check(texts)
    try:
        order = list(TopologicalSorter({file: sorted(needs[file]) for file in sorted(needs)}).static_order())
    except CycleError as error:
        raise EntrenarVizError(f"files import each other: {' -> '.join(error.args[1])}") from None
    return "\n".join(IMPORT.sub("", texts[file]) for file in order)


def _read(folder: Path, file: str) -> str:
    try:
        return (folder / file).read_text("utf-8")
    except FileNotFoundError:
        raise EntrenarVizError(f"{file} is imported, and there is no such file") from None


def _beside(file: str, imported: str) -> str:
    """The path of what ``file`` imports, from the folder of all."""
    parts: list[str] = []
    for part in (PurePosixPath(file).parent / imported).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _check(texts: dict[str, str]) -> None:
    declared: dict[str, str] = {}
    for file, text in texts.items():
        left = LEFT.search(IMPORT.sub("", text))
        if left:
            raise EntrenarVizError(
                f'{file}: {left[0].strip()!r} is not understood: write import {{ name }} from "./x.js";'
            )
        for found in IMPORT.finditer(text):
            names = {name.strip() for name in found["names"].split(",") if name.strip()}
            missing = names - set(EXPORTED.findall(texts[_beside(file, found["file"])]))
            if missing:
                raise EntrenarVizError(f"{file} imports {sorted(missing)}, which {found['file']} does not export")
        for name in DECLARED.findall(text):
            if name in declared:
                raise EntrenarVizError(
                    f"{file} and {declared[name]} both declare {name}: in one module they would clash"
                )
            declared[name] = file

"""The small changes that can be made to a module: what is compared, computed, given back, passed on or left out.

None are made in docstrings, comments, annotations, imports and the texts of messages.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

OTHER: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
# what these say holds without them wherever the tests run: UTF-8 is the locale, no two lists differ in length,
# nobody writes to what is frozen, a line ends the buffer, and a server's thread ends with it
SAID_FOR_CERTAINTY = {"encoding", "strict", "frozen", "flush", "daemon", "errors", "help", "metavar"}
MESSAGES = {
    "echo",
    "print",
    "tell",
}  # calls whose text is for people; that they are made is tested, their words are not
LOOKS_UP = {"get", "pop", "setdefault"}


@dataclass(frozen=True)
class Mutation:
    """One change to a module: a node of its tree, and what takes its place."""

    path: str
    tree: ast.Module
    node: ast.AST
    changed: ast.AST

    @property
    def module(self) -> str:
        """The full name of the module that is changed."""
        return self.path.removeprefix("lib/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def source(self) -> str:
        """The module's whole source with the change in it; the tree stays as it was."""
        for parent in ast.walk(self.tree):
            for name, value in ast.iter_fields(parent):
                values = value if isinstance(value, list) else [value]
                if any(one is self.node for one in values):
                    new = [self.changed if one is self.node else one for one in values]
                    setattr(parent, name, new if isinstance(value, list) else self.changed)
                    source = ast.unparse(ast.fix_missing_locations(self.tree))
                    setattr(parent, name, value)
                    return source
        raise AssertionError("a node of the tree has no parent in it")

    def __str__(self) -> str:
        before, after = (ast.unparse(node).splitlines()[0] for node in (self.node, self.changed))
        same = _in_common(before, after), _in_common(before[::-1], after[::-1])
        line = next(part.lineno for part in ast.walk(self.node) if isinstance(part, ast.expr | ast.stmt | ast.arg))
        return f"{self.path}:{line}  {_shortened(before, *same)} -> {_shortened(after, *same)}"


def _in_common(one: str, other: str) -> int:
    """How many letters two texts have in common at their start."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def _shortened(text: str, start: int, end: int) -> str:
    """A text without most of what it has in common with another: so much at its start, and so much at its end."""
    head, tail = max(start - 60, 0), max(end - 30, 0)
    return ("..." if head else "") + text[head : len(text) - tail] + ("..." if tail else "")


def mutations(path: str, source: str) -> Iterator[Mutation]:
    """All changes that can be made to one module, each by itself."""
    tree = ast.parse(source)
    left_out = {id(part) for node in ast.walk(tree) for spared in _spared(node) for part in ast.walk(spared)}
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        for change in CHANGES:
            for changed in change(node):
                yield Mutation(path, tree, node, changed)


def _spared(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node in which nothing is changed."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            yield node
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield node
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            yield node
        case ast.AnnAssign() | ast.arg() if node.annotation:
            yield node.annotation
        case ast.FunctionDef(returns=ast.expr() as returns):
            yield returns
        case ast.ClassDef(bases=bases):
            yield from bases
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in MESSAGES:
            yield from [*node.args, *node.keywords]
        case ast.Call(func=ast.Name(id="cast" | "TypeVar")) if node.args:
            yield node.args[0]
        case ast.Subscript(value=ast.Name(id="Counter" | "dict" | "list" | "set" | "deque" | "tuple")):
            yield node
        case ast.keyword(arg=str(name)) if name in SAID_FOR_CERTAINTY:
            yield node.value


def _with(node: ast.AST, **fields: object) -> ast.AST:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _other_operator(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            for other in OTHER[type(op)]:
                yield _with(node, ops=[*node.ops[:at], other(), *node.ops[at + 1 :]])
    elif isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign):
        texts = isinstance(node, ast.BinOp) and any(_is_text(side) for side in (node.left, node.right))
        for other in () if texts else OTHER.get(type(node.op), ()):
            yield _with(node, op=other())


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _other_constant(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)


def _other_key(node: ast.AST) -> Iterator[ast.AST]:
    """A text that something is looked up by, compared with or called by default, changed."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            yield _with(node, slice=ast.Constant(f"{key}X"))
        case ast.Call(func=ast.Attribute(attr=name), args=[ast.Constant(value=str(key)), *rest]) if name in LOOKS_UP:
            yield _with(node, args=[ast.Constant(f"{key}X"), *rest])
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Constant(value=str(key))]):
            yield _with(node, comparators=[ast.Constant(key[:-1])])  # one letter more would seldom be asked for
        case ast.Compare(comparators=[ast.Constant(value=str(key))]):
            yield _with(node, comparators=[ast.Constant(f"{key}X")])
        case ast.Dict():
            for at, one in enumerate(node.keys):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield _with(node, keys=[*node.keys[:at], ast.Constant(f"{one.value}X"), *node.keys[at + 1 :]])
        case ast.arguments():
            for at, default in enumerate(node.defaults):
                if isinstance(default, ast.Constant) and isinstance(default.value, str):
                    other = ast.Constant(f"{default.value}X")
                    yield _with(node, defaults=[*node.defaults[:at], other, *node.defaults[at + 1 :]])


def _negated(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.comprehension):
        for at in range(len(node.ifs)):
            yield _with(node, ifs=node.ifs[:at] + node.ifs[at + 1 :])


def _none_returned(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _statement_removed(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield ast.Pass()


def _argument_dropped(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call):
        if len(node.args) > 1:  # one that others follow would only change places with them
            yield _with(node, args=node.args[:-1])
        for at, keyword in enumerate(node.keywords):
            if keyword.arg not in SAID_FOR_CERTAINTY:
                yield _with(node, keywords=node.keywords[:at] + node.keywords[at + 1 :])


CHANGES: tuple[Callable[[ast.AST], Iterator[ast.AST]], ...] = (
    _other_operator,
    _other_constant,
    _other_key,
    _negated,
    _none_returned,
    _statement_removed,
    _argument_dropped,
)

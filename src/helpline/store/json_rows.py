"""Rows of a subquery as one JSON array of objects, in the words of either database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class json_rows(FunctionElement[Any]):
    """An array with an object for each row, the columns' names its keys; NULL or empty without rows.

    The order of the rows is not promised: select what they are sorted by.
    """

    type = sa.JSON()
    inherit_cache = True


def _pairs(element: json_rows, compiler: SQLCompiler, wrap_json: bool, **options: Any) -> str:
    pairs = []
    for column in element.clauses:
        value = compiler.process(column, **options)
        # SQLite keeps JSON as text: without this it would become a string within the object.
        wrapped = f"json({value})" if wrap_json and isinstance(column.type, sa.JSON) else value
        pairs.append(f"'{column.name}', {wrapped}")
    return ", ".join(pairs)


@compiles(json_rows, "sqlite")
def _in_sqlite(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_object({_pairs(element, compiler, True, **options)}))"


@compiles(json_rows, "postgresql")
def _in_postgres(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_agg(json_build_object({_pairs(element, compiler, False, **options)}))"

#!/usr/bin/env bash
# pandas 3.1.1, DataFrame.to_csv: a cell that holds a carriage return alone is written without quotes, and read_csv of
# pandas itself then finds one row more. polars 2.1.0, DuckDB 2.0.1 and pyarrow 26.0.1 quote such a cell.
#
# Guess before it was run: all four quote it, as they quote a line feed, since readers take either for the end of a row.
#
# Seen:
#   pandas  'a,b\nx\ry,z\n'            rows read back: 2
#   polars  'a,b\n"x\ry",z\n'          rows read back: 1
#   duckdb  'a,b\n"x\ry",z\n'          rows read back: 1
#   pyarrow '"a","b"\n"x\ry","z"\n'    rows read back: 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1 numpy==2.4.6
cat >probe.py <<'PY'
import io
import pathlib

import duckdb
import pandas
import polars
import pyarrow
from pyarrow import csv

columns = {"a": ["x\ry"], "b": ["z"]}
pandas.DataFrame(columns).to_csv("pandas.csv", index=False)
polars.DataFrame(columns).write_csv("polars.csv")
table = pyarrow.table(columns)
duckdb.from_arrow(table).write_csv("duckdb.csv")
csv.write_csv(table, "pyarrow.csv")
for name in ("pandas", "polars", "duckdb", "pyarrow"):
    text = pathlib.Path(f"{name}.csv").read_bytes().decode()
    print(f"{name:7} {text!r:27}rows read back: {len(pandas.read_csv(io.StringIO(text, newline='')))}")
PY
venv/bin/python probe.py | tee seen
diff - seen <<'OUT'
pandas  'a,b\nx\ry,z\n'            rows read back: 2
polars  'a,b\n"x\ry",z\n'          rows read back: 1
duckdb  'a,b\n"x\ry",z\n'          rows read back: 1
pyarrow '"a","b"\n"x\ry","z"\n'    rows read back: 1
OUT
echo "unchanged"

"""The parameter file that `lifeboat new` writes, word for word."""

from __future__ import annotations

from pathlib import Path

from lifeboat.parameters.propose import propose, survey, written
from lifeboat.parameters.propose.written import inline, printable

NOISE = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7]
Y = [0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0]
FILE = """\
# yaml-language-server: $schema=schema.json
# A first parameter file for rows.csv, written by
#
#   lifeboat new rows.csv --label y
#
# from what it saw. Nothing in it is settled: read it, change it, and run it with
#
#   lifeboat run params/rows.yaml
#
# Seen: 30 rows.
#   column                                                   type    missing  values
#   amount                                                   DOUBLE  1        29      0.75 to 37; a gap: NA
#   few                                                      INT     -        9       1 to 9
#   kind                                                     STRING  -        2       a rather long..., b
#   same                                                     STRING  -        1       x
#   a name of a column that is long enough to fold the line  INT     -        9       1 to 9
#   y                                                        STRING  -        2       no, yes
#
# To look at:
#   - 1 stands for 'yes' (15 of 30 rows), 0 for 'no'; --positive names another
#   - one class has about 15 rows: intervals will be wide, and folds may lack it
#   - no column names a row: if one should, name it as `key` and drop make_key
#   - same: left out: its value is always 'x'
#   - these tell the label best by themselves (ROC AUC): amount 0.84; are they known before the label is?
#   - few, a name of a column that is long enough to fold the line: few whole numbers, taken as amounts: one that
#     stands for a name is to be STRING in the schema and stand under categorical

# --- where
spark: local[*]              # where Spark runs: local[2], local[*], spark://host:7077, sc://host
seed: 42                     # decides whatever is drawn by lot

# --- the data
labelled_path: data/rows.csv  # CSV or parquet, rows with a label
unlabelled_path: ''          # CSV or parquet, rows to predict; empty for none
csv: {}                      # how the file is written
enrich:                      # what the rows need before they are whole: no_value, join, compute, make_key
  no_value:                  # words that stand where there is none
    amount: [NA]
  compute:                   # new columns, by SQL
    y_is_yes: y = 'yes'
  make_key: true             # from each row's content
schema: >-
  amount DOUBLE, few INT NOT NULL, kind STRING NOT NULL, same STRING NOT NULL,
  `a name of a column that is long enough to fold the line` INT NOT NULL, y_is_yes INT NOT NULL
label: y_is_yes              # 1: y is 'yes' (50.0% of the rows)
class_names: ['no', 'yes']   # what people call class 0 and class 1; empty: no and yes
key: row_id                  # no column names a row: a key is made from the row's content
ranges: {y_is_yes: [0, 1]}   # lowest and highest value allowed; a row outside is kept aside with its reason
holdout_fraction: 0.2        # share of rows held out; between 0 and 1
# column, such as a family or a day, whose rows belong together; empty: each row stands alone
group_by: ''
related_by: ''               # column whose rows may belong together, to see what that does; empty to leave that out
# columns whose groups are compared by how often the label is 1
compare: [few, kind, a name of a column that is long enough to fold the line]

# --- the features
derive: []                   # new columns, each a stage and its Params
impute: {amount: mean}       # how gaps are filled: mean, mean by COLUMN or mode
numeric:
  - amount
  - few                      # 9 whole numbers, taken as amounts
  - a name of a column that is long enough to fold the line  # 9 whole numbers, taken as amounts
categorical:
  - kind
  # - same
  #     its value is always 'x'
texts: []                    # texts to show the first derived column of; empty to leave that out
leak_column: ''              # a column of many values, to show a leak with; empty to leave that out

# --- the model
estimator: random_forest     # Spark's classifier; one of: random_forest, gbt, logistic_regression
estimator_params: {maxDepth: 5}  # Spark's own Params of the estimator, the same at every grid point
grid: {maxDepth: [3, 6]}     # Params to try, each with its values, the simplest first
num_folds: 3                 # parts for cross-validation; 2 or more
metric: accuracy             # what the grid is compared by; one of: accuracy, log_loss, roc_auc, pr_auc
# columns to show of single rows
show: [amount, few, kind, a name of a column that is long enough to fold the line]

# --- the verdict
baseline: few                # of the columns with few values, the one that tells most by itself
groups: [few, kind]          # columns whose groups are looked at one by one
together: []                 # features to shuffle as one, since they say the same; empty for none
verdict_metric: log_loss     # what the verdict compares by; one of: log_loss, brier
margin: 0.01                 # how much worse than the champion a model may be, in that metric's unit; 0 or more
resamples: 1000              # how often the hold-out is drawn anew; 1 or more

# --- the registry, and where it goes
registered_model: rows       # the model's name in the registry; empty: that of the run's folder
columns: {}                  # title and unit of columns, each may be left out
"""


def test_the_file_has_each_parameter_with_its_reason_and_no_line_too_long(tmp_path: Path) -> None:
    columns = {
        "amount": ["NA" if i == 2 else i / 4 + 30 * (y if i % 8 else 1 - y) for i, y in enumerate(Y)],
        "few": NOISE,
        "kind": ["a rather long text of many words" if i % 3 else "b" for i in range(30)],
        "same": ["x"] * 30,
        "a name of a column that is long enough to fold the line": NOISE[::-1],
        "y": ["no" if y else "yes" for y in Y],
    }
    rows = zip(*columns.values(), strict=True)
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in [tuple(columns), *rows]) + "\n")
    proposal = propose(survey(path), "y", name="rows", paths=["data/rows.csv"])
    assert written(proposal, "lifeboat new rows.csv --label y", "params/rows.yaml") == FILE
    assert max(map(len, FILE.splitlines())) <= 118


def test_texts_that_yaml_would_not_read_as_they_stand_are_written_otherwise() -> None:
    assert printable("a\nb\u2028c") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert inline(["ü", 1]) == "[ü, 1]"
    assert inline("\u2028") == '"\\L"'

"""The parameter file that `lifeboat new` writes, word for word."""

from __future__ import annotations

from pathlib import Path

from lifeboat.parameters.propose import propose, survey, written
from lifeboat.parameters.propose.written import inline, printable

NOISE = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7]
Y = [0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0]
FILE = """\
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
spark: local[*]              # all cores of this machine; local[2], spark://host:7077, sc://host
seed: 42                     # of every draw and forest, and of the split unless split_seed says another

# --- the data
labelled_path: data/rows.csv  # rows with a label
unlabelled_path: ''          # rows to predict; empty for none
csv: {}                      # how the file is written
complete:                    # what the rows need before they are whole
  no_value:                  # words that stand where there is none
    amount: [NA]
  compute:                   # new columns, by SQL
    amount_quarter: >-
      CASE
      WHEN amount <= 5 THEN '1: up to 5'
      WHEN amount <= 31.75 THEN '2: up to 31.75'
      WHEN amount <= 34.25 THEN '3: up to 34.25'
      WHEN amount > 34.25 THEN '4: more' END
    y_is_yes: y = 'yes'
  make_key: true             # from each row's content
schema: >-
  amount DOUBLE, few INT NOT NULL, kind STRING NOT NULL, same STRING NOT NULL,
  `a name of a column that is long enough to fold the line` INT NOT NULL, amount_quarter STRING,
  y_is_yes INT NOT NULL
label: y_is_yes              # 1: y is 'yes' (50.0% of the rows)
key: row_id                  # no column names a row: a key is made from the row's content
ranges: {y_is_yes: [0, 1]}   # lowest and highest value, such as [0, 120]; a row outside is kept aside with its reason
holdout_fraction: 0.2        # kept away from training, by a hash of the key
group_by: ''                 # a column, such as a customer or a day, whose rows belong together
related_by: ''               # a column whose rows may belong together: notebook 1 looks whether it matters

# --- the features
derive: []                   # new columns by stages, such as {stage: SumColumns, inputCols: [a, b], outputCol: both}
compare: [amount_quarter, few, kind]  # columns whose groups are compared by how often the label is 1
impute: {amount: mean}       # columns with gaps: mean, mean by COLUMN, or mode
numeric:
  - amount
  - few                      # 9 whole numbers, taken as amounts
  - a name of a column that is long enough to fold the line  # 9 whole numbers, taken as amounts
categorical:
  - kind
  # - same
  #     its value is always 'x'
texts: []                    # a few texts to show the first stage of `derive` on
leak_column: ''              # a text of many values, to see a leak with in notebook 2; empty to leave that out

# --- the model
estimator: random_forest     # random_forest, gbt or logistic_regression
estimator_params: {maxDepth: 5}
grid: {maxDepth: [3, 6]}     # each combination is cross-validated, the simplest first
num_folds: 3
metric: accuracy
# of single rows
show: [amount, few, kind, a name of a column that is long enough to fold the line]

# --- the verdict
baseline: amount_quarter     # the number that tells most by itself, cut in four parts
groups: [amount_quarter, few]  # looked at one by one
together: []                 # features that say the same, to shuffle as one
verdict_metric: log_loss     # or brier
margin: 0.01                 # so much worse than the champion a model may be
resamples: 1000              # of the bootstrap

# --- the registry
registered_model: rows       # its champion is the model to compare with
class_names: ['no', 'yes']   # what people call class 0 and class 1, such as [died, survived]; empty: no and yes
columns: {}                  # what people call columns, and units, such as {Fare: {title: fare, unit: pounds}}
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

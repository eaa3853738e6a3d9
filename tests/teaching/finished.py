"""A finished run on the Titanic's passengers, in a moment: real rows, scores of a quick forest, an earlier model.

It lies as the five notebooks leave a run, as far as the exercises read it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from lifeboat.preprocess.column_names import PREDICTION, PROBABILITY
from lifeboat.run import Run
from lifeboat.sampling import FOLD

ROOT = Path(__file__).parents[2]
BEFORE = ROOT / "tests/data/before"
KEY, LABEL = "PassengerId", "Survived"
FOLDS, DEPTHS = 3, (1, 3, 6)


def passengers(file: str) -> pd.DataFrame:
    """The rows of one of the two files, in the types that notebook 1 gives them."""
    rows = pd.read_csv(ROOT / "data/titanic" / file)
    return rows.astype({name: "int32" for name, kind in rows.dtypes.items() if kind == "int64"})


def make_run(run_dir: Path) -> Run:
    """Write the run's folders, and give the run, which has no Spark."""
    run = Run(run_dir)
    load_rows(run)
    train = pd.read_parquet(run.where("train"))
    leave(run, "02_preprocess", "recipe.json")
    cross_validate(run, train)
    leave(run, "04_evaluate", "holdout_predictions.parquet", "metrics.json")
    deploy_model(run)
    return run


def leave(run: Run, stage: str, *files: str) -> None:
    """Files that an earlier run left, as they are."""
    out = run.begin(stage)
    for file in files:
        shutil.copy(BEFORE / "run" / stage / file, out / file)
    run.commit(out)


def deploy_model(run: Run) -> None:
    """What notebook 5 leaves: an earlier model, that calls 1 what has a probability over 0.55.

    At one half, each answer of it that a filled gap changes at all changes its class, and nobody could tell which of
    the two was counted.
    """
    out = run.begin("05_deploy")
    shutil.copytree(BEFORE / "portable-1", out / "portable")
    manifest = json.loads((out / "portable/manifest.json").read_text())
    manifest["model"]["thresholds"] = [0.45, 0.55]
    (out / "portable/manifest.json").write_text(json.dumps(manifest))
    run.commit(out)


def load_rows(run: Run) -> None:
    """What notebook 1 leaves; held out are those that an earlier run predicted."""
    rows = passengers("titanic_train.csv")
    held = rows[KEY].isin(pd.read_parquet(BEFORE / "run/04_evaluate/holdout_predictions.parquet")["key"])
    out = run.begin("01_load")
    parts = {"train": rows[~held], "holdout": rows[held], "unlabelled": passengers("titanic_test.csv")}
    for name, part in parts.items():
        (out / name).mkdir()
        part.to_parquet(out / name / "part.parquet", index=False)
    for file in ("schema.json", "summary.json"):
        shutil.copy(BEFORE / "run/01_load" / file, out / file)
    run.commit(out)


def cross_validate(run: Run, train: pd.DataFrame) -> None:
    """What notebook 3 leaves: the scores of three settings, and the out-of-fold predictions of the best."""
    features = train[["Pclass", "Fare"]].assign(male=train["Sex"] == "male", age=train["Age"].fillna(30))
    fold, tables = train[KEY] % FOLDS, []
    for depth in DEPTHS:
        table = pd.DataFrame({KEY: train[KEY], FOLD: fold, LABEL: train[LABEL], PROBABILITY: 0.0})
        for number in range(FOLDS):
            forest = RandomForestClassifier(20, max_depth=depth, random_state=3)
            forest.fit(features[fold != number], train[LABEL][fold != number])
            table.loc[fold == number, PROBABILITY] = forest.predict_proba(features[fold == number])[:, 1]
        tables.append(table.assign(**{PREDICTION: (table[PROBABILITY] > 0.5).astype(float)}))
    scores = [(table[PREDICTION] == table[LABEL]).groupby(fold).mean().tolist() for table in tables]
    means = [sum(of_folds) / FOLDS for of_folds in scores]
    best = means.index(max(means))
    noted = json.loads((BEFORE / "run/03_train_cv/scores.json").read_text())
    noted["parameters"] |= {"num_folds": FOLDS, "grid": {"maxDepth": list(DEPTHS)}}
    noted |= {"points": [{"maxDepth": depth} for depth in DEPTHS], "scores": scores, "best": best}
    out = run.begin("03_train_cv")
    run.write(out_of_fold=tables[best], scores=noted)
    run.commit(out)

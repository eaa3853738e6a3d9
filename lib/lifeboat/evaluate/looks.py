"""How often a run has looked at its hold-out: each look makes the next one's answer a little less honest."""

from __future__ import annotations

import hashlib
import json

from lifeboat.evaluate.scored import Scored
from lifeboat.run import Run


def count_look(run: Run, scored: Scored) -> int:
    """Count one more look at these rows, and write ``looks.json``: hold-out -> looks.

    The looks of earlier runs of the stage are counted on, each hold-out by itself: two are the same where they have
    the same keys and labels. As the rest of the folder, the look counts once the folder is committed.

    Args:
        run: Of which notebook 4 has begun its folder.
        scored: The held-out rows.

    Returns:
        Which look this is; 1 for the first.
    """
    earlier = run.previous("looks")
    looks: dict[str, int] = json.loads(earlier.read_text(encoding="utf-8")) if earlier else {}
    keys = [""] * scored.n if scored.key is None else map(str, scored.key)
    rows = sorted(zip(keys, scored.label.tolist(), strict=True))  # in whatever order they are
    holdout = "sha256:" + hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    looks[holdout] = looks.get(holdout, 0) + 1
    run.write(looks=looks)
    return looks[holdout]

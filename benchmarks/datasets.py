"""What needs no model: baselines on the embedded sets, as the table `python -m benchmarks.datasets` prints.

Classification: the most frequent label, and TF-IDF of words and pairs of words with logistic regression.
Generation: the reply to the training prompt that is nearest in TF-IDF, and the prompt itself as the reply.
Scores are those of `lab.data.scoring` on the test split.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from lab.data.scoring import score

DATA = Path(__file__).parents[1] / "assets" / "data"

Row = dict[str, str]


def read(name: str, split: str) -> list[Row]:
    """The rows of a split of an embedded set, each with its "target" and "input"."""
    columns = json.loads((DATA / name / "data.json").read_text(encoding="utf-8"))["columns"]
    source, target = columns.values()
    lines = (DATA / name / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [row | {"input": row[source], "target": row[target]} for row in map(json.loads, lines)]


def majority(train: list[Row], test: list[Row]) -> list[str]:
    """The most frequent label of the training split, for every row."""
    return [Counter(row["target"] for row in train).most_common(1)[0][0]] * len(test)


def logistic_regression(train: list[Row], test: list[Row]) -> list[str]:
    """TF-IDF of words and pairs of words, logistic regression with C = 10."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=10, max_iter=2000)
    model.fit(words.fit_transform([row["input"] for row in train]), [row["target"] for row in train])
    return list(model.predict(words.transform([row["input"] for row in test])))


def nearest_neighbour(train: list[Row], test: list[Row]) -> list[str]:
    """The reply to the training prompt whose words are most like the test prompt's (cosine of TF-IDF)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(sublinear_tf=True)
    known = words.fit_transform([row["input"] for row in train])
    nearest = (words.transform([row["input"] for row in test]) @ known.T).toarray().argmax(axis=1)
    return [train[i]["target"] for i in nearest]


def copy(train: list[Row], test: list[Row]) -> list[str]:
    """The prompt itself."""
    return [row["input"] for row in test]


BASELINES = {
    "classify": {"majority": majority, "TF-IDF + logistic regression": logistic_regression},
    "generate": {"copy of the prompt": copy, "TF-IDF nearest neighbour": nearest_neighbour},
}


def table() -> list[str]:
    """The lines of the table, in Markdown."""
    lines = ["| set | baseline | scores on test |", "|---|---|---|"]
    for card in sorted(DATA.glob("*/data.json")):
        about, name = json.loads(card.read_text(encoding="utf-8")), card.parent.name
        train, test = read(name, "train"), read(name, "test")
        for baseline, predict in BASELINES[about["task"]].items():
            figures = score(about["metric"], test, predict(train, test))
            lines.append(f"| {name} | {baseline} | " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()) + " |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))

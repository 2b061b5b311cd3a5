"""Writes knn.json beside itself: the weighted vote of nearest neighbours, spelt out in Python's own numbers.

Wu et al. (2018), section 3.4; Caron et al. (2021): among the k references nearest by cosine, each votes for its class
with exp(cosine / temperature). Made with numpy 2.4.6, of which only the random numbers are used.
"""
import json
import math
import pathlib

import numpy as np

CLASSES = 7


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def scores(query, references, targets, k, temperature):
    nearest = sorted(((cosine(query, r), t) for r, t in zip(references, targets)), reverse=True)[:k]
    votes = [0.0] * CLASSES
    for similarity, target in nearest:
        votes[target] += math.exp(similarity / temperature)
    return [vote / sum(votes) for vote in votes]


def hits(rows, targets, first):
    right = 0
    for row, target in zip(rows, targets):
        order = sorted((c for c in range(CLASSES) if row[c] > 0), key=lambda c: (-row[c], c))
        right += target in order[:first]
    return right


def draw(random, count, centres):
    targets = random.integers(0, CLASSES, count)
    features = (centres[targets] + 1.2 * random.normal(size=(count, 6))) * random.uniform(0.5, 20, (count, 1))
    return features.round(3).tolist(), targets.tolist()


random = np.random.default_rng(0)
centres = random.normal(size=(CLASSES, 6))
references, reference_targets = draw(random, 40, centres)
queries, query_targets = draw(random, 12, centres)
cases = []
for k, temperature in [(1, 0.07), (5, 0.07), (20, 0.07), (20, 1.0), (40, 0.02)]:
    rows = [scores(q, references, reference_targets, k, temperature) for q in queries]
    cases.append(dict(k=k, temperature=temperature, scores=[[round(v, 8) for v in row] for row in rows],
                      top1=hits(rows, query_targets, 1), top5=hits(rows, query_targets, 5)))
golden = dict(classes=CLASSES, references=references, reference_targets=reference_targets, queries=queries,
              query_targets=query_targets, cases=cases)
pathlib.Path(__file__).with_name("knn.json").write_text(json.dumps(golden) + "\n")
print([(c["k"], c["temperature"], c["top1"], c["top5"]) for c in cases])

#!/usr/bin/env bash
# safetensors 0.8.0, safetensors.numpy.save_file: an array in Fortran order is written as its buffer lies, under the shape
# of the array. What load_file gives back is another matrix; nothing is raised, nothing is warned of.
#
# Guess before it was run: the values come back, or the array is refused, as safetensors.torch refuses a tensor that is
# not contiguous. Where it matters: LogisticRegression.coef_ of scikit-learn 1.9.1 is such an array from three classes on.
#
# Seen:
#   (2, 3) in Fortran order, saved: [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
#   loaded:                         [[0.0, 3.0, 1.0], [4.0, 2.0, 5.0]]
#   a transposed view, saved and loaded: equal False
#   coef_ of 2 classes in C order: True, of 3 classes: False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6 scikit-learn==1.9.1
cat >probe.py <<'PY'
import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
save_file({"a": array}, "a.safetensors")
print("(2, 3) in Fortran order, saved:", array.tolist())
print("loaded:                        ", load_file("a.safetensors")["a"].tolist())
view = np.arange(6.0).reshape(3, 2).T
save_file({"a": view}, "b.safetensors")
print("a transposed view, saved and loaded: equal", bool(np.array_equal(load_file("b.safetensors")["a"], view)))
draw = np.random.default_rng(0)
x = draw.normal(size=(60, 4))
orders = [LogisticRegression().fit(x, np.arange(60) % k).coef_.flags["C_CONTIGUOUS"] for k in (2, 3)]
print(f"coef_ of 2 classes in C order: {orders[0]}, of 3 classes: {orders[1]}")
PY
venv/bin/python probe.py | tee seen
diff - seen <<'OUT'
(2, 3) in Fortran order, saved: [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
loaded:                         [[0.0, 3.0, 1.0], [4.0, 2.0, 5.0]]
a transposed view, saved and loaded: equal False
coef_ of 2 classes in C order: True, of 3 classes: False
OUT
echo "unchanged"

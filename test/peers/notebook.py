"""Runs the notebook for SageMaker without a screen, and looks at what it has found.

usage: notebook.py FOLDER ROWS [stedi]
FOLDER has what `tarn connect sagemaker --notebook FOLDER` wrote; TARN_ATHENA_ENDPOINT leads to a stand-in. ROWS is how many rows
the table has; with stedi they are those of the real files, of which it is known what a model makes of them. The cells run as
they are; one behind them tells what they have left. Ends with 1 if that is not what it claims.
"""

import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

folder, rows, model_case = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["stedi"]
notebook = nbformat.read(folder / "machine_learning.ipynb", as_version=4)
nbformat.validate(notebook)
tell = """import json
print(json.dumps({"rows": len(df), "people": people.nunique(), "R²": {" on ".join(k): v for k, v in scores["R²"].items()},
                  "shared": {" on ".join(k): v for k, v in scores["people in both parts"].items()}}, default=float))
"""
notebook.cells.append(nbformat.v4.new_code_cell(tell))
NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
told = json.loads(notebook.cells[-1].outputs[0].text)
for cell in notebook.cells[:-1]:
    for output in cell.get("outputs", []):
        print(output.get("text") or output.get("data", {}).get("text/plain", ""))
plots = [o for c in notebook.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
assert len(plots) == 1, f"{len(plots)} plots"
assert told["rows"] == rows, told
r2, shared = told["R²"], told["shared"]
assert set(r2) == {f"{model} on {part}" for model in ("hasty", "careful", "mean") for part in ("random rows", "other people")}, told
assert all(shared[k] == 0 for k in shared if k.endswith("other people")), told
assert all(shared[k] > told["people"] / 2 for k in shared if k.endswith("random rows")), told
if model_case:
    assert r2["hasty on random rows"] > 0.5 and r2["hasty on other people"] < 0, told
    assert abs(r2["careful on other people"]) < 0.1 and abs(r2["mean on other people"]) < 0.1, told
print("read alike", told)

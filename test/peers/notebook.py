"""Runs the notebook for SageMaker without a screen, and looks at what it has found.

usage: notebook.py FOLDER ROWS
FOLDER has what `tarn connect sagemaker --notebook FOLDER` wrote; TARN_ATHENA_ENDPOINT leads to a stand-in. ROWS is how many rows
the table has. The cells run as they are; one behind them tells what they have left. Ends with 1 if that is not what it claims.
"""

import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

folder, rows = Path(sys.argv[1]), int(sys.argv[2])
notebook = nbformat.read(folder / "machine_learning.ipynb", as_version=4)
nbformat.validate(notebook)
tell = """import json
print(json.dumps({"rows": len(df), "claimed": claimed, "honest": honest, "mean": scores.loc[("mean", "people"), "R²"],
                  "shared": scores["devices in both parts"].to_dict(), "devices": df.serialnumber.nunique()}, default=float))
""".replace('scores["devices in both parts"].to_dict()', '{" ".join(k): v for k, v in scores["devices in both parts"].items()}')
notebook.cells.append(nbformat.v4.new_code_cell(tell))
NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
told = json.loads(notebook.cells[-1].outputs[0].text)
for cell in notebook.cells[:-1]:
    for output in cell.get("outputs", []):
        print(output.get("text") or output.get("data", {}).get("text/plain", ""))
plots = [o for c in notebook.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
assert len(plots) == 1, f"{len(plots)} plots"
assert told["rows"] == rows, told
assert told["shared"]["neighbours people"] == told["shared"]["mean people"] == 0, told
assert told["shared"]["neighbours rows"] > told["devices"] / 2, told
assert told["claimed"] > 0.5 and told["honest"] < 0.1 and abs(told["mean"]) < 0.1, told
print("read alike", told)

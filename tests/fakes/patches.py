"""Patches as ``git diff`` writes them."""

from __future__ import annotations

ONE_LINE = """\
diff --git a/torch/nn/rnn.py b/torch/nn/rnn.py
index 1111111111111111111111111111111111111111..2222222222222222222222222222222222222222 100644
--- a/torch/nn/rnn.py
+++ b/torch/nn/rnn.py
@@ -1,3 +1,3 @@
 one
-two
+2
 three
"""


def added(path: str, *, mode: str = "100644") -> str:
    """Return a patch that adds a file of one line."""
    tab = "\t" if " " in path else ""
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\nindex 0000000..1111111\n"
        f"--- /dev/null\n+++ b/{path}{tab}\n@@ -0,0 +1 @@\n+x = 1\n"
    )

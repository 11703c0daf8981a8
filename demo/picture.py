"""Run the demo, and write what it prints as a picture: `python demo/picture.py docs/images/demo.svg`."""

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

_COLUMNS, _MAX_LINES = 100, 35


def main() -> None:
    """Write the picture to the path in the first argument."""
    command = [sys.executable, str(Path(__file__).with_name("run.py"))]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(Text("$ make demo\n" + "\n".join(printed.splitlines()[:_MAX_LINES])))
    svg = console.export_svg(title="airflow-zendesk")
    # The fonts of Rich's template come from another host.
    Path(sys.argv[1]).write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))


if __name__ == "__main__":
    main()

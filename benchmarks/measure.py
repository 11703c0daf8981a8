"""Run a command and measure it from its start to its exit: measure.py RESULT COMMAND...

A process of its own, and a small one: Linux counts the memory of the process that starts a command as the command's.
"""

import json
import os
import sys
import time
from pathlib import Path


def main(result: str, *command: str) -> int:
    """Write the seconds, CPU seconds and peak bytes (of the largest process) to a JSON file; return the exit code."""
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - started
    measured = {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss * 1024}
    Path(result).write_text(json.dumps(measured))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

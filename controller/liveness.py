"""Whether a process that left its number and its machine in the store is still at work."""

from __future__ import annotations

import os
import socket
import sys

HOST = socket.gethostname()


def exists(pid: int) -> bool:
    """Whether this machine has the process; on Windows, where asking would end it, the heartbeat alone tells."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

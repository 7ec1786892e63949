"""`python3 -m host_tools <task>`: set up what is missing, then run the task."""

import sys

from host_tools import bootstrap, fast, tasks

if __name__ == "__main__":
    bootstrap.ensure()
    fast.ensure(sys.argv[1:])
    sys.exit(tasks.run(sys.argv[1:]))

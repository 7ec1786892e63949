"""Runs unit test files on MicroPython: run.py FILE…; prints failures and a line of counts, exits 1 on any failure."""

import sys


def outcome(test, name, words):
    """(passed, failed) of one method of a fresh test case."""
    try:
        test.setUp()
        try:
            getattr(test, name)()
        finally:
            test.tearDown()
        return 1, 0
    except Exception as error:
        print("FAILED %s.%s" % (words, name))
        sys.print_exception(error)
        return 0, 1


def run(path):
    """(passed, failed) of one file, which is forgotten again."""
    passed = failed = 0
    name = path.rsplit("/", 1)[-1][:-3]
    module = __import__(name)
    for case_name in dir(module):
        case = getattr(module, case_name)
        if not isinstance(case, type) or case_name == "TestCase" or not hasattr(case, "assertEqual"):
            continue
        for test_name in dir(case):
            if test_name.startswith("test"):
                more = outcome(case(), test_name, "%s %s" % (name, case_name))
                passed += more[0]
                failed += more[1]
    if not passed + failed:
        failed = 1
        print("FAILED %s holds no test" % name)
    sys.modules.pop(name, None)
    return passed, failed


if __name__ == "__main__":
    counts = [run(path) for path in sys.argv[1:]]
    passed, failed = sum(row[0] for row in counts), sum(row[1] for row in counts)
    print("chip: %d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)

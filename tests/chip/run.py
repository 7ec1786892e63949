"""Runs unit test files on MicroPython: run.py FILE…; prints failures and a line of counts, exits 1 on any failure."""

import sys

passed = failed = 0
for path in sys.argv[1:]:
    name = path.rsplit("/", 1)[-1][:-3]
    module = __import__(name)
    count = 0
    for case_name in dir(module):
        case = getattr(module, case_name)
        if not isinstance(case, type) or case_name == "TestCase" or not hasattr(case, "assertEqual"):
            continue
        for test_name in dir(case):
            if not test_name.startswith("test"):
                continue
            test = case()
            count += 1
            try:
                test.setUp()
                try:
                    getattr(test, test_name)()
                finally:
                    test.tearDown()
                passed += 1
            except Exception as error:
                failed += 1
                print("FAILED %s %s.%s" % (name, case_name, test_name))
                sys.print_exception(error)
    if not count:
        failed += 1
        print("FAILED %s holds no test" % name)
    sys.modules.pop(name, None)
print("chip: %d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)

"""The part of unittest that the unit tests use, for an interpreter that has none."""


class _Raises:
    """Context of assertRaises."""

    def __init__(self, kind):
        self.kind = kind
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            raise AssertionError("%s was not raised" % self.kind.__name__)
        self.exception = error
        return issubclass(kind, self.kind)


class TestCase:
    """Assertions by the names that CPython has."""

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def fail(self, words=""):
        raise AssertionError(words)

    def _check(self, is_good, words, more):
        if not is_good:
            raise AssertionError("%s %s" % (words, more or ""))

    def assertEqual(self, a, b, more=None):
        self._check(a == b, "%r != %r" % (a, b), more)

    def assertNotEqual(self, a, b, more=None):
        self._check(a != b, "%r == %r" % (a, b), more)

    def assertTrue(self, a, more=None):
        self._check(a, "%r is not true" % (a,), more)

    def assertFalse(self, a, more=None):
        self._check(not a, "%r is not false" % (a,), more)

    def assertIs(self, a, b, more=None):
        self._check(a is b, "%r is not %r" % (a, b), more)

    def assertIsNone(self, a, more=None):
        self._check(a is None, "%r is not None" % (a,), more)

    def assertIsNotNone(self, a, more=None):
        self._check(a is not None, "is None", more)

    def assertIn(self, a, b, more=None):
        self._check(a in b, "%r not in %r" % (a, b), more)

    def assertNotIn(self, a, b, more=None):
        self._check(a not in b, "%r in %r" % (a, b), more)

    def assertLess(self, a, b, more=None):
        self._check(a < b, "%r >= %r" % (a, b), more)

    def assertLessEqual(self, a, b, more=None):
        self._check(a <= b, "%r > %r" % (a, b), more)

    def assertGreater(self, a, b, more=None):
        self._check(a > b, "%r <= %r" % (a, b), more)

    def assertGreaterEqual(self, a, b, more=None):
        self._check(a >= b, "%r < %r" % (a, b), more)

    def assertIsInstance(self, a, kind, more=None):
        self._check(isinstance(a, kind), "%r is no %r" % (a, kind), more)

    def assertRaises(self, kind):
        return _Raises(kind)

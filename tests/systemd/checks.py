"""Counts what was seen, and tells it in a line each."""


class Checks:
    def __init__(self):
        self.passes = 0
        self.failures = 0

    def that(self, name, condition, detail=""):
        if condition:
            self.passes += 1
            print(f"  ok    {name}", flush=True)
        else:
            self.failures += 1
            print(f"  FAIL  {name}", flush=True)
            for line in str(detail).splitlines():
                print(f"        {line}", flush=True)
        return bool(condition)

    def equal(self, name, found, expected):
        return self.that(name, found == expected, f"found    {found!r}\nexpected {expected!r}")


CHECKS = Checks()

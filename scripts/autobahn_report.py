"""Counts what the Autobahn test suite found, and fails unless all of it is well.
Usage: autobahn_report.py CASES INDEX.json..."""

import json
import sys
from collections import Counter

# INFORMATIONAL cases show what a server does where it may choose; NON-STRICT ones do what is asked, but later or
# with another code than the best one.
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
# Of version 0.8.2. A run of fewer was cut short.
ALL = 517


def main() -> int:
    asked, failed = sys.argv[1], 0
    for path in sys.argv[2:]:
        with open(path) as file:
            [(agent, cases)] = json.load(file).items()
        said = Counter(case["behavior"] for case in cases.values())
        closed = Counter(case["behaviorClose"] for case in cases.values())
        show = lambda counts: ", ".join(f"{count} {word}" for word, count in counts.most_common())
        print(f"autobahn {agent}: {len(cases)} cases: {show(said)}; closing: {show(closed)}")
        for name, case in cases.items():
            if not {case["behavior"], case["behaviorClose"]} <= GOOD:
                print(f"  {name}: {case['behavior']}, closing {case['behaviorClose']}: {case['reportfile']}")
                failed += 1
        if asked == "*" and len(cases) < ALL:
            print(f"  only {len(cases)} of {ALL} cases were run")
            failed += 1
    return 1 if failed else 0


sys.exit(main())

"""Importing this lets the modules of tests/functional be imported."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
FUNCTIONAL = HERE.parent / "functional"

if str(FUNCTIONAL) not in sys.path:
    sys.path.append(str(FUNCTIONAL))

"""Code that breaks one rule each, and code that looks similar and breaks none."""

from tests.support.architecture.planted import samples

# Files beside the planted one: the other half of a circle, and modules to import.
NEIGHBOURS = {
    "watch/b.py": "from notifier.watch import c\n",
    "watch/c.py": "from notifier.watch.a import x\n",
    "watch/d.py": "from notifier import errors\n",
    "demo/__init__.py": "",
    "errors.py": "",
    "links.py": "",
}


# A rule, a file and its code.
_SAMPLES = {
    "imports run to a lower layer or within the own room": r"""
### watch/a.py
from notifier import web  # here

### watch/a.py
import notifier.web  # here

### watch/a.py
from ..web import x  # here

### watch/a.py
from .. import deps, web  # here

### watch/a.py
from notifier.deps import Deps  # here

### web/a.py
def f():
    import notifier.demo  # here

### watch/a.py
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from notifier.deps import Deps  # here

### watch/a.py
import importlib
x = importlib.import_module('notifier.web')  # here

### watch/a.py
from notifier.subscribers import reading  # here

### store/a.py
import notifier.links  # here

### watch/a.py
from notifier.store import db
from notifier import store, errors
from notifier.watch import b
import os

### i18n/a.py
from notifier import errors
""",
    "every room has one layer": r"""
### looking.py
# here

### deps.py

""",
    "no imports run in a circle": r"""
### watch/a.py
import os
from notifier.watch import b  # here

### watch/a.py
def f():
    from notifier.watch.b import x  # here

### watch/a.py
if TYPE_CHECKING:
    from .b import x  # here

### watch/a.py
from notifier.watch import d
""",
    "every table has a writer": r"""
### store/models/more.py
class Log(Base):  # here
    __tablename__ = 'log'
""",
    "transactions are opened at the top": r"""
### watch/a.py
def f(deps):
    with deps.reading() as s:  # here
        s

### watch/a.py
def f(deps):
    with deps.writing() as s:  # here
        s

### watch/a.py
def f(deps):
    deps.settling()  # here

### watch/a.py
def f(session):
    session.commit()  # here

### watch/a.py
def f(engine):
    engine.begin()  # here

### watch/a.py
def f(deps):
    deps.engine.connect()  # here

### watch/a.py
from sqlalchemy.orm import Session as S
def f(engine):
    return S(engine)  # here

### watch/a.py
from sqlalchemy import orm
factory = orm.sessionmaker()  # here

### watch/a.py
from notifier.deps import Deps
def f(deps: Deps):
    with deps.writing() as s:  # here
        s

### watch/a.py
class Dialogue:
    def begin(self):
        pass
    def f(self):
        self.begin()

### pipeline/a.py
def f(deps):
    with deps.writing() as s:
        s
""",
    "there is one clock": r"""
### watch/a.py
from datetime import datetime
x = datetime.now()  # here

### watch/a.py
from datetime import datetime as d
x = d.utcnow  # here

### watch/a.py
import datetime as dt
x = dt.date.today()  # here

### watch/a.py
import datetime
x = datetime.datetime.today()  # here

### watch/a.py
def f(x):
    return type(x).today()  # here

### watch/a.py
import time
x = time.time()  # here

### watch/a.py
from time import time as t  # here
x = t()  # here

### watch/a.py
def f():
    import time as t
    return t.time_ns()  # here

### watch/a.py
from sqlalchemy import func
x = func.now()  # here

### watch/a.py
import sqlalchemy as sa
x = sa.func.now()  # here

### watch/a.py
x = 'DEFAULT CURRENT_TIMESTAMP'  # here

### watch/a.py
from email.utils import formatdate
x = formatdate()  # here

### watch/a.py
import time
x = time.monotonic()
y = deps.now()
z = time.sleep(1)

### deps.py
from datetime import UTC, datetime
x = datetime.now(UTC)
""",
    "a library is imported where it belongs": r"""
### watch/a.py
import aiohttp  # here

### watch/a.py
from aiohttp.web import x  # here

### watch/a.py
def f():
    import jinja2.ext as x  # here

### watch/a.py
if TYPE_CHECKING:
    import smtplib  # here

### watch/a.py
from sqlalchemy import create_engine  # here

### watch/a.py
import sqlalchemy as sa
x = sa.create_engine  # here

### watch/a.py
import urllib.request  # here
import urllib.parse

### pipeline/a.py
import asyncio, os  # here

### cli/a.py
import typer
import rich.table
""",
    "functions are short": r"""
### watch/a.py
def f(x):
    if x == 0:
        return 0
    if x == 1:
        return 1
    if x == 2:
        return 2
    if x == 3:
        return 3
    if x == 4:
        return 4
    if x == 5:
        return 5
    if x == 6:
        return 6
    if x == 7:
        return 7
    if x == 8:
        return 8
    if x == 9:
        return 9
    if x == 10:
        return 10
""",
    "a file's name has a meaning": r"""
### watch/utils.py
# here

### watch/helpers/__init__.py
# here

### watch/base.py
# here

### store/models/base.py

""",
    "a variable's name has a meaning": r"""
### watch/a.py
def f():
    one = 1  # here

### watch/a.py
def f():
    a, (found, b) = x  # here

### watch/a.py
for told in x:  # here
    pass

### watch/a.py
x = [it.a for it in y]  # here

### watch/a.py
def f(data):  # here
    pass

### watch/a.py
x = lambda thing: 1  # here

### watch/a.py
with x as info:  # here
    pass

### watch/a.py
if (made := x()):  # here
    pass

### watch/a.py
try:
    x()
except X as said:  # here
    pass

### watch/a.py
class C:
    def data_received(self, data):
        self.x = data
""",
    "docstrings are there and say what": r"""
### watch/a.py
x = 1  # here

### watch/a.py
'''What it is.'''  # here

### watch/a.py
'''A file.'''
def f():  # here
    pass

### watch/a.py
'''A file.'''
class C:  # here
    pass

### watch/a.py
'''A file.'''
class C:
    '''A class.'''
    def f(self):  # here
        pass

### watch/a.py
'''A file.'''
def _f():
    '''Whether it is.'''  # here
def _g():
    '''Whatever is due.'''
""",
    "no page keeps half of what it refuses": r"""
### web/a.py
with deps.writing() as s:
    try:
        x
    except ValueError as e:  # here
        y

### web/a.py
with deps.writing() as s:
    try:
        x
    except:  # here
        y

### web/a.py
with deps.writing():
    try:
        x
    except (K, e.InputError):  # here
        y

### web/a.py
try:
    with deps.writing() as s:
        x
except ValueError:
    y
""",
    "one room prints": r"""
### watch/a.py
def f():
    print('x')  # here

### watch/a.py
import sys
sys.stdout.write('x')  # here

### watch/a.py
from sys import stderr as e
e.write('x')  # here

### cli/a.py
import typer
typer.secho('x')  # here

### cli/a.py
from rich.console import Console
x = Console()  # here

### cli/shared.py
import typer
typer.echo('x')
""",
    "one file sets the log up": r"""
### watch/a.py
import logging
logging.basicConfig()  # here

### watch/a.py
from logging import StreamHandler as H
x = H()  # here

### watch/a.py
from logging.config import dictConfig
dictConfig({})  # here

### web/a.py
import uvicorn
uvicorn.run(x)  # here

### web/a.py
import uvicorn
uvicorn.Config(x, log_config=None)

### watch/a.py
import logging
x = logging.getLogger('x')
""",
}

# Functions and files at the limit, and over it by one.
_LINES = "\n".join(f"    x = {number}" for number in range(39))
_BRANCHES = "\n".join(f"    if x == {number}:\n        return {number}" for number in range(11))
_MATCH = "\n".join(f"        case {number}:\n            y = {number}" for number in range(11))
_DOCSTRING = '    """Add\n\n    numbers."""\n'

_SIZES = {
    "functions are short": [
        f"def f():  # here\n{_LINES}\n    return 1",
        f"def f():\n{_LINES}",
        f"@x(\n    1\n)\ndef f():\n{_DOCSTRING}{_LINES}",
        f"class C:\n async def f():  # here\n{_LINES}\n    y = 1",
        f"def f(x):  # here\n{_BRANCHES}\n    for y in x:\n        print(y)",
        f"def f(x):  # here\n{_BRANCHES}\n    def g():\n        return x",
        f"def f(x):  # here\n    match x:\n{_MATCH}\n        case [1]:\n            y = 12",
        f"def f(x):\n    match x:\n{_MATCH}\n        case _:\n            y = 12",
        f"def f(x):\n{_BRANCHES}",
    ],
    "files are short": ["x = 1\n" * 400 + "x = 2  # here", "x = 1\n" * 399 + "x = 2"],
    "lines are short": [f"x = '{'ä' * 100}'  # here", f"x = '{'ä' * 94}'"],
}

# A rule, a file and its code; most rules with several.
VIOLATIONS = [
    (rule, place, code) for rule, text in _SAMPLES.items() for place, code in samples(text)
] + [(rule, "watch/a.py", code) for rule, codes in _SIZES.items() for code in codes]

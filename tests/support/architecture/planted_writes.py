"""Code that writes tables in each possible form, and code that looks similar and writes none."""

from tests.support.architecture.planted import samples

# The imports of the samples that write or read tables.
HEADER = '''"""Health."""
import sqlalchemy as sa
from copy import copy
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm.attributes import flag_modified
from notifier.store import db, models
from notifier.store.models import Profile, Source, Subscriber, Subscription
from notifier.store.models import Subscriber as Person
from notifier.subscribers import reading
from notifier.subscribers.reading import Found, by_link
'''


# Each way to write a table, in `watch/health.py`, which may write none of them.
WRITES = dict(
    samples(
        r"""
### an annotated parameter
def f(person: Subscriber):
    person.email = ''  # here

### an annotation in quotes
def f(person: 'Subscriber | None'):
    person.email = ''  # here

### another name of the model
def f(person: Person):
    person.email = ''  # here

### the model by its module
def f(person: models.Subscriber):
    person.email = ''  # here

### an annotated variable
def f(x):
    person: Subscriber = x
    person.email = ''  # here

### a new object
def f():
    person = Person()  # here
    person.email = ''  # here

### a model called by its module
def f():
    return models.Subscriber(email='')  # here

### session.get
def f(session):
    person = session.get(Subscriber, 1)
    person.email = ''  # here

### a scalar
def f(s):
    p = s.scalar(select(Subscriber).where(1).limit(1))
    p.email = ''  # here

### a query without a variable
def f(s):
    s.scalars(select(Subscriber)).one().email = ''  # here

### the first of a result
def f(s):
    p = s.scalars(select(Subscriber)).first()
    p.email = ''  # here

### a loop over a result
def f(s):
    for p in s.scalars(select(Person)):
        p.email = ''  # here

### a loop over all
def f(s):
    for p in s.scalars(select(Person)).all():
        p.email = ''  # here

### rows
def f(s):
    for p, n in s.execute(select(Person, 1)):
        p.email = n  # here

### a row by its name
def f(s):
    r = s.execute(select(Person)).one()
    r.Subscriber.email = ''  # here

### a query of the old kind
def f(s):
    p = s.query(Subscriber).filter(1).first()
    p.email = ''  # here

### a result of a function
def f(s):
    by_link(s, '').status = ''  # here

### a result of a function that may be none
def f(s):
    x = reading.by_link(s, '')
    if x is not None:
        x.status = ''  # here

### results of a function
def f(s):
    for x in reading.due(s):
        x.status = ''  # here

### a sorted list
def f(s):
    for n, x in enumerate(sorted(reading.due(s))):
        x.status = ''  # here

### a mapping
def f(s):
    for k, x in reading.by_id(s).items():
        x.status = k  # here

### a value of a mapping
def f(s):
    reading.by_id(s)[1].status = ''  # here

### a comprehension
def f(s):
    rows = {x.id: x for x in reading.due(s)}
    rows.get(1).status = ''  # here

### a field of a dataclass
def f(found: Found):
    found.subscription.status = ''  # here

### fields of a result
def f(s):
    for x in reading.result(s).others:
        x.status = ''  # here

### a block
def f(s):
    with reading.locked(s) as person:
        person.email = ''  # here

### a relationship
def f(x: Subscription):
    x.subscriber.email = ''  # here

### relationships
def f(p: Subscriber):
    for x in p.subscriptions:
        x.status = ''  # here

### a variable of the object
class C:
    def __init__(self, p: Subscriber):
        self._p = p
    def f(self):
        self._p.email = ''  # here

### a property
class C:
    @property
    def person(self) -> Subscriber:
        return x()
    def f(self):
        self.person.email = ''  # here

### a function in a function
def f(p: Subscriber):
    def g():
        p.email = ''  # here
    g()

### isinstance
def f(x):
    if isinstance(x, Subscriber):
        x.email = ''  # here

### match
def f(x):
    match x:
        case Subscriber() as p:
            p.email = ''  # here

### one of two ways
def f(s, a):
    if a:
        x = by_link(s, a)
    else:
        x = None
    x.status = ''  # here

### the walrus
def f(s):
    if (x := by_link(s, '')) is not None:
        x.status = ''  # here

### a lambda
def f(s):
    return lambda: setattr(by_link(s, ''), 'status', '')  # here

### a base of all tables
def f(x: models.Base):
    x.email = ''  # here

### a protocol
class P(Protocol):
    email: str

def f(x: P):
    x.email = ''  # here

### a named tuple
class N(NamedTuple):
    n: int
    p: Subscriber

def f(x: N):
    n, p = x
    p.email = ''  # here

### a class in a function
def f(p: Subscriber):
    class C:
        def g(self):
            self.email = p.email = ''  # here

### a function in a block
if True:
    def f(p: Subscriber):
        p.email = ''  # here

### no type at all
def f(x):
    x.email = ''  # here

### an addition
def f(p: Subscriber):
    p.email += 'x'  # here

### a tuple
def f(p: Subscriber):
    n, (p.email, m) = 1, ('', 2)  # here

### a starred target
def f(p: Subscriber, x):
    n, *p.email = x  # here

### the target of a loop
def f(p: Subscriber):
    for p.email in 'ab':  # here
        pass

### several targets
def f(p: Subscriber):
    n = p.email = ''  # here

### a removal
def f(p: Subscriber):
    del p.email  # here

### setattr
def f(p: Subscriber):
    setattr(p, 'email', '')  # here

### setattr of any name
def f(p: Subscriber, n):
    setattr(p, n, '')  # here

### object.__setattr__
def f(p: Subscriber):
    object.__setattr__(p, 'email', '')  # here

### flag_modified
def f(p: Profile):
    flag_modified(p, 'document')  # here

### a list changed in place
def f(x: Subscription):
    x.hidden.append('')  # here

### a document changed in place
def f(p: Profile):
    p.document['a'] = 1  # here

### deep in a document
def f(p: Profile):
    p.document['a']['b'].update(c=1)  # here

### a removal from a document
def f(p: Profile):
    del p.document['a']  # here

### a document by another name
def f(p: Profile):
    d = p.document
    d['a'] = 1  # here

### a document of a relationship
def f(x: Subscription):
    x.profile.document.clear()  # here

### a relationship changed in place
def f(p: Subscriber, x):
    p.subscriptions.append(x)  # here

### a table of a relationship
def f(x: Source, y):
    x.profiles.append(y)  # here

### insert
def f(s):
    s.execute(insert(Subscriber), [{}])  # here

### update
def f(s):
    s.execute(sa.update(models.Subscriber).values(email=''))  # here

### delete
STATEMENT = delete(Person)  # here

### a statement by another name
def f(s):
    change = sa.update
    s.execute(change(Person))  # here

### the core's table
def f(s):
    s.execute(Subscriber.__table__.update())  # here

### the core's table by its name
def f(s):
    s.execute(update(models.Base.metadata.tables['subscriber']))  # here

### a table that cannot be told
def f(s, n):
    s.execute(update(models.Base.metadata.tables[n]))  # here

### a query that changes
def f(s):
    s.query(Subscriber).filter(1).update({})  # here

### a query that deletes
def f(s):
    s.query(Subscriber).delete()  # here

### a deleted object
def f(s, p: Subscriber):
    s.delete(p)  # here

### many at once
def f(s):
    s.bulk_insert_mappings(Subscriber, [])  # here

### a function that inserts
def f(s):
    db.insert_missing(s, Subscriber, {})  # here

### a function that calls one
def f(s):
    db.insert_all(s, table=Subscriber, rows=[])  # here

### a merged object
def f(s, p: Subscriber):
    s.merge(p)  # here

### SQL with values
def f(s, x):
    s.execute(text(f'DELETE FROM subscriber WHERE {x}'))  # here

### SQL
def f(s):
    s.execute(text('UPDATE subscriber SET email = 1'))  # here
"""
    )
)

# Code that writes nothing.
READS = dict(
    samples(
        r"""
### a comparison
def f(p: Subscriber):
    return p.email == ''

### a statement
def f(s):
    return s.execute(select(Subscriber.email).where(Subscriber.email == ''))

### a copy of a list
def f(x: Subscription):
    hidden = list(x.hidden)
    hidden.append('')

### a copy of a document
def f(p: Profile):
    document = dict(p.document)
    document['a'] = 1

### a list of objects
def f(s):
    rows = list(reading.due(s))
    rows.append(None)
    rows.sort()

### an object with the same fields
class C:
    email: str

def f(c: C, r: Found):
    c.email = r.status
    r.status = ''

### a name that held something else
def f(p: Subscriber):
    p = C()
    p.email = ''

class C:
    email = ''

### the same name in another function
def f(p: Subscriber):
    return p

def g(p: Found):
    p.status = ''

### a word that begins like SQL
TEXT = 'Update the address of a subscriber'
"""
    )
)

# Two functions for the real `watch/health.py`.
PLANTED_IN_HEALTH = """

def _annotated(subscriber: "Subscriber") -> None:
    from notifier.store.models import Digest, Profile, Source, Subscriber
    subscriber.email = ""  # here


def _read(session: "Session", subscriber_id: int) -> None:
    from sqlalchemy import select
    subscriber = session.scalars(select(Subscriber).where(Subscriber.id == subscriber_id)).one()
    subscriber.email = ""  # here
    for digest in session.scalars(select(Digest)):
        digest.profile.name = ""  # here
    session.get(Source, 1).name = ""  # here
"""

"""Profiles in the browser: seen, edited, estimated, returned to, and removed."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from notifier.enums import SubscriptionStatus
from notifier.match import matches, profile_states, profiles, removed_profiles
from notifier.operators import actions
from notifier.pipeline import match
from notifier.store.models import Match, Subscription
from tests.support.forms import add_second_profile, visiting
from tests.support.installation import MONDAY, Installation
from tests.support.operators import Operator, add_operator, token_in
from tests.support.stored_news import store_entries

pytestmark = pytest.mark.postgresql_long

NOW = MONDAY + timedelta(hours=1)
EDIT = "/operator/profiles/frexalimab/edit"
FILE = "/operator/profiles/frexalimab/file"
HISTORY = "/operator/profiles/frexalimab/history"
REMOVE = "/operator/profiles/frexalimab/remove"

_FIELD = re.compile(
    r'<input(?P<tag>[^>]*)>|<textarea[^>]*name="(?P<area>[^"]+)"[^>]*>\n(?P<text>[^<]*)</textarea>'
    r'|<select[^>]*name="(?P<list>[^"]+)"[^>]*>(?P<options>.*?)</select>',
    re.DOTALL,
)


def attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def fields_of(page: str) -> list[tuple[str, str]]:
    """Return the fields of the form of a profile, as a browser would send them."""
    form = page[page.index('class="profile-') :]
    fields = []
    for found in _FIELD.finditer(form):
        if found["area"]:
            fields.append((found["area"], unescape(found["text"])))
        elif found["list"]:
            chosen = re.search(r'value="([^"]+)" selected', found["options"])
            first = re.search(r'value="([^"]+)"', found["options"])
            assert first is not None
            fields.append((found["list"], (chosen or first)[1]))
        elif attribute(found["tag"], "name"):
            kind = attribute(found["tag"], "type")
            if kind not in ("checkbox", "radio") or "checked" in found["tag"]:
                fields.append((attribute(found["tag"], "name"), attribute(found["tag"], "value")))
    return fields


def words_of(page: str) -> str:
    """Return the text of a page on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())


def changed(fields: list[tuple[str, str]], **new: str) -> list[tuple[str, str]]:
    """Return fields with other values; a name that the form lacks is added."""
    kept = [(name, value) for name, value in fields if name not in new]
    return [*kept, *new.items()]


def sent(operator: Operator, path: str, do: str = "save", **new: str) -> Any:
    """Open the form of a profile, change fields, and send it."""
    return operator.send(path, changed(fields_of(operator.get(path).text), do=do, **new))


def document(made: Installation, slug: str = "frexalimab") -> dict[str, Any]:
    with made.at(MONDAY).reading() as session:
        return profiles.find(session, slug).document


def terms(made: Installation, kind: str = "name") -> list[str]:
    return [term["text"] for term in document(made)["terms"] if term["kind"] == kind]


def number(made: Installation) -> int:
    with made.at(MONDAY).reading() as session:
        return profile_states.newest_number(session, profiles.find(session, "frexalimab").id)


def log(made: Installation) -> list[str]:
    with made.at(MONDAY).reading() as session:
        entries = actions.newest(session, about="profile frexalimab")
        return [f"{entry.name}: {entry.text}" for entry in entries]


def store_news(made: Installation, *titles: str, others: int = 30) -> None:
    """Store news of the feed, among it so many articles about nothing in particular."""
    all_titles = [*titles, *(f"A walk along the river, part {place}" for place in range(others))]
    store_entries(made, all_titles, [""] * len(all_titles))
    match.run(made.at(MONDAY))


@pytest.fixture
def operator(installation: Installation) -> Iterator[Operator]:
    """An owner, logged in an hour after the profile was imported."""
    add_operator(installation)
    with visiting(installation, NOW) as client:
        browser = Operator(client)
        assert browser.log_in().status_code == 303
        yield browser


# The list and the page of a profile.


def test_the_list_shows_stage_followers_matches_and_known_texts(operator, installation):
    installation.discover(5)
    add_second_profile(installation)
    page = operator.get("/operator/profiles").text
    row = next(part for part in page.split("<tr>") if ">Frexalimab<" in part)
    assert "as of 2 October 2025" in row
    assert re.findall(r'class="number">([\d,]+)<', row) == ["5", "1"]
    assert "all 4 right" in row


def test_the_list_can_be_searched_by_name_and_by_term(operator, installation):
    add_second_profile(installation)
    both = ["Frexalimab", "Tolebrutinib"]
    for search, found in (("TOLE", both[1:]), ("sar441344", both[:1]), ("100%25", []), ("", both)):
        page = operator.get(f"/operator/profiles?search={search}").text
        assert re.findall(r'scope="row"><a [^>]*>([^<]+)<', page) == found, search


def test_a_long_list_is_shown_a_page_at_a_time(operator, installation):
    with installation.at(MONDAY).writing() as session:
        files = [
            profiles.parse(
                f'slug = "t{place}"\nname = "Therapy {place:03}"\n'
                f'[[terms]]\nkind = "name"\ntext = "examplimab{place}"',
                "a test",
            )
            for place in range(60)
        ]
        profiles.save_all(session, files, MONDAY)
    first, second = (operator.get(f"/operator/profiles?page={page}").text for page in (1, 2))
    assert "page 1 of 2" in first
    assert "Therapy 058" not in first
    assert "Therapy 058" in second
    assert 'rel="next"' not in second
    assert "There is no such page" in operator.get("/operator/profiles?page=9").text


def test_the_page_of_a_profile_shows_terms_trials_sources_and_known_texts(operator):
    page = operator.get("/operator/profiles/frexalimab").text
    for text in ("INX-021", "FREXALT", "CD154", "/feed/", "Sanofi", "is about the therapy."):
        assert text in page, text
    assert operator.get("/operator/profiles/none-such").status_code == 404


# The form.


def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(operator, installation):
    before = document(installation)
    answer = sent(operator, EDIT)
    assert answer.status_code == 422
    assert "Nothing differs" in answer.text
    assert document(installation) == before
    assert number(installation) == 1


def test_an_editor_adds_a_term_and_the_log_tells_it(operator, installation):
    answer = sent(
        operator,
        EDIT,
        terms_name="frexalimab; フレキサリマブ; фрексалимаб\nfrexamab; frexamabum",
        reason="The new name",
    )
    assert answer.status_code == 303, answer.text
    assert terms(installation) == ["frexalimab", "frexamab"]
    (entry,) = log(installation)
    assert entry.startswith("anna: Changed the profile Frexalimab: 1 term added.")
    page = operator.follow(answer, EDIT).text
    assert "Changed the profile Frexalimab: 1 term added." in page
    assert "frexamabum" in page


def test_what_the_form_does_not_show_and_the_order_of_terms_stay(operator, installation):
    before = document(installation)
    assert sent(operator, EDIT, stage="Phase 3", stage_as_of="2026-03-01").status_code == 303
    assert document(installation) == {**before, "stage": "Phase 3", "stage_as_of": "2026-03-01"}


def test_a_spelling_with_a_semicolon_survives_the_form(operator, installation):
    assert sent(operator, EDIT, terms_exclude="of mice;; not of men; of rats").status_code == 303
    (term,) = [term for term in document(installation)["terms"] if term["kind"] == "exclude"]
    assert (term["text"], term["also"]) == ("of mice; not of men", ["of rats"])
    assert "of mice;; not of men; of rats" in operator.get(EDIT).text


WRONG = {
    "terms_name": ("x", "Line 1: “x” is too short"),
    "terms_class": ("\nantibody", "Line 2: “antibody” would match almost everything."),
    "terms_code": ("INX-1\ninx 1", "Line 2, “inx 1” is in line 1 already"),
    "stage_as_of": ("yesterday", "Give the date as year-month-day"),
    "name": (" ", "Give the therapy&#39;s name."),
    "sources": ("ftp://example.org", "“ftp://example.org” is no address"),
}


def test_each_wrong_field_is_named_beside_it_and_what_was_typed_stays(operator, installation):
    fields = {name: typed for name, (typed, _) in WRONG.items()}
    answer = sent(operator, EDIT, **fields, summary="Typed <b>before</b>.")
    assert answer.status_code == 422
    for name, (_, said) in WRONG.items():
        field = answer.text.index(f' id="{name}"')
        tag = answer.text[field : answer.text.index(">", field)]
        assert 'aria-invalid="true"' in tag, name
        assert f"wrong-{name}-1" in tag, name
        message = answer.text.index(f'id="wrong-{name}-1"')
        assert said in answer.text[message : message + 200], name
    assert "Typed &lt;b&gt;before&lt;/b&gt;." in answer.text
    assert "antibody</textarea>" in answer.text
    assert number(installation) == 1


def test_a_wrong_number_of_a_trial_is_said_beside_its_row(operator, installation):
    for trial in ("NCT1", "NCT061414731", "Frexalt"):
        answer = sent(operator, EDIT, trial_id=trial, trial_acronym="NEW")
        assert answer.status_code == 422
        assert f"“{trial}” is not a trial number" in answer.text
    assert number(installation) == 1


def test_a_profile_without_any_term_is_refused(operator, installation):
    names = {name: "" for name, _ in fields_of(operator.get(EDIT).text) if "terms_" in name}
    answer = sent(operator, EDIT, **names, trial_id="", trial_acronym="", canary_title="")
    assert answer.status_code == 422
    assert "Name at least one term" in answer.text
    assert number(installation) == 1


def test_a_known_text_that_would_be_judged_otherwise_refuses_the_edit(operator, installation):
    store_news(installation)
    answer = sent(operator, EDIT, terms_exclude="lupus")
    assert answer.status_code == 422
    assert "It must be: related. Correct the terms" in answer.text
    assert "What saving would change" in answer.text
    assert number(installation) == 1


def test_a_new_short_name_is_pointed_out(operator):
    answer = sent(operator, EDIT, do="estimate", terms_code="SAR441344\nINX-021; INX021\nFRX7")
    assert answer.status_code == 200
    assert "Line 3, “FRX7” is short: see below what it finds." in answer.text


def test_another_language_that_stays_as_it_is_is_pointed_out(operator):
    answer = sent(operator, EDIT, do="estimate", stage="Approved")
    assert "What readers are told in Deutsch, Français, Español stays as it is." in words_of(
        answer.text
    )


# The estimate.


def test_the_estimate_names_what_comes_in_and_what_falls_out(operator, installation):
    store_news(installation, "Obexelimab slows lesions", "SAR441344 is given to mice", others=10)
    answer = sent(
        operator,
        EDIT,
        do="estimate",
        terms_name="frexalimab\nobexelimab",
        terms_code="INX-021; INX021",
        **dict.fromkeys(("canary_title", "canary_summary", "canary_body"), ""),
    )
    page = words_of(answer.text)
    assert "Would have matched 1 of 12 articles and records in 90 days (now 1)." in page
    came = page[page.index("Would match now, and did not before (1)") :]
    assert "Obexelimab slows lesions" in came[:200]
    assert "no match → the subject: the headline names obexelimab" in page
    gone = page[page.index("Would not match any more (1)") :]
    assert "SAR441344 is given to mice" in gone[:200]
    assert number(installation) == 1


def test_the_estimate_of_a_tier_that_changes_says_from_which_to_which(operator, installation):
    store_news(installation, "Tegoprubart in transplants")
    answer = sent(operator, EDIT, do="estimate", terms_name="frexalimab\ntegoprubart")
    assert "related → the subject" in answer.text


def test_an_estimate_while_nothing_is_stored_says_so(operator, installation):
    answer = sent(operator, EDIT, do="estimate", terms_name="frexalimab\nobexelimab")
    assert "there is nothing to compare with yet" in answer.text
    assert sent(operator, EDIT, terms_name="frexalimab\nobexelimab").status_code == 303


def test_an_edit_that_looks_for_the_same_needs_no_estimate(operator, installation):
    store_news(installation)
    assert "the same articles match" in sent(operator, EDIT, do="estimate", stage="New").text


def test_while_somebody_types_only_the_estimate_is_answered(operator, installation):
    store_news(installation, "Obexelimab slows lesions")
    answer = sent(operator, EDIT, do="live", terms_name="frexalimab\nobexelimab")
    assert answer.status_code == 200
    assert answer.headers["x-part"] == "estimate"
    assert "<html" not in answer.text
    assert "Obexelimab slows lesions" in answer.text
    assert number(installation) == 1
    assert log(installation) == []


def test_a_profile_that_would_match_almost_everything_is_stored_only_after_a_look(
    operator, installation
):
    store_news(installation)
    broad = "frexalimab\na walk along the river"
    answer = sent(operator, EDIT, terms_name=broad)
    assert answer.status_code == 422
    assert "more than half" in answer.text
    assert number(installation) == 1
    mark = re.search(r'name="looked" value="(\w+)"', answer.text)
    assert mark is not None
    other = sent(operator, EDIT, terms_name=broad + "\nthe river", looked=mark[1])
    assert other.status_code == 422
    assert number(installation) == 1
    assert sent(operator, EDIT, terms_name=broad, looked=mark[1]).status_code == 303


@pytest.mark.parametrize(("past", "filed"), [("file", [True]), ("include", [False])])
def test_older_articles_that_match_now_are_filed_unless_they_are_to_be_sent(
    operator, installation, past, filed
):
    store_news(installation, "Obexelimab slows lesions")
    assert sent(operator, EDIT, terms_name="frexalimab\nobexelimab", past=past).status_code == 303
    with installation.at(MONDAY).reading() as session:
        assert [each.filed for each in session.query(Match)] == filed
    fate = "mailed to nobody" if filed == [True] else "for the next digests"
    assert f"Older articles that match now: 1 ({fate})." in log(installation)[0]


def test_a_get_of_every_page_changes_nothing(operator, installation):
    pages = (EDIT, FILE, HISTORY, f"{HISTORY}/1", REMOVE, "/operator/profiles/frexalimab")
    for path in (*pages, "/operator/profiles", "/operator/profile_edit.js"):
        assert operator.get(path).status_code == 200, path
    assert number(installation) == 1
    assert log(installation) == []


# The whole file.


def test_the_whole_file_can_be_edited(operator, installation):
    text = dict(fields_of(operator.get(FILE).text))["file"]
    answer = sent(operator, FILE, file=text.replace('"SAR441344"', '"SAR999999"', 1))
    assert answer.status_code == 422
    assert "The known text" in answer.text
    answer = sent(operator, FILE, file=text.replace("placebo", "a placebo", 1))
    assert answer.status_code == 303
    assert "a placebo" in str(document(installation)["facts"])


# What is done to the text, and what is said about it.
ODD_FILES = {
    "broken": (lambda text: text + "\n[[terms", "is not valid TOML"),
    "another slug": (lambda text: text.replace('"frexalimab"', '"other"', 1), "must stay"),
    "a control character": (
        lambda text: text.replace("An antibody", "An\\u0007antibody", 1),
        "holds a control character",
    ),
    "a NUL": (lambda text: text.replace("An antibody", "An\\u0000antibody", 1), "control"),
    "very many terms": (
        lambda text: text + '[[terms]]\nkind = "name"\ntext = "examplimab"\n' * 8_000,
        "is larger than 300,000 bytes",
    ),
    "a key of many parts": (lambda text: "a" + ".a" * 40_000 + " = 1\n" + text, "so many parts"),
    "no term": (lambda text: text[: text.index("[[terms]]")], "terms: Field required"),
}


def test_a_file_that_cannot_be_stored_is_refused_and_kept_in_the_field(operator, installation):
    shown = dict(fields_of(operator.get(FILE).text))["file"]
    for case, (alter, said) in ODD_FILES.items():
        text = alter(shown)
        answer = sent(operator, FILE, file=text)
        assert answer.status_code == 422, case
        assert said in unescape(answer.text), case
        assert dict(fields_of(answer.text))["file"] == text, case
    assert number(installation) == 1


def test_a_form_larger_than_any_profile_is_refused(operator, installation):
    assert sent(operator, FILE, file="#" * 1_100_000).status_code == 413
    assert number(installation) == 1


@pytest.mark.long
def test_a_profile_with_2000_terms_can_be_edited(operator, installation):
    many = "\n".join(f"examplimab{place}; フレキサリマブ{place}" for place in range(2_000))
    assert sent(operator, EDIT, terms_class=many).status_code == 303
    assert sent(operator, EDIT, terms_class=many + "\nobexelimab").status_code == 303
    assert len(terms(installation, "class")) == 2_001
    text = dict(fields_of(operator.get(FILE).text))["file"]
    assert sent(operator, FILE, file=text.replace("obexelimab", "foralumab")).status_code == 303


# A new one.


def test_a_bundled_profile_can_be_added_and_a_stored_one_not_twice(operator, installation):
    store_news(installation, "Tolebrutinib slows disability")
    path = "/operator/new-profile?bundled=tolebrutinib"
    fields = fields_of(operator.get(path).text)
    file = re.sub(r"(?s)sources = .*?]", f'sources = ["{installation.feed}"]', dict(fields)["file"])
    fields = changed(fields, file=file)
    assert "Would have matched 1 of 31" in words_of(
        operator.send("/operator/new-profile", changed(fields, do="estimate")).text
    )
    answer = operator.send("/operator/new-profile", changed(fields, do="save"))
    assert answer.headers["location"].startswith("./profiles/tolebrutinib?done=")
    assert document(installation, "tolebrutinib")["name"] == "Tolebrutinib"
    with installation.at(MONDAY).reading() as session:
        entry = actions.newest(session, limit=1)[0]
    assert (entry.about, entry.text.split(".")[0]) == (
        "profile tolebrutinib",
        "Added the profile Tolebrutinib",
    )
    again = operator.send("/operator/new-profile", changed(fields, do="save"))
    assert again.status_code == 422
    assert "There is a profile with the slug “tolebrutinib” already." in again.text


def test_a_new_profile_that_would_match_almost_everything_needs_a_look(operator, installation):
    store_news(installation)
    file = f'slug = "x"\nname = "X"\nsources = ["{installation.feed}"]\n'
    file += '[[terms]]\nkind = "name"\ntext = "a walk along the river"\n'
    path = "/operator/new-profile"
    answer = sent(operator, path, file=file)
    assert answer.status_code == 422
    assert "more than half" in answer.text
    empty = sent(operator, path)
    assert "The file, line 1: slug = '': give lower-case letters" in words_of(empty.text)
    broken = sent(operator, path, file="slug =")
    assert broken.status_code == 422
    assert "is not valid TOML" in broken.text


# Two editors.


def test_the_second_editor_is_shown_what_the_first_one_changed(operator, installation):
    opened = fields_of(operator.get(EDIT).text)
    sent(operator, EDIT, terms_name="frexalimab\nfirstimab")
    mine = changed(opened, do="save", terms_name="frexalimab\nsecondimab")
    answer = operator.send(EDIT, mine)
    assert answer.status_code == 409
    page = words_of(answer.text)
    assert "anna changed it on Monday, 2 March 2026, 10:00 (UTC)." in page
    assert "Names “firstimab” added" in page
    assert "Names “firstimab” removed" in page[page.index("What saving would change") :]
    assert dict(fields_of(answer.text))["terms_name"] == "frexalimab\nsecondimab"
    assert terms(installation) == ["frexalimab", "firstimab"]
    assert operator.send(EDIT, changed(fields_of(answer.text), do="save")).status_code == 303
    assert terms(installation) == ["frexalimab", "secondimab"]


def test_of_two_saves_at_once_one_is_stored_and_the_other_is_told(any_operator, any_installation):
    store_news(any_installation, *(f"Firstimab {place} days" for place in range(20)))
    opened = fields_of(any_operator.get(EDIT).text)
    with ThreadPoolExecutor(2) as both:
        answers = list(
            both.map(
                lambda name: any_operator.send(
                    EDIT, changed(opened, do="save", terms_name=f"frexalimab\n{name}")
                ),
                ("firstimab", "secondimab"),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert number(any_installation) == 2
    assert len(log(any_installation)) == 1
    winner = "firstimab" if answers[0].status_code == 303 else "secondimab"
    assert terms(any_installation) == ["frexalimab", winner]


def test_a_profile_that_was_removed_meanwhile_is_not_stored_again(operator, installation):
    opened = fields_of(operator.get(EDIT).text)
    operator.act(REMOVE, REMOVE, name="Frexalimab")
    answer = operator.send(EDIT, changed(opened, do="save", stage="New"))
    assert answer.status_code == 404


# History.


def test_the_history_tells_who_changed_what_and_an_earlier_state_can_return(operator, installation):
    first = document(installation)
    sent(operator, EDIT, terms_name="frexalimab\nfrexamab", stage="Phase 4", reason="Renamed")
    page = words_of(operator.get(HISTORY).text)
    assert "by anna, because: Renamed" in page
    assert "on the server" in page
    assert "Names “frexamab” added" in page
    assert "→ Phase 4" in page
    shown = operator.get(f"{HISTORY}/1").text
    assert "removed" in shown
    answer = operator.send(f"{HISTORY}/1", changed(fields_of(shown), do="save"))
    assert answer.status_code == 303
    assert document(installation) == first
    assert number(installation) == 3
    assert log(installation)[0].startswith("anna: Returned to state 1 of the profile Frexalimab: ")


def test_a_return_to_a_state_while_somebody_else_edits_is_refused(operator, installation):
    sent(operator, EDIT, stage="Phase 4")
    opened = fields_of(operator.get(f"{HISTORY}/1").text)
    sent(operator, EDIT, stage="Phase 5")
    answer = operator.send(f"{HISTORY}/1", changed(opened, do="save"))
    assert answer.status_code == 409
    assert "Phase 5" in answer.text
    assert document(installation)["stage"] == "Phase 5"


def test_there_is_no_page_of_a_state_that_is_not_stored(operator):
    for place in ("0", "9", "x", "99999999999"):
        assert operator.get(f"{HISTORY}/{place}").status_code == 404, place


# Removal.


def test_an_owner_removes_a_profile_by_typing_its_name(operator, installation):
    installation.discover(3)
    assert "3 subscriptions end" in operator.get(REMOVE).text
    wrong = operator.act(REMOVE, REMOVE, name="Frexa")
    assert wrong.status_code == 422
    assert 'value="Frexa"' in wrong.text
    answer = operator.act(REMOVE, REMOVE, name=" frexalimab ", reason="Development ended")
    assert "Removed the profile Frexalimab: subscriptions that end, 3." in (
        operator.follow(answer, REMOVE).text
    )
    with installation.at(MONDAY + timedelta(days=1)).reading() as session:
        assert profiles.number_stored(session) == 0
    assert log(installation) == ["anna: Removed the profile Frexalimab: subscriptions that end, 3"]
    assert operator.get(REMOVE).status_code == 404


def test_a_removal_that_was_interrupted_is_shown_and_goes_on(operator, installation):
    installation.discover(3)
    with installation.at(MONDAY).writing() as session:
        removed_profiles.remove(session, profiles.find(session, None), MONDAY)
    assert "The removal of Frexalimab did not come to its end" in (
        operator.get("/operator/profiles").text
    )
    assert "Send the form again to end it." in operator.get(REMOVE).text
    assert operator.act(REMOVE, REMOVE, name="Frexalimab").status_code == 303
    assert "did not come to its end" not in operator.get("/operator/profiles").text
    with installation.at(MONDAY).reading() as session:
        statuses = {each.status for each in session.query(Subscription)}
    assert statuses == {SubscriptionStatus.ENDED}


def test_an_editor_removes_no_profile(installation):
    add_operator(installation, role="editor")
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        assert "remove" not in browser.get("/operator/profiles/frexalimab").text
        token = token_in(browser.get("/operator/").text)
        answer = browser.send(REMOVE, {"token": token, "name": "Frexalimab"})
    assert answer.status_code == 403
    assert number(installation) == 1


def test_matches_per_week_are_counted_by_tier_without_dropped_ones(operator, installation):
    store_news(installation, "Frexalimab slows lesions", "Tegoprubart in transplants")
    with installation.at(MONDAY).writing() as session:
        session.query(Match).filter(Match.tier == "related").one().dropped_because = "No news"
    with installation.at(MONDAY).reading() as session:
        profile = profiles.find(session, None)
        counts = matches.weekly_counts(session, profile.id, [MONDAY - timedelta(days=7), MONDAY])
    assert counts == {"about": [0, 1]}
    page = operator.get("/operator/profiles/frexalimab").text
    assert "Matches per week" in page
    assert "<svg" in page

"""Lists of other systems: their columns and words are read, and a no in them is believed."""

import io
from collections.abc import Mapping

import pytest

from notifier.enums import Cadence, SubscriptionStatus, SuppressionCause
from notifier.errors import InputError
from notifier.match import profiles
from notifier.store.models import Subscription, Suppression
from notifier.subscribers import import_export, list_files, list_words, subscriptions
from notifier.subscribers.import_export import ImportOptions, Report, RowResult
from notifier.subscribers.list_headings import said_by_name
from tests.support.installation import MONDAY, Installation


def imported(
    installation: Installation,
    text: str,
    *,
    confirmed: bool = True,
    renamed: Mapping[str, str] | None = None,
    name: str = "list.csv",
    asks_pending: bool = False,
    json_lines: bool = False,
) -> Report:
    with installation.at(MONDAY).writing() as session:
        stored = {profile.slug: profile for profile in profiles.listed(session)}
        options = ImportOptions(
            stored, "UTC", "a test" if confirmed else None, asks_pending=asks_pending
        )
        lines = list_files.read(
            io.StringIO(text),
            json_lines=json_lines,
            renamed=renamed,
            file_says=said_by_name(name),
        )
        return import_export.import_rows(session, lines, options, MONDAY)


def standings(installation: Installation) -> dict[str, str]:
    """Everybody's standing: the cause of their suppression, or the status of the subscription."""
    with installation.at(MONDAY).reading() as session:
        suppressed = {each.address_hash: each.cause for each in session.query(Suppression)}
        stored = {
            each.subscriber.email: str(each.status)
            for each in session.query(Subscription)
            if each.subscriber.address_hash not in suppressed
        }
        for name in NAMES:
            key = subscriptions.hash_of(session, f"{name}@people.example")
            if key in suppressed:
                stored[f"{name}@people.example"] = str(suppressed[key])
    return {address.partition("@")[0]: standing for address, standing in stored.items()}


NAMES = ("yes", "no", "gone", "spam", "wait", "rest", "stop")

FILES = {
    "Mailchimp, subscribed": (
        "subscribed_members_export_4f2.csv",
        (
            "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,TAGS\n"
            'yes@people.example,Yara,2,"2024-01-05 10:00:00",,81,"""MS"""\n'
        ),
        {"yes": "confirmed"},
    ),
    "Mailchimp, unsubscribed": (
        "audience.csv",
        (
            "Email Address,First Name,LEID,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON\n"
            "no@people.example,Noor,82,2024-05-05 10:00:00,Spring,NORMAL\n"
        ),
        {"no": "ended"},
    ),
    "Mailchimp, cleaned": (
        "audience.csv",
        (
            "Email Address,LEID,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\n"
            "gone@people.example,83,2024-05-05 10:00:00,Spring\n"
        ),
        {"gone": "bounced"},
    ),
    "Mailchimp, by the names of the files": (
        "cleaned_members_export_4f2.csv",
        "Email Address,LEID\ngone@people.example,83\n",
        {"gone": "bounced"},
    ),
    "Mailchimp, never subscribed": (
        "nonsubscribed_members_export.csv",
        "Email Address,LEID\nwait@people.example,84\n",
        {"wait": "pending"},
    ),
    "listmonk": (
        "subscribers.csv",
        (
            "uuid,email,name,attributes,status,created_at,updated_at\n"
            'u1,yes@people.example,Yara,"{""city"": ""Ulm""}",enabled,2024-01-01,2024-01-01\n'
            "u2,rest@people.example,Rob,{},disabled,2024-01-01,2024-01-01\n"
            "u3,stop@people.example,Stig,{},blocklisted,2024-01-01,2024-01-01\n"
        ),
        {"yes": "confirmed", "rest": "paused", "stop": "asked"},
    ),
    "listmonk, one list": (
        "subscribers.csv",
        (
            "email,name,status,subscription_status\n"
            "yes@people.example,Yara,enabled,confirmed\n"
            "no@people.example,Noor,enabled,unsubscribed\n"
            "wait@people.example,Wim,enabled,unconfirmed\n"
        ),
        {"yes": "confirmed", "no": "ended", "wait": "pending"},
    ),
    "Ghost": (
        "members.csv",
        (
            "id,email,name,note,subscribed_to_emails,comped,created_at,deleted_at,labels\n"
            "1,yes@people.example,Yara,,true,false,2024-01-01T00:00:00.000Z,,\n"
            "2,no@people.example,Noor,,false,false,2024-01-01T00:00:00.000Z,,\n"
            "3,stop@people.example,Stig,,true,true,2024-01-01T00:00Z,2025-01-01T00:00Z,\n"
        ),
        {"yes": "confirmed", "no": "ended", "stop": "ended"},
    ),
    "Substack": (
        "email_list.csv",
        (
            "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
            "yes@people.example,false,,other,false,2024-01-01T00:00:00.000Z,\n"
            "no@people.example,false,,other,true,2024-01-01T00:00:00.000Z,\n"
        ),
        {"yes": "confirmed", "no": "ended"},
    ),
    "Buttondown": (
        "subscribers.csv",
        (
            "email_address,type,notes,tags,unsubscription_date,undeliverability_date\n"
            "yes@people.example,regular,,,,\n"
            "wait@people.example,unactivated,,,,\n"
            "no@people.example,unsubscribed,,,2024-05-05,\n"
            "gone@people.example,undeliverable,,,,2024-05-05\n"
            "spam@people.example,complained,,,,\n"
        ),
        {
            "yes": "confirmed",
            "wait": "pending",
            "no": "ended",
            "gone": "bounced",
            "spam": "complained",
        },
    ),
    "Brevo": (
        "contacts.csv",
        (
            "CONTACT ID;EMAIL;FIRSTNAME;DOUBLE_OPT-IN;EMAIL_BLACKLISTED;ADDED_TIME\n"
            "1;yes@people.example;Yara;1;0;2024-01-01\n"
            "2;wait@people.example;Wim;2;0;2024-01-01\n"
            "3;stop@people.example;Stig;1;1;2024-01-01\n"
        ),
        {"yes": "confirmed", "wait": "pending", "stop": "asked"},
    ),
    "MailerLite": (
        "export.csv",
        (
            "Subscriber,Status,Sent,Opened,Subscribed,Unsubscribed\n"
            "yes@people.example,Active,4,2,2024-01-01 10:00:00,\n"
            "no@people.example,Unsubscribed,4,2,2024-01-01 10:00:00,2024-03-01 10:00:00\n"
            "wait@people.example,Unconfirmed,0,0,,\n"
            "gone@people.example,Bounced,1,0,2024-01-01 10:00:00,\n"
            "spam@people.example,Junk,1,0,2024-01-01 10:00:00,\n"
        ),
        {
            "yes": "confirmed",
            "no": "ended",
            "wait": "pending",
            "gone": "bounced",
            "spam": "complained",
        },
    ),
    "phpList": (
        "export.csv",
        (
            "email\tconfirmed\tblacklisted\n"
            "yes@people.example\t1\t0\nwait@people.example\t0\t0\nstop@people.example\t1\t1\n"
        ),
        {"yes": "confirmed", "wait": "pending", "stop": "asked"},
    ),
    "letters of a WordPress plugin": (
        "export.csv",
        (
            "email,status\nyes@people.example,C\nwait@people.example,S\nno@people.example,U\n"
            "gone@people.example,B\nspam@people.example,P\n"
        ),
        {
            "yes": "confirmed",
            "wait": "pending",
            "no": "ended",
            "gone": "bounced",
            "spam": "complained",
        },
    ),
    "German spreadsheet": (
        "Verteiler.csv",
        (
            "Name;E-Mail-Adresse;Rhythmus;Uhrzeit;Wochentag;Status\r\n"
            "Yara;yes@people.example;wöchentlich;8:30 Uhr;Freitag;angemeldet\r\n"
            "Noor;no@people.example;täglich;8.00 Uhr;;Abgemeldet\r\n"
            "Wim;wait@people.example;monatlich;;31.;unbestätigt\r\n"
            "Gerd;gone@people.example;;;;unzustellbar\r\n"
        ),
        {"yes": "confirmed", "no": "ended", "wait": "pending", "gone": "bounced"},
    ),
    "French spreadsheet": (
        "liste.csv",
        (
            "Nom;Adresse e-mail;Fréquence;Statut\nYara;yes@people.example;quotidien;abonnée\n"
            "Noor;no@people.example;hebdomadaire;désabonné\n"
        ),
        {"yes": "confirmed", "no": "ended"},
    ),
    "Spanish spreadsheet": (
        "lista.csv",
        (
            "Nombre;Correo electrónico;Estado\nYara;yes@people.example;activo\n"
            "Noor;no@people.example;dado de baja\n"
        ),
        {"yes": "confirmed", "no": "ended"},
    ),
    "a status that is empty is not confirmed": (
        "list.csv",
        "email,status\nwait@people.example,\nyes@people.example,subscribed\n",
        {"wait": "pending", "yes": "confirmed"},
    ),
    "of a yes and a no the no counts, whichever is first": (
        "list.csv",
        (
            "email,status\nno@people.example,subscribed\nno@people.example,unsubscribed\n"
            "gone@people.example,bounced\ngone@people.example,active\n"
        ),
        {"no": "ended", "gone": "bounced"},
    ),
    "a no counts whatever else is wrong with the line": (
        "list.csv",
        (
            "email,every,at,status\nno@people.example,hourly,99,unsubscribed\n"
            "gone@people.example,often,,hard bounced\n"
        ),
        {"no": "ended", "gone": "bounced"},
    ),
    "an address as a mail program copies it": (
        "list.csv",
        "E-Mail\nYara Example <yes@people.example>\n",
        {"yes": "confirmed"},
    ),
    "Klaviyo": (
        "profiles.csv",
        (
            "Email,Klaviyo ID,Email Marketing Consent,Email Suppressions,SMS Marketing Consent\n"
            "yes@people.example,1,SUBSCRIBED,[],UNSUBSCRIBED\n"
            "no@people.example,2,UNSUBSCRIBED,[],\n"
            "wait@people.example,3,NEVER_SUBSCRIBED,[],\n"
            "gone@people.example,4,SUBSCRIBED,[HARD_BOUNCE],\n"
        ),
        {"yes": "confirmed", "no": "ended", "wait": "pending", "gone": "bounced"},
    ),
    "phpList, all columns": (
        "export.csv",
        (
            "id,email,confirmed,blacklisted,optedin,bouncecount,disabled,htmlemail\n"
            "1,yes@people.example,1,0,0,2,0,1\n2,rest@people.example,1,0,0,0,1,1\n"
        ),
        {"yes": "confirmed", "rest": "paused"},
    ),
    "an alert service, by the dates of the end": (
        "subscriptions.csv",
        (
            "email,frequency,created_at,ended_at,ended_reason,deactivated_at\n"
            "yes@people.example,immediately,2024-01-01,,,\n"
            "no@people.example,daily,2024-01-01,2024-02-01 10:00:00,unsubscribed,\n"
            "rest@people.example,weekly,2024-01-01,,,2024-03-01\n"
        ),
        {"yes": "confirmed", "no": "ended", "rest": "paused"},
    ),
    "a web framework, by the date of the confirmation": (
        "users.csv",
        (
            "email,confirmed_at,unsubscribed_at\n"
            "yes@people.example,2024-01-01 10:00:00,0000-00-00 00:00:00\n"
            "wait@people.example,,\nno@people.example,2024-01-01,2024-02-01\n"
        ),
        {"yes": "confirmed", "wait": "pending", "no": "ended"},
    ),
    "flags with common words before and behind them": (
        "contacts.csv",
        (
            "email,is_email_verified,has_unsubscribed,user_blocked_at,account_suspended_on\n"
            "yes@people.example,true,false,,\nwait@people.example,false,false,,\n"
            "no@people.example,true,true,,\nstop@people.example,true,false,2024-01-01,\n"
            "rest@people.example,true,false,,2024-01-01\n"
        ),
        {
            "yes": "confirmed",
            "wait": "pending",
            "no": "ended",
            "stop": "asked",
            "rest": "paused",
        },
    ),
    "a customer system that names what somebody left": (
        "contacts.csv",
        (
            "Email,Opted out of email: Customer News,Opted out of SMS\n"
            "yes@people.example,,Yes\nno@people.example,Yes,\n"
        ),
        {"yes": "confirmed", "no": "ended"},
    ),
    "hints in the headings of a spreadsheet": (
        "contacts.csv",
        (
            "E-mail (required),How often [optional],Unsubscribed? (Y/N),Active (1/0)\n"
            "yes@people.example,,N,1\nno@people.example,,Y,1\nrest@people.example,,n,0\n"
        ),
        {"yes": "confirmed", "no": "ended", "rest": "paused"},
    ),
    "Salesforce": (
        "contacts.csv",
        (
            "Email,HasOptedOutOfEmail,IsEmailBounced,EmailBouncedReason,DoNotCall\n"
            "yes@people.example,false,false,,true\nno@people.example,true,false,,false\n"
            "gone@people.example,false,true,550 no such user,false\n"
        ),
        {"yes": "confirmed", "no": "ended", "gone": "bounced"},
    ),
    "CiviCRM": (
        "contacts.csv",
        (
            "Email,Do Not Email,Do Not Phone,No Bulk Emails (User Opt Out),On Hold\n"
            "yes@people.example,No,Yes,No,No\nno@people.example,No,No,Yes,No\n"
            "stop@people.example,Yes,No,No,No\nrest@people.example,No,No,No,On Hold Bounce\n"
        ),
        {"yes": "confirmed", "no": "ended", "stop": "asked", "rest": "paused"},
    ),
    "Pipedrive": (
        "people.csv",
        (
            "Name,Email,Marketing status\nYara,yes@people.example,Subscribed\n"
            "Noor,no@people.example,Unsubscribed\nWim,wait@people.example,No consent\n"
            "Gerd,gone@people.example,Bounced\n"
        ),
        {"yes": "confirmed", "no": "ended", "wait": "pending", "gone": "bounced"},
    ),
    "a plain no in a column of any name": (
        "contacts.csv",
        (
            "email,channels.email.subscribeStatus,Tags\nyes@people.example,subscribed,\n"
            "no@people.example,unsubscribed,\nstop@people.example,subscribed,Do not contact\n"
            "wait@people.example,never-subscribed,\n"
        ),
        {"yes": "confirmed", "no": "ended", "stop": "asked", "wait": "pending"},
    ),
    "an empty status beside a date of ours is not confirmed": (
        "list.csv",
        "email,status,confirmed_at\nwait@people.example,,2024-01-01\n",
        {"wait": "pending"},
    ),
    "a space between separator and quotation mark": (
        "list.csv",
        (
            '"name", "email", "note", "status"\n'
            '"Doe, Yara", "yes@people.example", "two\nlines, here", "active"\n'
            '"Noor", "no@people.example", "", "unsubscribed"\n'
        ),
        {"yes": "confirmed", "no": "ended"},
    ),
    "a line that names the separator": (
        "list.csv",
        "sep=;\nemail;status\nyes@people.example;ok, really\nno@people.example;left\n",
        {"no": "ended"},
    ),
}


@pytest.mark.parametrize(("name", "text", "expected"), FILES.values(), ids=FILES)
def test_a_list_of_another_system_gives_everybody_the_standing_that_it_says(
    installation: Installation, name: str, text: str, expected: dict[str, str]
):
    imported(installation, text, name=name)
    assert standings(installation) == expected


NO_WORD_ABOUT_MAILS = {
    "other ways than mail": "SMS Marketing Consent,SMS_BLACKLISTED,Push opt-out,Phone unsubscribed",
    "other times": "Last status,Previous status,Former subscription,Initial consent state",
    "names, places and notes": "First name,Last name,City,Notes",
    "counts of a period": "Active (30d),Opted out (6mo),Bounced [2025],Unsubscribed (12 months)",
    "an account and what is paid": "Customer type,Account tier,Membership,Plan",
}


@pytest.mark.parametrize("headings", NO_WORD_ABOUT_MAILS.values(), ids=NO_WORD_ABOUT_MAILS)
@pytest.mark.parametrize("cell", ["Left", "Removed", "Spam", "former", "expired", "never"])
def test_a_word_in_a_column_about_something_else_is_no_no(
    installation: Installation, headings: str, cell: str
):
    cells = ",".join([cell] * 4)
    imported(installation, f"email,{headings}\nyes@people.example,{cells}\n")
    assert standings(installation) == {"yes": "confirmed"}


@pytest.mark.parametrize(
    "heading",
    [
        "SMS Marketing Consent",
        "Push status",
        "Previous status",
        "Opt-out (phone)",
        "Last (opt out)",
    ],
)
@pytest.mark.parametrize("cell", ["unsubscribed", "Opted out", "blacklisted", "unconfirmed", "1"])
def test_a_no_to_other_ways_and_of_other_times_is_no_no_to_mails(
    installation: Installation, heading: str, cell: str
):
    imported(installation, f"email,{heading}\nyes@people.example,{cell}\n")
    assert standings(installation) == {"yes": "confirmed"}


@pytest.mark.parametrize(
    ("line", "standing"),
    [
        ('{"email": "yes@people.example", "isActive": true, "optOut": false}', "confirmed"),
        ('{"email": "yes@people.example", "emailBlacklisted": true}', "asked"),
        ('{"email": "yes@people.example", "unsubscribedAt": "2024-05-05T10:00:00Z"}', "ended"),
        ('{"email": "yes@people.example", "unsubscribedAt": null}', "confirmed"),
        ('{"email": "yes@people.example", "isActive": false}', "paused"),
        ('{"email": "yes@people.example", "consentState": "unsubscribed", "n": 1.5}', "ended"),
    ],
)
def test_names_that_programs_give_are_read_as_words(
    installation: Installation, line: str, standing: str
):
    imported(installation, f"{line}\n", json_lines=True)
    assert standings(installation) == {"yes": standing}


@pytest.mark.parametrize("name", ["Email", "email_address", "e-mail", "emailAddress", "Courriel"])
def test_json_lines_may_call_the_address_otherwise(installation: Installation, name: str):
    text = f'{{"{name}": "yes@people.example"}}\n{{"status": "confirmed"}}\n'
    report = imported(installation, text, json_lines=True)
    assert [result for _, result, _ in report.lines] == [RowResult.ADDED, RowResult.INVALID]
    assert standings(installation) == {"yes": "confirmed"}


def test_a_json_line_without_a_named_key_stops_no_other(installation: Installation):
    text = (
        '{"Contact": "wait@people.example", "How often": "daily"}\n'
        '{"Contact": "yes@people.example", "Standing": "active"}\n{"How often": "daily"}\n'
    )
    renamed = {"email": "contact", "every": "how often", "status": "standing"}
    report = imported(installation, text, json_lines=True, renamed=renamed)
    assert [line for line, result, _ in report.lines if result is RowResult.INVALID] == [3]
    assert standings(installation) == {"wait": "pending", "yes": "confirmed"}


def test_a_named_key_that_no_json_line_has_is_refused(installation: Installation):
    text = '{"email": "yes@people.example"}\n{"email": "no@people.example", "State": "left"}\n'
    with pytest.raises(InputError, match="no column 'Statsu'"):
        imported(installation, text, json_lines=True, renamed={"status": "Statsu"})
    assert standings(installation) == {}


def test_the_choices_of_a_german_spreadsheet_are_taken(installation: Installation):
    imported(installation, FILES["German spreadsheet"][1])
    with installation.at(MONDAY).reading() as session:
        chosen = {
            each.subscriber.email.partition("@")[0]: (each.cadence, each.at, each.on)
            for each in session.query(Subscription)
        }
    assert chosen["yes"] == (Cadence.WEEKLY, "08:30", 4)
    assert chosen["wait"] == (Cadence.MONTHLY, "08:00", 31)


NOT_CONFIRMED = [
    *("pending", "Unconfirmed", "NOT CONFIRMED", "awaiting-confirmation", "opt-in pending"),
    *("paused", "on hold", "Disabled", "inaktiv", "suspendu"),
    *("Unsubscribed (manual)", "unsubscribed by user", "abbestellt", "Temp Hold", "withdrawn"),
    *("ended", "unsubscribed", "Opted-Out", "CANCELED", "removed", "ausgetragen", "désinscrit"),
    *("suppressed", "blacklisted", "hard_bounce", "cleaned", "Marked as spam", "gesperrt"),
    *("", "0", "7", "VIP", "unknown", "confirm?", "not subscribed", "un-subscribed", "¿?"),
]


@pytest.mark.parametrize("word", NOT_CONFIRMED)
def test_a_row_whose_status_is_not_confirmed_is_never_made_confirmed(
    installation: Installation, word: str
):
    report = imported(installation, f"email,status\nno@people.example,{word}\n")
    with installation.at(MONDAY).reading() as session:
        assert SubscriptionStatus.CONFIRMED not in {
            each.status for each in session.query(Subscription)
        }
    assert report.lines[0][1] is not RowResult.ADDED
    assert report.unasked == []


@pytest.mark.parametrize(
    "word", ["confirmed", "Subscribed", "ACTIVE", "enabled", "opted-in", "aktiv", "abonné"]
)
def test_a_row_whose_status_is_confirmed_is_taken_when_somebody_vouches_for_the_list(
    installation: Installation, word: str
):
    assert imported(installation, f"email,status\nyes@people.example,{word}\n").lines == [
        (2, RowResult.ADDED, "")
    ]
    assert standings(installation) == {"yes": "confirmed"}


def test_no_word_has_two_meanings():
    for text in ("spam", "bounced", "left", "active", "pending", "paused"):
        assert list_words.standing_of(text) is not None
    assert set(list_words._STANDINGS) & set(list_words._CAUSES) == set()


@pytest.mark.parametrize("asks_pending", [False, True])
def test_pending_rows_are_asked_by_mail_only_if_that_is_wanted(
    installation: Installation, *, asks_pending: bool
):
    text = "email,status\nwait@people.example,pending\nyes@people.example,confirmed\n"
    report = imported(installation, text, asks_pending=asks_pending)
    assert len(report.unasked) == asks_pending
    again = imported(installation, text, asks_pending=True)
    assert len(again.unasked) == 1


def test_a_later_list_ends_what_an_earlier_one_began_and_not_what_the_owner_chose(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("stop@people.example")  # by its owner
    imported(installation, "email\nno@people.example\ngone@people.example\nyes@people.example\n")
    report = imported(
        installation,
        "email,status\nstop@people.example,unsubscribed\nno@people.example,unsubscribed\n"
        "gone@people.example,bounced\n",
    )
    assert [result for _, result, _ in report.lines] == [
        RowResult.KNOWN,
        RowResult.LEFT,
        RowResult.SUPPRESSED,
    ]
    assert standings(installation) == {
        "stop": "confirmed",
        "no": "ended",
        "gone": "bounced",
        "yes": "confirmed",
    }


def test_a_column_can_be_named_by_the_caller(installation: Installation):
    text = "Kontakt,Status,Konto\nyes@people.example,Gold,active\nno@people.example,Gold,left\n"
    with pytest.raises(InputError, match="no column email") as refused:
        imported(installation, text)
    assert "--column email=Kontakt" in refused.value.fix
    imported(installation, text, renamed={"email": "kontakt", "status": "KONTO"})
    assert standings(installation) == {"yes": "confirmed", "no": "ended"}


@pytest.mark.parametrize(
    ("renamed", "said"),
    [({"email": "Nothing"}, "the file has no column 'Nothing'"), ({"mail": "Kontakt"}, "none of")],
)
def test_a_column_that_is_not_there_is_refused(
    installation: Installation, renamed: dict[str, str], said: str
):
    with pytest.raises(InputError, match=said):
        imported(installation, "Kontakt\nyes@people.example\n", renamed=renamed)


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "\ufeff\r\n", ",,,\n"])
def test_an_empty_file_is_called_so(installation: Installation, text: str):
    with pytest.raises(InputError, match="The file is empty"):
        imported(installation, text)


def test_columns_that_are_not_used_are_named():
    ignored: list[str] = []
    text = "email,Vorname,status,Haustier\nyes@people.example,Yara,active,Katze\n"
    list(list_files.read(io.StringIO(text), json_lines=False, ignored=ignored))
    assert ignored == ["Vorname", "Haustier"]


UNCLOSED = {
    "until the end of the file": (
        'name,email\nYara,yes@people.example\n"Noor,no@people.example\nStig,stop@people.example\n',
        [3],
        {"yes", "stop"},
    ),
    "until the next quotation mark": (
        (
            'name,email\n"Noor,no@people.example\n"Stig",stop@people.example\n'
            "Yara,yes@people.example\n"
        ),
        [2],
        {"yes", "stop"},
    ),
    "twice": (
        'email,name\nyes@people.example,"Yara\nno@people.example,"Noor\nstop@people.example,Stig\n',
        [2, 3],
        {"stop"},
    ),
    "until the next one, which seems to close it": (
        'email,note\nyes@people.example,"first\nstop@people.example,x\nno@people.example,"\n',
        [2, 4],
        {"stop"},
    ),
    "none: a line break in a cell": (
        'email,note\nyes@people.example,"first\nsecond\n\nfourth"\nstop@people.example,x\n',
        [],
        {"yes", "stop"},
    ),
    "none: within a cell": (
        'email,note\nyes@people.example,5" screen\nstop@people.example,the "best" one\n',
        [],
        {"yes", "stop"},
    ),
    "none: doubled": (
        'email,note\nyes@people.example,"she said ""hello"""\nstop@people.example,""\n',
        [],
        {"yes", "stop"},
    ),
}


@pytest.mark.parametrize(("text", "wrong", "taken"), UNCLOSED.values(), ids=UNCLOSED)
def test_a_quotation_mark_that_is_not_closed_is_reported_with_its_line(
    installation: Installation, text: str, wrong: list[int], taken: set[str]
):
    report = imported(installation, text)
    invalid = [line for line, result, _ in report.lines if result is RowResult.INVALID]
    assert invalid == wrong
    assert all("not closed" in why for line, _, why in report.lines if line in wrong)
    assert set(standings(installation)) == taken


def test_many_quotation_marks_that_are_not_closed_take_little_time(installation: Installation):
    text = "email,note\n" + 'yes@people.example,"\n' * 3000 + "a,b\n" * 3000
    assert len(imported(installation, text).lines) == 6000


def test_a_cell_too_many_makes_a_line_invalid(installation: Installation):
    report = imported(installation, "email,status\nExample, Yara,yes@people.example,active\n")
    assert report.lines[0][1] is RowResult.INVALID
    assert "quotation marks" in report.lines[0][2]
    assert standings(installation) == {}


def test_the_cause_of_a_suppression_is_taken_over(installation: Installation):
    imported(
        installation,
        "email,status,cause\ngone@people.example,suppressed,bounced\n"
        "spam@people.example,suppressed,complaint\nstop@people.example,suppressed,never\n",
    )
    assert standings(installation) == {
        "gone": str(SuppressionCause.BOUNCED),
        "spam": str(SuppressionCause.COMPLAINED),
        "stop": str(SuppressionCause.NEVER),
    }

"""Pages that stand in place of a document are recognised; pages that resemble them are not."""

import pytest

from notifier.watch.parsers import document, html_page, rss
from notifier.watch.parsers.not_the_page.recognition import by_headers, recognised
from notifier.watch.parsers.observation import ParseError
from tests.support.effort import measured

ADDRESS = "https://clinic.example.org/guide/"


def page(title: str, body: str, head: str = "") -> str:
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"
    )


# Title, body, and what the operator is told of it.
OTHER_PAGES = {
    "Cloudflare": (
        "Just a moment...",
        "<h1>clinic.example.org</h1><p>Verifying you are human. This may take a few seconds.</p>",
        "check of the browser",
    ),
    "Cloudflare, blocked": (
        "Attention Required! | Cloudflare",
        (
            "<h1>Sorry, you have been blocked</h1>"
            "<h2>You are unable to access clinic.example.org</h2>"
            "<p>This website is using a security service to protect itself from online attacks.</p>"
        ),
        "refusal",
    ),
    "Imperva": (
        "",
        (
            "<iframe src='/_Incapsula_Resource?x=1'>Request unsuccessful. Incapsula incident"
            " ID: 1-2"
            "</iframe>"
        ),
        "check of the browser",
    ),
    "Akamai": (
        "Access Denied",
        (
            "<h1>Access Denied</h1>You don't have permission to access this on this server."
            "<p>Reference #18.aaaa.bbbb</p>"
        ),
        "refusal",
    ),
    "Anubis": (
        "Making sure you're not a bot!",
        (
            "<main><h1>Making sure you're not a bot!</h1><p>Loading...</p></main>"
            "<script id='anubis_challenge'>{}</script>"
        ),
        "check of the browser",
    ),
    "a waiting room": (
        "Waiting room",
        "<p>You are now in line. Your estimated wait time is 28 minutes.</p>",
        "check of the browser",
    ),
    "a check in German": (
        "Einen Moment bitte",
        (
            "<h1>Sicherheitsprüfung</h1>"
            "<p>Ihr Browser wird überprüft. Bitte aktivieren Sie JavaScript"
            " und Cookies.</p>"
        ),
        "check of the browser",
    ),
    "a check in French": (
        "Un instant…",
        "<p>Vérification de votre navigateur avant d'accéder au site.</p>",
        "check of the browser",
    ),
    "a check in Spanish": (
        "Un momento…",
        "<p>Estamos comprobando su navegador. Active JavaScript para seguir.</p>",
        "check of the browser",
    ),
    "a check in Italian": (
        "Verifica di sicurezza",
        "<p>Conferma di essere umano. Questa operazione richiede pochi secondi.</p>",
        "check of the browser",
    ),
    "a check in Dutch": (
        "Een ogenblik geduld",
        "<p>Uw browser wordt gecontroleerd. Schakel JavaScript in om verder te gaan.</p>",
        "check of the browser",
    ),
    "a check in Japanese": (
        "しばらくお待ちください",
        "<p>ブラウザを確認しています。数秒かかることがあります。</p>",
        "check of the browser",
    ),
    "a check in Russian": (
        "Проверка браузера",
        "<p>Проверяем ваш браузер. Подтвердите, что вы не робот.</p>",
        "check of the browser",
    ),
    "a refusal in German": (
        "Zugriff verweigert",
        "<h1>403</h1><p>Sie haben keine Berechtigung, diese Seite zu sehen.</p>",
        "refusal",
    ),
    "a refusal in French": (
        "Accès refusé - Clinique Exemple",
        "<p>Vous n'êtes pas autorisé à consulter cette page.</p>",
        "refusal",
    ),
    "a status in the title": (
        "403 Forbidden",
        "<center><h1>403 Forbidden</h1></center>",
        "refusal",
    ),
    "another country": (
        "Not available in your region",
        "<p>This content is not available in your country for legal reasons.</p>",
        "refusal",
    ),
    "consent": (
        "Your privacy, your choice",
        "<p>We and our 742 partners store and/or access information on a device.</p>",
        "consent",
    ),
    "a long consent text": (
        "Consent",
        "<main><h1>We value your privacy</h1>"
        + "<p>Our partners keep data on your device for purposes such as measuring what you read."
        " You may accept all of it, or refuse.</p>" * 20 + "</main>",
        "consent",
    ),
    "consent in German": (
        "Ihre Privatsphäre ist uns wichtig",
        (
            "<p>Wir und unsere Partner speichern Informationen auf Ihrem Gerät.</p>"
            "<p>Alle akzeptieren</p><p>Alle ablehnen</p>"
        ),
        "consent",
    ),
    "consent in Italian": (
        "La tua privacy",
        "<p>Noi e i nostri partner archiviamo informazioni su un dispositivo. Accetta tutto.</p>",
        "consent",
    ),
    "consent in French": (
        "Gestion des cookies",
        (
            "<p>Avec votre consentement, nos partenaires et nous utilisons des cookies."
            " Tout accepter."
            " Continuer sans accepter.</p>"
        ),
        "consent",
    ),
    "log-in": (
        "Log in | Example Society",
        "<form><p>User name</p><input name=u><input type='password' name=p></form>",
        "log-in",
    ),
    "log-in in German": (
        "Anmeldung",
        (
            "<main><h1>Bitte anmelden</h1><p>Nur für Mitglieder.</p>"
            "<form><input type=password></form></main>"
        ),
        "log-in",
    ),
    "log-in in Spanish": (
        "Iniciar sesión",
        "<form><label>Usuario</label><input type=password></form><a>¿Olvidó su contraseña?</a>",
        "log-in",
    ),
    "WordPress log-in": (
        "Log In ‹ Example Clinic — WordPress",
        "<form><input type=password></form><p>Lost your password?</p>",
        "log-in",
    ),
    "registration": (
        "Register to continue",
        "<p>Create a free account to read this. Already a subscriber? Log in.</p>",
        "subscribe or register",
    ),
    "maintenance": (
        "Maintenance",
        "<h1>We'll be back soon!</h1><p>Sorry for the inconvenience.</p>",
        "maintenance",
    ),
    "WordPress updates": (
        "Maintenance",
        "<p>Briefly unavailable for scheduled maintenance. Check back in a minute.</p>",
        "maintenance",
    ),
    "maintenance in German": (
        "Wartungsarbeiten",
        (
            "<h1>Wir sind gleich zurück</h1><p>Wegen Wartungsarbeiten ist die Seite vorübergehend"
            " nicht erreichbar.</p>"
        ),
        "maintenance",
    ),
    "maintenance in French": (
        "Site en maintenance",
        "<p>Nous serons bientôt de retour.</p>",
        "maintenance",
    ),
    "maintenance in Spanish": (
        "En mantenimiento",
        "<p>Estamos realizando tareas de mantenimiento. Volveremos en breve.</p>",
        "maintenance",
    ),
    "maintenance in Italian": (
        "Sito in manutenzione",
        "<p>Stiamo eseguendo lavori di manutenzione. Torneremo online a breve.</p>",
        "maintenance",
    ),
    "maintenance in Dutch": (
        "Onderhoud",
        "<h1>We zijn zo terug</h1><p>De website is in onderhoud.</p>",
        "maintenance",
    ),
    "maintenance in Polish": (
        "Przerwa techniczna",
        "<p>Trwają prace konserwacyjne. Wrócimy wkrótce.</p>",
        "maintenance",
    ),
    "no such page": (
        "Page not found – Example Clinic",
        (
            "<main><h1>Oops! That page can’t be found.</h1>"
            "<p>It looks like nothing was found at this location.</p></main>"
        ),
        "no such page",
    ),
    "404": ("404 Not Found", "<center><h1>404 Not Found</h1></center><hr>nginx", "no such page"),
    "no such page in German": (
        "Seite nicht gefunden",
        "<p>Die angeforderte Seite konnte nicht gefunden werden.</p>",
        "no such page",
    ),
    "no such page in Swedish": (
        "Sidan hittades inte",
        "<p>Sidan du söker finns inte längre.</p>",
        "no such page",
    ),
    "WordPress error": (
        "WordPress › Error",
        "<p>There has been a critical error on this website.</p>",
        "error page",
    ),
    "WordPress database": (
        "Database Error",
        "<h1>Error establishing a database connection</h1>",
        "error page",
    ),
    "503": ("503 Service Temporarily Unavailable", "<h1>503</h1>", "maintenance"),
    "a backend": ("503 Backend fetch failed", "<h1>Error 503</h1><p>Guru Meditation:</p>", "error"),
    "too many requests": ("429 Too Many Requests", "<h1>Too Many Requests</h1>", "error page"),
    "an error in French": (
        "Erreur",
        "<h1>Une erreur est survenue</h1><p>Veuillez réessayer plus tard.</p>",
        "error page",
    ),
    "a frame for a script": (
        "Example Clinic",
        "<div id=root></div><noscript>You need to enable JavaScript to run this app.</noscript>",
        "a script would fill",
    ),
    "loading": ("Loading…", "<main><p>Loading…</p></main>", "a script would fill"),
    "loading under the own title": (
        "Frexalimab explained",
        "<main><h1>Frexalimab explained</h1><p>Artikel wird geladen, bitte warten.</p></main>",
        "a script would fill",
    ),
    "a domain for sale": (
        "clinic.example.org is for sale",
        "<h1>This domain is for sale</h1><p>Buy this domain. Make an offer.</p>",
        "domain",
    ),
    "a parked domain": (
        "clinic.example.org",
        '<script>window.location.href="/lander"</script>',
        "domain",
    ),
    "a domain for sale in German": (
        "Diese Domain steht zum Verkauf",
        "<p>Die Domain kann gekauft werden.</p>",
        "domain",
    ),
    "a new server": (
        "Welcome to nginx!",
        (
            "<h1>Welcome to nginx!</h1><p>If you see this page, the web server is successfully"
            " installed and working.</p>"
        ),
        "domain",
    ),
    "suspended hosting": (
        "Account Suspended",
        "<p>This account has been suspended. Contact your hosting provider.</p>",
        "domain",
    ),
    "a PHP error": (
        "",
        "<b>Fatal error</b>: Uncaught Error: Call to a member function q() on bool",
        "error page",
    ),
    "a Drupal error": (
        "",
        "The website encountered an unexpected error. Please try again.",
        "error page",
    ),
    "a proxy's time-out": ("", "upstream request timeout", "error page"),
    "a CDN's refusal": ("", "Request blocked. Generated by cloudfront (CloudFront)", "."),
    "another region": (
        "Content unavailable",
        "<h1>This content is not available in your region</h1>",
        "refusal",
    ),
    "a question in Russian": (
        "Вы не робот?",
        "<p>Подтвердите, что вы не робот.</p>",
        "check of the browser",
    ),
    "a script blocker": (
        "",
        "<p>Please enable JS and disable any ad blocker</p>",
        "check of the browser",
    ),
    "for professionals only": (
        "Are you a healthcare professional?",
        "<p>This site is intended for healthcare professionals only.</p>",
        "consent",
    ),
    "for professionals only, in German": (
        "Fachkreise",
        "<h1>Login für Fachkreise</h1><form><input type=password></form>",
        ".",
    ),
    "a session that ended": ("Your session has expired", "<p>Please log in again.</p>", "."),
    "an upgrade": ("We are upgrading", "<p>Our site is being upgraded.</p>", "maintenance"),
    "a stack trace": ("TypeError", "<h1>Traceback (most recent call last)</h1>", "error page"),
    "a Spring error": (
        "Whitelabel Error Page",
        "<p>This application has no explicit mapping for /error.</p>",
        "error page",
    ),
    "a page removed, in Portuguese": (
        "Página removida",
        "<h1>Conteúdo não encontrado</h1><p>O conteúdo foi removido.</p>",
        "no such page",
    ),
    "a page removed, in Swedish": (
        "Sidan finns inte",
        "<p>Kontrollera adressen.</p>",
        "no such page",
    ),
    "a page that sends on": ("Redirecting", "<p>Redirecting...</p>", "script would fill"),
    "an old browser": ("Unsupported browser", "<p>Please update your browser.</p>", "error page"),
    "a network's own page": ("Guest Wi-Fi", "<p>Accept the terms to connect.</p>", "consent"),
    "a filter": ("Web Page Blocked", "<p>The page has been blocked by policy.</p>", "refusal"),
}


@pytest.mark.parametrize("name", OTHER_PAGES)
def test_a_page_in_place_of_the_document_is_refused_with_what_it_is(name: str):
    title, body, said = OTHER_PAGES[name]
    with pytest.raises(ParseError, match=said):
        html_page.parse(page(title, body).encode(), {}, ADDRESS)


ARTICLE = (
    "<h2>How it works</h2><p>The antibody blocks a signal between immune cells. It is given as an"
    " infusion every four weeks.</p><h2>Side effects</h2><p>Most people who had it told of"
    " tiredness, headache or a cold. Few of them stopped the treatment.</p><h2>Trials</h2>"
    "<p>Two late trials are under way, and their first results are awaited in 2028.</p>"
)
NAV = "<nav><a href=/>Home</a><a href=/a>News</a><a href=/b>About</a><a href=/c>Log in</a></nav>"

OWN_PAGES = {
    "a cookie notice": (
        "Frexalimab explained",
        (
            f"{NAV}<main><article>{ARTICLE}</article></main><div class=cookie>"
            f"<h2>We value your privacy"
            "</h2><p>We use cookies. Accept all. Reject all.</p></div>"
        ),
    ),
    "a cookie notice in the article": (
        "Frexalimab explained",
        f"{NAV}<main>{ARTICLE}<p>We use cookies. Accept all. Reject all.</p></main>",
    ),
    "a log-in form": (
        "Frexalimab explained",
        (
            f"{NAV}<form><input type=password></form><main>{ARTICLE}"
            f"<p>Please log in to comment.</p>"
            "</main>"
        ),
    ),
    "an article about access": (
        "Access denied: patients wait for MS drugs",
        f"{NAV}<main><h1>Access denied: patients wait for MS drugs</h1>{ARTICLE}</main>",
    ),
    "an article of that very name": (
        "Access denied",
        f"{NAV}<main><h1>Access denied</h1>{ARTICLE * 3}</main>",
    ),
    "maintenance therapy": (
        "Maintenance therapy in MS",
        f"{NAV}<main>{ARTICLE}<p>Patients under maintenance treatment did well.</p></main>",
    ),
    "informed consent": (
        "Consent",
        f"{NAV}<main><h1>Informed consent in trials</h1>{ARTICLE}</main>",
    ),
    "a number that is no status": (
        "404 people in the trial",
        f"{NAV}<main><h1>404 people in the trial</h1>{ARTICLE}</main>",
    ),
    "a loading dose": (
        "Loading dose of frexalimab",
        f"{NAV}<main><h1>Loading dose</h1>{ARTICLE}<p>The loading dose is 2,400 mg.</p></main>",
    ),
    "scripts of a protection service": (
        "Frexalimab explained",
        (
            f"{NAV}<main>{ARTICLE}</main>"
            f"<script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'>"
            "</script><div class='cf-turnstile'></div><div class='g-recaptcha'></div>"
        ),
    ),
    "a hint to switch scripts on": (
        "Frexalimab explained",
        (
            f"{NAV}<main>{ARTICLE}</main><noscript>"
            f"<p>Please enable JavaScript and cookies to comment."
            "</p></noscript>"
        ),
    ),
    "a short page": (
        "Frexalimab",
        "<main><p>Frexalimab is in trials. The dose is 1,200 mg.</p></main>",
    ),
    "a short page that does not index": (
        "Frexalimab",
        "<meta name=robots content=noindex><main><p>The dose is 1,200 mg.</p></main>",
    ),
    "an article about outages": (
        "Down for maintenance: how the registry lost a week",
        f"{NAV}<main>{ARTICLE}<p>The registry was down for maintenance.</p></main>",
    ),
    "an article about robots": (
        "Are you a robot? Surgeons on new tools",
        f"{NAV}<main>{ARTICLE}<p>A robot would verify you are human.</p></main>",
    ),
    "coming soon": (
        "Coming soon: results of two trials",
        f"{NAV}<main>{ARTICLE}</main>",
    ),
    "titles in a comment and a script": (
        "Frexalimab explained",
        (
            "<!-- <title>Just a moment...</title><h1>Access denied</h1> --><script>x='<h1>404</h1>'"
            f"</script>{NAV}<main>{ARTICLE}</main>"
        ),
    ),
    "a Japanese article": (
        "フレキサリマブの試験",
        (
            "<main><p>多発性硬化症に対する新しい治療薬の第三相試験が国内でも始まり、患者の登録が続いている。"
            "結果は二年後に発表される見込みである。</p></main>"
        ),
    ),
}


@pytest.mark.parametrize("name", OWN_PAGES)
def test_a_page_that_resembles_one_is_read(name: str):
    title, body = OWN_PAGES[name]
    assert html_page.parse(page(title, body).encode(), {}, ADDRESS).observations[0].body


def test_what_a_page_may_be_is_kept_if_it_is_not_sure():
    body = (
        "<main><h1>Frexalimab explained</h1><p>An antibody for people with MS is in trials."
        " It is given as an infusion every four weeks.</p><p>Log in to view the rest.</p></main>"
    )
    found = html_page.parse(page("Frexalimab explained", body).encode(), {}, ADDRESS)
    assert "log-in" in found.doubt


@pytest.mark.parametrize("name", OTHER_PAGES)
def test_a_page_in_place_of_a_feed_is_refused(name: str):
    title, body, _ = OTHER_PAGES[name]
    with pytest.raises(ParseError, match="HTML page, not a feed"):
        rss.parse(
            ("<!-- " + "made by a tool " * 90 + "-->" + page(title, body)).encode(), {}, ADDRESS
        )


@pytest.mark.parametrize(
    "body",
    [
        "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        "<?xml version='1.0'?><urlset><url><loc>https://a.example.org/</loc></url></urlset>",
        "<response><title>Not found</title></response>",
        "Error establishing a database connection",
        "{'error': 1}",
    ],
)
def test_what_is_no_feed_is_no_empty_feed(body: str):
    with pytest.raises(ParseError):
        rss.parse(body.encode(), {}, ADDRESS)


@pytest.mark.parametrize(
    ("headers", "is_check"),
    [
        ({"cf-mitigated": "challenge"}, True),
        ({"x-amzn-waf-action": "captcha"}, True),
        ({"x-vercel-mitigated": "challenge"}, True),
        ({"server": "cloudflare", "cf-ray": "1", "cf-cache-status": "HIT"}, False),
        ({"cf-mitigated": ""}, False),
    ],
)
def test_a_header_of_a_protection_service_is_believed(headers: dict[str, str], is_check: bool):
    assert bool(by_headers(headers)) is is_check
    body = page("Frexalimab", "<main><p>The dose is 1,200 mg.</p></main>").encode()
    if is_check:
        with pytest.raises(ParseError, match="check of the browser"):
            document.parse("page", body, headers, ADDRESS)
    else:
        document.parse("page", body, headers, ADDRESS)


def test_a_large_page_of_a_protection_service_is_recognised_by_its_trace():
    body = f"<p>{'Humans only. ' * 2000}</p><script>window._cf_chl_opt={{}}</script>"
    finding = recognised(page("Example", body), "Humans only. " * 2000)
    assert finding is not None
    assert finding.certain


@pytest.mark.parametrize(
    "part",
    ["<h1>", "<title>", "<meta ", "<input type=", "<a ", "<!--", "<script>", "</", " type ", "é"],
)
def test_hostile_markup_is_searched_in_linear_time(part: str):
    document = part * (400_000 // len(part))
    with measured() as effort:
        recognised(document, document)
    assert effort.processor < 2

"""Words of pages that say that something is out of order: maintenance, errors, empty frames.

Data only, read by `recognition.py`: one phrase a line, or several separated by semicolons. They are
compared folded (`text/cleaning.py`), so case and punctuation do not matter. Collected by hand from
what web servers, protection services, content management systems and hosting companies send, and
from reports of users of page watchers and feed readers; not measured.
"""

from notifier.watch.parsers.not_the_page.words import Words

MAINTENANCE = Words(
    "a notice of maintenance",
    titles="""
maintenance; maintenance mode; site maintenance; website maintenance; under maintenance
site under maintenance; website under maintenance; scheduled maintenance; planned maintenance
down for maintenance; we'll be right back; we will be right back; be right back
we'll be back soon; we will be back soon; we'll be back shortly; back soon; back in a minute
back in a moment; back shortly; temporarily unavailable; site temporarily unavailable
website temporarily unavailable; service unavailable; service temporarily unavailable
currently unavailable; temporarily offline; site offline; website offline; out of service
temporarily down; site down; we are updating; upgrade in progress; wartung; wartungsarbeiten
wartungsmodus; im wartungsmodus; website im wartungsmodus; website in wartung; wartungspause
wartungsseite; geplante wartung; wir sind gleich zurück; wir sind bald zurück; gleich wieder da
bald wieder da; in kürze wieder da; wir sind in kürze wieder da; vorübergehend nicht erreichbar
vorübergehend nicht verfügbar; zurzeit nicht erreichbar; derzeit nicht erreichbar
nicht erreichbar; dienst nicht verfügbar; maintenance en cours; en maintenance
site en maintenance; page de maintenance; maintenance du site; nous revenons bientôt
nous revenons tout de suite; bientôt de retour; de retour bientôt; temporairement indisponible
site temporairement indisponible; momentanément indisponible; site indisponible
service indisponible; mantenimiento; en mantenimiento; sitio en mantenimiento
sitio web en mantenimiento; página en mantenimiento; web en mantenimiento; modo mantenimiento
modo de mantenimiento; volvemos pronto; volvemos enseguida; volveremos pronto
temporalmente fuera de servicio; temporalmente no disponible; no disponible temporalmente
servicio no disponible; manutenzione; in manutenzione; sito in manutenzione
manutenzione in corso; manutenzione programmata; modalità manutenzione; torniamo presto
torniamo subito; torneremo presto; temporaneamente non disponibile
sito temporaneamente non disponibile; servizio non disponibile; onderhoud; in onderhoud
site in onderhoud; website in onderhoud; gepland onderhoud; onderhoudsmodus
onderhoudswerkzaamheden; we zijn zo terug; we zijn snel terug; wij zijn zo terug
tijdelijk niet beschikbaar; tijdelijk niet bereikbaar; tijdelijk offline; manutenção
em manutenção; site em manutenção; temporariamente indisponível; przerwa techniczna
prace konserwacyjne; konserwacja; chwilowo niedostępna; underhåll; vi är snart tillbaka
vedligeholdelse; vedlikehold; vi er straks tilbage; huoltokatko; технические работы
на сайте ведутся технические работы; техническое обслуживание; bakım; bakım çalışması
bakım modu; údržba; probíhá údržba; karbantartás; メンテナンス; メンテナンス中
ただいまメンテナンス中です; 维护中; 系统维护; 网站维护中; 점검 중; 시스템 점검
we are upgrading; we're upgrading; we are making things better; planned downtime
scheduled downtime; planlagt vedlikehold; planerat underhåll; dočasně nedostupné; плановые работы
site bakımda; sitemiz bakımda
""",
    phrases="""
site is undergoing maintenance; website is undergoing maintenance; undergoing scheduled maintenance
site is under maintenance; website is under maintenance; site is currently under maintenance
currently undergoing maintenance; down for maintenance; unavailable for scheduled maintenance
performing scheduled maintenance; performing some maintenance; we'll be back; we will be back
be back online; check back soon; please check back; please come again; site is being looked after
site is being updated; sorry for the inconvenience; website befindet sich im wartungsmodus
derzeit wartungsarbeiten; zurzeit wartungsarbeiten; wegen wartungsarbeiten; website wird gewartet
seite wird gewartet; wird gerade gewartet; in kürze wieder für sie da; gleich wieder für sie da
bald wieder für sie da; in kürze wieder erreichbar; schauen sie bald wieder; kommen sie bald wieder
site est en maintenance; opération de maintenance; opérations de maintenance
cours de maintenance; nous serons bientôt de retour; nous serons de retour
sera bientôt de retour; revenez bientôt; revenez plus tard; sitio está en mantenimiento
página está en mantenimiento; web está en mantenimiento; tareas de mantenimiento
labores de mantenimiento; volveremos en breve; estaremos de vuelta; vuelva más tarde
vuelve pronto; disculpe las molestias; sito è in manutenzione; interventi di manutenzione
lavori di manutenzione; torneremo online; saremo di nuovo online; torna a trovarci
ci scusiamo per il disagio; site is in onderhoud; website is in onderhoud
wegens onderhoud; voeren onderhoud uit; snel weer online; zo snel mogelijk weer; zijn zo weer terug
kom later terug; excuses voor het ongemak; site está em manutenção; voltaremos em breve
trwają prace; wrócimy wkrótce; strax tillbaka; snart tillbaka; straks tilbage; snart tilbage
ведутся технические работы; скоро вернемся; скоро вернёмся; bakım çalışması
メンテナンスを実施; メンテナンス中; 正在维护; 점검 중입니다
site is being upgraded; website is being upgraded; being upgraded and; sitemiz bakımda
důvodu údržby; pågår underhåll; trwają prace konserwacyjne
""",
    hints="""
maintenance; try again later; come back later; in a few minutes; shortly; soon; temporarily
wartung; später noch einmal; in kürze; bald; vorübergehend; maintenance; plus tard; bientôt
temporairement; mantenimiento; más tarde; pronto; temporalmente; manutenzione; più tardi; presto
temporaneamente; onderhoud; later opnieuw; binnenkort; tijdelijk; manutenção; underhåll
""",
    paths="maintenance; wartung; mantenimiento; manutenzione; onderhoud; offline",
)

MISSING = Words(
    "an error page that says there is no such page",
    titles="""
not found; page not found; file not found; content not found; resource not found; nothing found
object not found; page cannot be found; page can't be found; the page cannot be found
that page can't be found; oops! that page can't be found; oops! page not found; page missing
this page does not exist; this page doesn't exist; this page isn't available; page doesn't exist
page no longer exists; page unavailable; page not available; this page is not available
page removed
seite nicht gefunden; nicht gefunden; seite existiert nicht; seite nicht vorhanden
seite nicht verfügbar; inhalt nicht gefunden; seite konnte nicht gefunden werden
die seite konnte nicht gefunden werden; die seite wurde nicht gefunden; diese seite existiert nicht
datei nicht gefunden; page introuvable; page non trouvée; page inexistante; contenu introuvable
cette page n'existe pas; cette page n'existe plus; oups page introuvable; page indisponible
página no encontrada; no encontrado; no encontrada; la página no existe; esta página no existe
página no disponible; contenido no encontrado; pagina non trovata; non trovato; non trovata
la pagina non esiste; questa pagina non esiste; pagina non disponibile; pagina inesistente
pagina niet gevonden; niet gevonden; deze pagina bestaat niet; pagina bestaat niet
pagina niet beschikbaar; página não encontrada; não encontrado; nie znaleziono strony
nie znaleziono; strona nie została znaleziona; strona nie istnieje; sidan hittades inte
sidan kunde inte hittas; siden blev ikke fundet; siden findes ikke; siden ble ikke funnet
sivua ei löytynyt; страница не найдена; не найдено; stránka nenalezena; stránka nebyla nalezena
sayfa bulunamadı; η σελίδα δεν βρέθηκε; az oldal nem található; pagina nu a fost găsită
ページが見つかりません; お探しのページは見つかりませんでした; 页面不存在; 找不到页面; 页面未找到
페이지를 찾을 수 없습니다
página removida; conteúdo não encontrado; conteúdo removido; sidan finns inte
denna sida finns inte; siden finnes ikke; denne siden finnes ikke; this page has moved
page has moved; page moved; seite wurde verschoben; contenido no disponible
contenuto non disponibile; inhalt nicht verfügbar; diese seite gibt es nicht; seite gibt es nicht
cette page a été supprimée; página eliminada; strony nie znaleziono; sivua ei ole
content not available; content is not available
""",
    phrases="""
page you are looking for; page you're looking for; page you were looking for; page you requested
the requested page; the requested url; requested url was not found; page could not be found
page can't be found; page cannot be found; page no longer exists; nothing was found at this location
die gesuchte seite; die angeforderte seite; von ihnen gesuchte seite; von ihnen angeforderte seite
die aufgerufene seite; seite konnte nicht gefunden; seite wurde nicht gefunden
seite existiert nicht; page que vous recherchez; page que vous cherchez; page que vous demandez
la page demandée; page est introuvable; page n'existe pas; page n'existe plus
página que busca; página que buscas; página que está buscando; página que estás buscando
página solicitada; página no existe; página ya no existe; pagina che stai cercando
pagina che cerchi; pagina richiesta; pagina non esiste; pagina non è stata trovata
pagina die je zoekt; pagina die u zoekt; opgevraagde pagina; pagina bestaat niet
pagina is niet gevonden; página que procura; página solicitada não; strona, której szukasz
sidan du söker; siden du leder efter; siden du leter etter; sivua ei löydy
запрашиваемая страница; aradığınız sayfa; hledaná stránka; お探しのページ; 您访问的页面
conteúdo foi removido; conteúdo não está disponível; contenido ya no está disponible
contenuto non è più disponibile; nie ma takiej strony; sidan finns inte; siden finnes ikke
siden eksisterer ikke; page has been removed; page has been deleted; page has moved
diese seite gibt es nicht; seite wurde gelöscht; seite wurde entfernt; page a été supprimée
page a été déplacée; página ha sido eliminada; pagina è stata rimossa
""",
    hints="""
does not exist; no longer exists; was not found; could not be found; cannot be found; home page
go back; check the address; broken link; existiert nicht; nicht gefunden; startseite
n'existe pas; introuvable; page d'accueil; no existe; no se encuentra; página de inicio
non esiste; non trovata; bestaat niet; niet gevonden; search
kontrollera adressen; verifique o endereço; comprueba la dirección; vérifiez l'adresse
prüfen sie die adresse; click here
""",
    paths="404; 404.html; not-found; notfound; page-not-found; pagenotfound; error404",
)

FAILURE = Words(
    "an error page",
    titles="""
error; server error; internal server error; internal error; application error; database error
database connection error; error establishing a database connection; system error; fatal error
something went wrong; oops; oops!; oops, something went wrong; oops! something went wrong
sorry, something went wrong; an error occurred; an error has occurred; unexpected error
wordpress error; wordpress › error; critical error; runtime error; bad gateway; bad request
gateway timeout; gateway time-out; too many requests; request timeout; web server is down
connection timed out; origin is unreachable; origin dns error; technical difficulties
we are experiencing technical difficulties; fehler; serverfehler; interner serverfehler
interner fehler; ein fehler ist aufgetreten; es ist ein fehler aufgetreten; datenbankfehler
technischer fehler; technische störung; etwas ist schiefgelaufen; hoppla; erreur; erreur serveur
erreur interne; erreur interne du serveur; une erreur est survenue; une erreur s'est produite
erreur technique; oups; oups, une erreur est survenue; error del servidor
error interno; error interno del servidor; ha ocurrido un error; se ha producido un error
algo salió mal; algo ha salido mal; error de base de datos; error técnico; ups; errore
errore del server; errore interno; errore interno del server; si è verificato un errore
qualcosa è andato storto; errore tecnico; errore del database; ops; fout; serverfout
interne serverfout; er is een fout opgetreden; er ging iets mis; er is iets misgegaan
technische storing; databasefout; erro; erro no servidor; ocorreu um erro; błąd; błąd serwera
wystąpił błąd; fel; ett fel har uppstått; fejl; der opstod en fejl; feil; virhe; ошибка
ошибка сервера; произошла ошибка; hata; bir hata oluştu; chyba; エラー; エラーが発生しました; 错误
服务器错误; 오류; 오류가 발생했습니다
whitelabel error page; rate limited; you are being rate limited; error 1015; error 1020; error 520
session expired; your session has expired; your session has timed out; sitzung abgelaufen
session expirée; sesión caducada; sessione scaduta; you are offline; no internet
unsupported browser; browser not supported; your browser is not supported; typeerror
referenceerror; internal error occurred; operationalerror; runtimeerror; exception
exception caught; traceback; nieoczekiwany błąd
""",
    phrases="""
critical error on this website; critical error on your website
error establishing a database connection; could not connect to the database
unable to connect to the database; internal server error; the server encountered an
encountered an internal error; uncaught exception; unhandled exception; fatal error: ; stack trace
web server is returning an unknown error; web server reported a; application error has occurred
upstream connect error; no healthy upstream; backend fetch failed; guru meditation
error 503 backend; too many requests; rate limit exceeded; kritischen fehler auf
einen kritischen fehler; fehler beim aufbau einer datenbankverbindung; datenbankverbindung
unerwarteter fehler ist aufgetreten; interner serverfehler; erreur critique sur ce site
une erreur critique; connexion à la base de données; erreur inattendue; error crítico en
conexión con la base de datos; error inesperado; errore critico su; errore critico sul
connessione al database; errore imprevisto; kritieke fout op; kritieke fout is
verbinding met de database; databaseverbinding; onverwachte fout; erro crítico
conexão com o banco de dados; błąd krytyczny; połączenia z bazą danych; kritiskt fel
kritisk fejl; критическая ошибка; соединения с базой данных; データベース接続確立エラー
重大なエラー; 建立数据库连接时出错; 遇到致命错误
website encountered an unexpected error; encountered an unexpected error; uncaught error
uncaught typeerror; call to a member function; call to undefined function; mysqli connect
connection refused in; parse error: syntax error; warning: include; allowed memory size of
maximum execution time of; traceback most recent call last; nullpointerexception; java lang
no explicit mapping for error; upstream request timeout; could not be satisfied
generated by cloudfront; you are being rate limited; too many requests in a; session has expired
session has timed out; browser is not supported; browser is no longer supported
update your browser to; you are offline; check your internet connection; sitzung ist abgelaufen
session a expiré; sesión ha caducado; sessione è scaduta
""",
    hints="""
error; try again; contact the administrator; the server; fehler; erneut versuchen; administrator
erreur; réessayer; administrateur; inténtelo; intentar; errore; riprova; fout; probeer; exception
on line; line; retry; refresh the page; log in again; seen as a fallback; update your browser
request id
""",
    paths="error; error.html; 500; 500.html; 503; 503.html",
)

LOADING = Words(
    "an empty page that a script would fill",
    titles="""
loading; loading please wait; loading page; wird geladen; seite wird geladen; lade; lädt; laden
chargement; chargement en cours; cargando; caricamento; caricamento in corso; bezig met laden
wordt geladen; carregando; a carregar; ładowanie; trwa ładowanie; laddar; indlæser; laster
ladataan; загрузка; yükleniyor; načítání; 読み込み中; 加载中; 正在加载; 로딩 중
redirecting; redirecting...; you are being redirected; weiterleitung; sie werden weitergeleitet
redirection; redirection en cours; redirigiendo; reindirizzamento; doorverwijzen; redirecionando
omdirigerar; przekierowanie; перенаправление
""",
    phrases="""
loading, please wait; loading the article; loading the page; loading this page; loading your page
loading the content; loading content; page is loading; article is loading; content is loading
content is being loaded; page is being loaded; need to enable javascript to run this app
enable javascript to run this app; enable javascript to view; requires javascript
app works best with javascript; javascript is required to; inhalt wird geladen
inhalte werden geladen; seite wird geladen; artikel wird geladen; wird gerade geladen
daten werden geladen; bitte aktivieren sie javascript; javascript, um diese; chargement en cours
chargement de l'article; chargement de la page; chargement du contenu; activer javascript pour
activez javascript pour; cargando el artículo; cargando la página; cargando contenido
cargando, por favor; habilite javascript para; activa javascript para; active javascript para
caricamento in corso; caricamento dell'articolo; caricamento della pagina
caricamento del contenuto; abilita javascript per; attiva javascript per
artikel wordt geladen; pagina wordt geladen; inhoud wordt geladen; bezig met laden
schakel javascript in om; carregando o artigo; a carregar; ładowanie artykułu; trwa ładowanie
artikeln laddas; sidan laddas; siden indlæses; страница загружается; идет загрузка
включите javascript, чтобы; yükleniyor; načítá se; 読み込んでいます; 正在加载; 로딩 중입니다
you are being redirected; you will be redirected; if you are not redirected
sie werden weitergeleitet; werden automatisch weitergeleitet; vous allez être redirigé
será redirigido; serás redirigido; verrai reindirizzato; sarai reindirizzato; wordt doorgestuurd
leaving our website; leaving our site; leaving this website; you are now leaving
""",
    hints="""
loading; please wait; one moment; a moment; geladen; bitte warten; moment; chargement; patient
instant; cargando; espere; momento; caricamento; attend; geladen; geduld; laden
""",
)

NOT_IN_USE = Words(
    "the page of a domain that is for sale or not in use",
    titles="""
domain for sale; this domain is for sale; this domain name is for sale; this domain may be for sale
buy this domain; domain parked; parked domain; parked page; domain parking; domain expired
this domain has expired; domain default page; default page; default web site page
default parallels plesk page; web server's default page; welcome to nginx; welcome to nginx!
welcome to openresty!; welcome to caddy; welcome to centos; apache2 ubuntu default page: it works
apache2 debian default page: it works; apache2 ubuntu default page; apache2 debian default page
apache http server test page; test page for the apache http server; it works; it works!
test page for the nginx http server; iis windows server; iis windows; iis7; index of; index of /
account suspended; this account has been suspended; website suspended; site suspended
suspended domain; hosting suspended; coming soon; website coming soon; launching soon
under construction; site under construction; website under construction; future home
future home of something quite cool; site not found; site not published; site unavailable
website not found; website expired; no such app; hello world; diese domain steht zum verkauf
domain zu verkaufen; domain steht zum verkauf; domain geparkt; domain registriert
diese domain ist registriert; hier entsteht eine neue internetpräsenz
hier entsteht eine neue website; hier entsteht eine neue webseite; im aufbau; website im aufbau
baustelle; demnächst hier; konto gesperrt; webseite gesperrt; domaine à vendre
ce domaine est à vendre; ce nom de domaine est à vendre; nom de domaine expiré; domaine expiré
domaine réservé; site en construction; en construction; bientôt disponible; compte suspendu
site suspendu; dominio en venta; este dominio está en venta; dominio a la venta
dominio caducado; sitio en construcción; en construcción; próximamente; cuenta suspendida
sitio suspendido; dominio in vendita; questo dominio è in vendita; dominio scaduto
sito in costruzione; in costruzione; prossimamente; account sospeso; sito sospeso; domein te koop
dit domein is te koop; deze domeinnaam is te koop; domeinnaam te koop; domein geparkeerd
dit domein is gereserveerd; website in aanbouw; in aanbouw; binnenkort online; domínio à venda
este domínio está à venda; em construção; domena na sprzedaż; ta domena jest na sprzedaż
strona w budowie; domän till salu; domæne til salg; домен продается; домен продаётся
сайт в разработке; satılık domain; doména na prodej; このドメインは販売中です; 域名出售
opening soon; enter store using password; bandwidth limit exceeded; domain registered
domain has expired; this site is password protected
""",
    phrases="""
this domain is for sale; this domain may be for sale; domain name is for sale; domain is for sale
buy this domain; purchase this domain; make an offer on this domain; this domain has expired
this domain is parked; this web page is parked; this domain is registered; parked free, courtesy of
account has been suspended; contact your hosting provider; web server is successfully installed
server is working properly; default web page for this; domain steht zum verkauf
diese domain kaufen; domain kann gekauft werden; domain ist möglicherweise zu verkaufen
diese domain wurde; domain erwerben; domaine est à vendre; acheter ce domaine
nom de domaine a expiré; dominio está en venta; comprar este dominio; dominio ha caducado
dominio ha expirado; dominio è in vendita; acquista questo dominio; acquistare questo dominio
dominio è scaduto; domein is te koop; domeinnaam is te koop; koop dit domein
domeinnaam kopen; domein is verlopen; domínio está à venda; domena jest na sprzedaż
domän är till salu; домен продается; домен продаётся; domain satılıktır; このドメインは
domain owner may be interested in selling; domain owner may; relevant searches; related searches
domain wurde bei uns registriert; enter using password; opening soon
reaching their bandwidth limit; suspended for billing
""",
    hints="""
domain; for sale; make an offer; make offer; related searches; sponsored listings; registrar
hosting
web hosting; nginx; apache; zum verkauf; à vendre; en venta; in vendita; te koop; domaine; dominio
domein; hébergement; alojamiento; under construction
""",
    traces="""
sedoparking.com; parkingcrew.net; bodis.com; window.location.href="/lander"; hugedomains.com
afternic.com/forsale; dan.com/buy-domain; domainmarket.com; parklogic.com; uniregistry.com/buy
""",
    paths="lander; cgi-sys; suspendedpage.cgi; defaultwebpage.cgi",
)

FAULTS = (MAINTENANCE, MISSING, FAILURE, LOADING, NOT_IN_USE)

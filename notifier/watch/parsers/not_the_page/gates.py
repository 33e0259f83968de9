"""Words of pages that stand between a visitor and a document: checks, refusals, consent, log-in.

Data only, read by `recognition.py`: one phrase a line, or several separated by semicolons. They are
compared folded (`text/cleaning.py`), so case and punctuation do not matter. Collected by hand from
what web servers, protection services, content management systems and hosting companies send, and
from reports of users of page watchers and feed readers; not measured.
"""

from notifier.watch.parsers.not_the_page.words import Words

CHECK = Words(
    "a check of the browser",
    titles="""
just a moment; one moment; one moment please; please wait; attention required; browser check
checking your browser; security check; security verification; security checkpoint; captcha
vercel security checkpoint; verifying you are human; verify you are human; are you human
are you a robot; robot check; robot or human; human verification; bot verification; bot check
verification required; ddos protection; ddos-guard; pardon our interruption; client challenge
making sure you're not a bot!; checking connection; javascript required; please enable javascript
please enable cookies; please enable javascript and cookies; waiting room; you are in line
you are now in line; queue; einen moment; einen moment bitte; nur einen moment; nur einen augenblick
sicherheitsprüfung; sicherheitsüberprüfung; sicherheitskontrolle; browserprüfung; bitte warten
browser-überprüfung; sind sie ein mensch; sind sie ein roboter; überprüfung ihres browsers
ihr browser wird überprüft; un instant; un instant s'il vous plaît; juste un instant; un moment
veuillez patienter; vérification de sécurité; contrôle de sécurité; vérification du navigateur
vérification de votre navigateur; êtes-vous humain; êtes-vous un robot; un momento
un momento por favor; espere por favor; por favor espere; verificación de seguridad
comprobación de seguridad; control de seguridad; comprobando su navegador; comprobando tu navegador
comprobación del navegador; verificación humana; ¿eres un robot?; ¿es usted humano?; un attimo
un attimo per favore; un attimo di pazienza; un momento per favore; attendere prego; attendere
verifica di sicurezza; controllo di sicurezza; verifica del browser; controllo del browser
sei un robot?; een moment; een ogenblik; een ogenblik geduld; een moment geduld; even geduld
even geduld a.u.b.; beveiligingscontrole; browsercontrole; controle van uw browser
controle van je browser; um momento; só um momento; aguarde; verificação de segurança; chwileczkę
proszę czekać; weryfikacja; sprawdzanie przeglądarki; ett ögonblick; säkerhetskontroll; et øjeblik
sikkerhetskontroll; sikkerhedskontrol; vent venligst; hetkinen; один момент; минутку; подождите
проверка браузера; проверка безопасности; bir dakika lütfen; bir an; güvenlik kontrolü
lütfen bekleyin; okamžik prosím; bezpečnostní kontrola; しばらくお待ちください; お待ちください
セキュリティチェック; 请稍候; 安全检查; 人机验证; 安全验证; 잠시만 기다려 주세요
잠시만 기다리십시오
access check; confirm you are human; bestätigen sie, dass sie kein roboter sind; вы не робот
подтвердите, что вы не робот; вы человек; проверка; smartcaptcha; checking if you are human
are you a human; human challenge; potwierdź, że nie jesteś robotem
""",
    phrases="""
checking your browser; checking that your browser; checking if the site connection is secure
checking the security of your connection; review the security of your connection
verify you are human; verify that you are human; verifying you are human; prove you are human
confirm you are human; confirm that you are human; you are not a robot; you're not a robot
i am not a robot; i'm not a robot; you're not a bot; you are not a bot; ddos protection by
complete the security check; unusual traffic from; made us think that you are a bot
incapsula incident id; performing security verification; turn javascript on and reload
javascript and cookies to; looks at your connection before; your browser is safe to use
estimated wait time is; ihr browser wird überprüft; ihr browser wird geprüft
überprüfen ihren browser; prüfen ihren browser; dass sie ein mensch sind; sie kein roboter sind
ich bin kein roboter; javascript und cookies; sicherheit ihrer verbindung
vérification de votre navigateur; vérifions votre navigateur; que vous êtes humain
que vous êtes un humain; n'êtes pas un robot; ne suis pas un robot; javascript et les cookies
sécurité de votre connexion; comprobando su navegador; comprobando tu navegador
comprobamos que su navegador; comprobamos que tu navegador; verificando su navegador
que usted es humano; que eres humano; que es un ser humano; no es un robot; no eres un robot
no soy un robot; javascript y las cookies; javascript y cookies; seguridad de su conexión
verificando il tuo browser; controllando il tuo browser; verifichiamo il tuo browser
che sei umano; di essere umano; non sei un robot; non sono un robot; javascript e i cookie
sicurezza della tua connessione; browser wordt gecontroleerd; controleren uw browser
controleren je browser; dat u een mens bent; dat je een mens bent; geen robot
javascript en cookies; beveiliging van uw verbinding; verificando seu navegador
que você é humano; não é um robô; não sou um robô; sprawdzamy twoją przeglądarkę
nie jesteś robotem; jesteś człowiekiem; kontrollerar din webbläsare; inte är en robot
kontrollerer din browser; ikke er en robot; kontrollerer nettleseren; проверяем ваш браузер
проверка вашего браузера; что вы не робот; что вы человек; tarayıcınız kontrol ediliyor
robot olmadığınızı; insan olduğunuzu; nejste robot; ブラウザを確認; ロボットではな
人間であること; 正在检查您的浏览器; 您是真人; 不是机器人; 로봇이 아닙니다; 사람인지 확인
checking if you are human; are a human and not; enable js and disable; disable any ad blocker
запросы отправляли вы; похожи на автоматические; а не робот; вы не робот; not a bot
complete the captcha; solve the captcha; captcha below; press hold to confirm
ob sie ein mensch sind; unusual activity from; automated access
""",
    hints="""
enable javascript; enable cookies; turn on javascript; javascript is disabled; cookies are disabled
ray id; your connection; your browser; security check; automated; please wait; bot; captcha
aktivieren sie javascript; javascript aktivieren; activez javascript; activer javascript
active javascript; habilite javascript; attiva javascript; abilita javascript; ihr browser
schakel javascript in; votre navigateur; su navegador; tu navegador; tuo browser; uw browser
je browser; ative o javascript; włącz javascript; включите javascript; aktivera javascript
""",
    traces="""
_cf_chl_opt; cf-browser-verification; challenge-error-text; captcha-delivery.com; px-captcha
awswafcookiedomainlist; gokuprops; anubis_challenge; sucuri_cloudproxy_js; sec-if-cpt-container
_incapsula_resource; id="challenge-form"; bm-verify; ddos-guard/js-challenge; geo.captcha
""",
    paths="captcha; challenge; cdn-cgi; browser-check; waiting-room; sorry",
)

REFUSAL = Words(
    "a refusal of access",
    titles="""
access denied; access to this page has been denied; access to this site has been denied; forbidden
request blocked; blocked; you have been blocked; sorry, you have been blocked; access restricted
restricted access; unauthorized; not authorized; permission denied; request rejected
the request is blocked; access forbidden; access blocked; ip blocked; your access has been blocked
unavailable for legal reasons; not available in your region; not available in your country
content not available in your region; zugriff verweigert; zugang verweigert; zugriff gesperrt
zugang gesperrt; kein zugriff; kein zugang; keine berechtigung; zugriff nicht gestattet
zugriff blockiert; in ihrem land nicht verfügbar; accès refusé; accès interdit; accès bloqué
accès limité; accès restreint; accès non autorisé; contenu non disponible dans votre pays
acceso denegado; acceso prohibido; acceso restringido; acceso bloqueado; no autorizado
no disponible en su país; no disponible en tu país; accesso negato; accesso vietato
accesso bloccato; accesso non consentito; accesso non autorizzato; non disponibile nel tuo paese
toegang geweigerd; toegang verboden; geen toegang; toegang geblokkeerd; niet toegestaan
niet beschikbaar in jouw land; acesso negado; acesso proibido; acesso bloqueado; brak dostępu
odmowa dostępu; dostęp zabroniony; åtkomst nekad; adgang nægtet; ingen adgang; tilgang nektet
pääsy estetty; доступ запрещен; доступ запрещён; доступ ограничен; erişim engellendi
erişim reddedildi; přístup odepřen; přístup zamítnut; アクセスが拒否されました; アクセス拒否
访问被拒绝; 拒绝访问; 禁止访问; 접근 거부; 액세스 거부됨
content unavailable; unavailable in your region; this content is not available in your region
this content is not available in your country; web page blocked; page blocked
web filter violation; website blocked; site blocked; leaving site; error 1009; error 1005
ip address blocked
""",
    phrases="""
you have no permission to; you don't have permission to; you do not have permission to
access to this page has been denied; access to this resource on the server is denied
the owner of this website has banned; the action you just performed triggered
the requested url was rejected; your request has been blocked; your request was blocked
your ip address has been; your access to this site has been; website is using a security service
not available in your country; not available in your region; unavailable in your location
unavailable in your country; countries belonging to the european economic area
sie haben keine berechtigung; nicht berechtigt, auf; ihre anfrage wurde blockiert
ihr zugriff wurde; ihre ip-adresse wurde; in ihrem land nicht verfügbar
in ihrer region nicht verfügbar; vous n'avez pas l'autorisation; vous n'êtes pas autorisé
votre requête a été bloquée; votre demande a été bloquée; votre adresse ip a été
pas disponible dans votre pays; pas disponible dans votre région; usted no tiene permiso
no tiene permiso para; no tienes permiso para; su solicitud ha sido bloqueada
no está disponible en su país; no está disponible en tu país; non hai il permesso
non hai i permessi; non disponi dell'autorizzazione; la richiesta è stata bloccata
non è disponibile nel tuo paese; u hebt geen toestemming; je hebt geen toestemming
u heeft geen toegang; uw verzoek is geblokkeerd; niet beschikbaar in uw land
niet beschikbaar in jouw land; você não tem permissão; nie masz uprawnień
du har inte behörighet; du har ikke adgang; у вас нет доступа; у вас нет прав
content is not available in your; is not available in your region
attempting to access this website from a country; outside of our service area
access cannot be granted; has been blocked by; blocked by policy; blocked by your
blocked by the administrator; доступ к ресурсу; доступ к сайту; web filter
""",
    hints="""
permission; ip address; blocked; denied; reference; incident id; support id; security
administrator; legal reasons; berechtigung; ip-adresse; gesperrt; autorisation; adresse ip
permiso; dirección ip; autorizzazione; indirizzo ip; toestemming; ip-adres
""",
    paths="forbidden; blocked; denied; access-denied; geo-blocked",
)

CONSENT = Words(
    "a request for consent",
    titles="""
consent; your consent; cookie consent; cookies; cookie settings; cookie preferences; cookie policy
cookie notice; privacy; privacy settings; privacy preferences; privacy notice; your privacy
your privacy matters; your privacy is important; your privacy is important to us
your privacy, your choice; your privacy choices; your privacy rights; we value your privacy
we value your choice; we value your choices; we care about your privacy; we respect your privacy
your choices; your data, your choice; your data your rules; manage your privacy; privacy center
before you continue; before you go on; welcome! please choose; gdpr consent; einwilligung
ihre einwilligung; zustimmung; ihre zustimmung; cookie-einstellungen; cookie-hinweis
datenschutz-einstellungen; datenschutzeinstellungen; privatsphäre-einstellungen; datenschutz
ihre privatsphäre; ihre privatsphäre ist uns wichtig; wir respektieren ihre privatsphäre
ihre daten, ihre wahl; ihre wahl; bevor sie fortfahren; willkommen zurück im werbefreien angebot
mit werbung weiterlesen; consentement; votre consentement; votre vie privée
votre vie privée est importante; votre vie privée nous importe; nous respectons votre vie privée
le respect de votre vie privée est notre priorité; vos choix; vos données, votre choix
gestion des cookies; paramètres des cookies; gérer les cookies; avant de continuer; confidentialité
consentimiento; su consentimiento; tu consentimiento; su privacidad; tu privacidad; privacidad
su privacidad es importante; tu privacidad es importante; su privacidad nos importa
tu privacidad nos importa; valoramos su privacidad; valoramos tu privacidad
respetamos su privacidad; respetamos tu privacidad; configuración de cookies; antes de continuar
consenso; il tuo consenso; la tua privacy; la tua privacy è importante; rispettiamo la tua privacy
teniamo alla tua privacy; la privacy è importante; impostazioni cookie; impostazioni dei cookie
prima di continuare; le tue scelte; toestemming; jouw toestemming; uw toestemming; jouw privacy
uw privacy; je privacy; uw privacy is belangrijk; jouw privacy is belangrijk
wij respecteren uw privacy; wij respecteren jouw privacy; we respecteren je privacy; jouw keuze
cookie-instellingen; cookievoorkeuren; cookietoestemming; privacy-instellingen
voordat je verdergaat; voordat u verdergaat; sua privacidade; a sua privacidade
valorizamos a sua privacidade; antes de continuar; zgoda; twoja prywatność
szanujemy twoją prywatność
twoja prywatność jest dla nas ważna; samtycke; din integritet; vi värnar om din integritet
samtykke; vi respekterer dit privatliv; evästeasetukset; согласие; ваша конфиденциальность
gizliliğiniz; gizliliğiniz bizim için önemli; souhlas; vaše soukromí; cookieの設定; 隐私设置
are you a healthcare professional; healthcare professionals only
for healthcare professionals only; confirm you are a healthcare professional
i am a healthcare professional; sind sie angehörige eines heilberufs
sind sie angehöriger eines heilberufs; fachkreise; nur für fachkreise
êtes-vous un professionnel de santé; ¿es usted un profesional sanitario
es usted profesional sanitario; sei un operatore sanitario; bent u een zorgprofessional; 同意
cookieの使用について; guest wi-fi; wi-fi login
welcome to the wi-fi; age verification; are you over 18
""",
    phrases="""
partners store information on; partners store and access; partners store and/or access
partners keep and read; store and/or access information on; keep and read data on your device
store information on your device; build profiles of what you; legitimate interest
personalised ads and content; personalized ads and content; partner speichern informationen
speichern von oder zugriff auf informationen; informationen auf ihrem gerät
informationen auf einem gerät; daten auf ihrem gerät; berechtigtes interesse
personalisierte anzeigen und inhalte; partenaires stockons; partenaires stockent
partenaires conservons; partenaires conservent; informations sur votre appareil
informations sur un terminal; données sur votre appareil; continuer sans accepter
intérêt légitime; publicités et contenu personnalisés; socios almacenamos; socios almacenan
socios guardamos; socios guardan; información en su dispositivo; información en tu dispositivo
información en un dispositivo; datos en su dispositivo; datos en tu dispositivo
continuar sin aceptar; interés legítimo; partner archiviamo; partner archiviano
partner conserviamo; partner conservano; informazioni sul tuo dispositivo
informazioni su un dispositivo; dati sul tuo dispositivo; continua senza accettare
legittimo interesse; partners slaan informatie; partners bewaren; informatie op je apparaat
informatie op uw apparaat; informatie op een apparaat; gegevens op je apparaat
gegevens op uw apparaat; gerechtvaardigd belang; parceiros armazenamos
informações no seu dispositivo; interesse legítimo; partnerzy przechowujemy
informacje na urządzeniu; uzasadniony interes; information på din enhet; på din enhed
intended for healthcare professionals; healthcare professionals only
are you a healthcare professional; confirm that you are a healthcare
richtet sich an medizinische fachkreise; richtet sich an fachkreise; angehörige der heilberufe
angehörige eines heilberufs; réservé aux professionnels de santé
destiné aux professionnels de santé; dirigido a profesionales sanitarios
dirigida a profesionales sanitarios; riservato agli operatori sanitari
bedoeld voor zorgprofessionals; cookieを使用します; クッキーを使用; accept the terms to
connect to the internet; terms of use to continue
""",
    hints="""
accept all; refuse all; reject all; allow all; manage options; our partners; partners; vendors
purposes; on your device; your consent; cookies; advertis; to measure; your choices; privacy
accept and continue; change your mind; alle akzeptieren; alle ablehnen; alles ablehnen
akzeptieren und weiter; unsere partner; auf ihrem gerät; einwilligung; zwecke; anbieter; werbung
datenschutz; zustimmen; tout accepter; tout refuser; nos partenaires; sur votre appareil
votre consentement; finalités; publicit; vie privée; fournisseurs; aceptar todo; aceptar todas
rechazar todo; rechazar todas; nuestros socios; en su dispositivo; en tu dispositivo
consentimiento; finalidades; anuncios; privacidad; proveedores; accetta tutto; accetta tutti
rifiuta tutto; rifiuta tutti; nostri partner; sul tuo dispositivo; consenso; finalità; pubblicit
fornitori; alles accepteren; alles weigeren; alles afwijzen; onze partners; op je apparaat
op uw apparaat; toestemming; doeleinden; advertenti; leveranciers; aceitar tudo; rejeitar tudo
zaakceptuj wszystko; odrzuć wszystko; godkänn alla; avvisa alla; accepter alle; afvis alle
""",
    traces="consensu.org/cmp-wall; guce.oath; consent.yahoo",
    paths="consent; cookie-consent; cookiewall; cookie-wall; privacywall; gdpr; zustimmung",
)

LOG_IN = Words(
    "a log-in page",
    titles="""
log in; login; log on; sign in; signin; sign on; member login; members login; user login
member area; members only; please log in; please sign in; log in to continue; sign in to continue
log in to your account; sign in to your account; account login; authentication required
single sign-on; central authentication service; welcome back; anmelden; anmeldung; einloggen
bitte anmelden; bitte einloggen; bitte melden sie sich an; mitglieder-login; mitgliederbereich
login erforderlich; anmeldung erforderlich; willkommen zurück; fachkreise login; connexion
se connecter; identification; identifiez-vous; connectez-vous; veuillez vous connecter
authentification; espace membre; espace membres; accès membres; iniciar sesión; inicie sesión
inicia sesión; inicio de sesión; acceder; identifíquese; identifícate; área de socios
área privada; acceso de usuarios; accedi; login utente; area riservata; effettua l'accesso
effettua il login; area soci; inloggen; log in om verder te gaan; aanmelden; inloggen leden
meld je aan; meld u aan; iniciar sessão; fazer login; entrar; zaloguj się; logowanie; logga in
log ind; logg inn; kirjaudu; kirjaudu sisään; přihlášení; přihlásit se; prihlásenie; bejelentkezés
вход; войти; авторизация; вход в личный кабинет; oturum aç; giriş yap; σύνδεση; ログイン; 登录
登入; 用户登录; 로그인
login für fachkreise; doccheck login; doccheck; your session has expired; session expired
""",
    phrases="""
forgot password; forgot your password; forgotten your password; lost your password
please log in to; please sign in to; log in to continue; sign in to continue; log in to read
sign in to read; log in to view; sign in to view; you must be logged in to view
you must log in to; you need to log in to; you need to sign in to; reserved for members
for members only; only for members; passwort vergessen; kennwort vergessen
bitte melden sie sich an; melden sie sich an, um; bitte loggen sie sich ein; angemeldet bleiben
nur für mitglieder; nur für angemeldete; mot de passe oublié; veuillez vous connecter
connectez-vous pour; rester connecté; se souvenir de moi; réservé aux membres
réservée aux membres; olvidó su contraseña; ha olvidado su contraseña; olvidaste tu contraseña
has olvidado tu contraseña; inicie sesión para; inicia sesión para; debe iniciar sesión
debes iniciar sesión; solo para socios; exclusivo para socios; password dimenticata
hai dimenticato la password; accedi per; effettua il login per; effettua l'accesso per
devi effettuare; riservato ai soci; riservata ai soci; wachtwoord vergeten; log in om
meld u aan om; meld je aan om; u moet ingelogd zijn; je moet ingelogd zijn; ingelogd blijven
alleen voor leden; esqueceu a senha; esqueceu sua senha; faça login para; nie pamiętasz hasła
zaloguj się, aby; glömt lösenord; logga in för att; glemt adgangskode; glemt passord
log ind for at; forgot your username; забыли пароль; войдите, чтобы; şifremi unuttum
パスワードをお忘れ; 忘记密码; 비밀번호 찾기
log in again; melden sie sich mit; bitte melden sie sich mit; sign in again; doccheck
""",
    hints="""
password; user name; username; remember me; log in; sign in; your account; register; e-mail
passwort; benutzername; anmelden; konto; mot de passe; identifiant; votre compte; contraseña
usuario; su cuenta; tu cuenta; nome utente; tuo account; wachtwoord; gebruikersnaam; account
senha; hasło; lösenord; adgangskode; пароль; şifre
""",
    paths="login; log-in; signin; sign-in; sso; auth; cas; wp-login.php; connexion; anmelden",
)

PAYWALL = Words(
    "a request to subscribe or register",
    titles="""
subscribe to continue; subscribe to continue reading; subscribe to read; subscribe now
register to continue; register to read; registration required; subscription required
create a free account; subscriber exclusive; for subscribers only; continue reading
this content is protected; protected; protected content; jetzt weiterlesen; nur für abonnenten
weiterlesen mit abo; registrierung erforderlich; jetzt registrieren; jetzt abonnieren
geschützter inhalt; réservé aux abonnés; article réservé aux abonnés; abonnez-vous
inscription requise; contenu protégé; solo para suscriptores; contenido exclusivo
suscríbete para seguir leyendo; suscripción necesaria; contenido protegido
riservato agli abbonati; abbonati per continuare; contenuto protetto; contenuto riservato
alleen voor abonnees; word abonnee; beveiligde inhoud; abonneer je; exclusivo para assinantes
tylko dla subskrybentów; endast för prenumeranter; kun for abonnenter
""",
    phrases="""
subscribe to continue reading; to continue reading, subscribe; to continue reading, please
to continue reading this; register to continue reading; create a free account to
already a subscriber; this article is for subscribers; this content is for subscribers
this content is reserved; this content is password protected; you have reached your limit of
you have read all your free articles; um weiterzulesen; um diesen artikel weiterzulesen
bereits abonnent; dieser artikel ist nur für abonnenten; exklusiv für abonnenten
dieser inhalt ist passwortgeschützt; cet article est réservé; ce contenu est réservé
pour lire la suite; la suite est réservée; déjà abonné; ce contenu est protégé par un mot de passe
este artículo es exclusivo; este contenido es exclusivo; para seguir leyendo
para continuar leyendo; ya eres suscriptor; este contenido está protegido
questo articolo è riservato; questo contenuto è riservato; per continuare a leggere
sei già abbonato; questo contenuto è protetto; dit artikel is alleen voor; om verder te lezen
al abonnee; deze inhoud is beveiligd; para continuar a ler; för att läsa vidare
for at læse videre; чтобы продолжить чтение
""",
    hints="""
subscribe; subscriber; subscription; free trial; abonnieren; abonnent; registrieren; abonnez-vous
abonnement; suscr; abbonat; abonnee; assinante; password protected; passwort; mot de passe
""",
    paths="subscribe; paywall; register; abo; registrieren; abonnement",
)

GATES = (CHECK, REFUSAL, CONSENT, LOG_IN, PAYWALL)

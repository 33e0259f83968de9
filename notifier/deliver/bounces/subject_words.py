"""Subject words: the expressions by which `subjects.py` tells what a refusal is about.

Pure, and nothing but expressions. They are searched in a text in which marks stand for addresses.
Each takes linear time.
"""

import re

# The expressions were set on 292 real bounces of Sisimai's public collection
# (sisimai/set-of-emails) and on the documented answers of Postfix, Exim, sendmail, Exchange, Gmail,
# Outlook, Yahoo and GMX.
_NO = (
    r"(?:reject|refus|den(?:y|ied)|unknown|invalid|\bnot\b|n't\b|\bno\b|fail|unverif|unresolv"
    r"|unrout|block|forbid|must\b|\bbad\b|illegal|malformed|unauth|disallow|cannot|forged|spoof"
    r"|suspicious|prohibit|abgelehnt|unbekannt|ung[üu]ltig|nicht|gesperrt|refus[ée]|inconnu"
    r"|invalide|rechazad|desconocid|inv[áa]lid|rejeitad|desconhecid|bloquead|rifiutat|sconosciut"
    r"|non valid|geweigerd|onbekend|ongeldig|odrzucon|nieznan|nie istnieje|n'existe|no existe"
    r"|n[ãa]o existe|non esiste|inexist|avvisa|ok[äa]nd|avvist|ukjent|ukendt|неизвест|отклон"
    r"|не существ"
    r"|не найден|заблокир|невідом|відхил|odm[íi]tnut|nezn[áa]m|reddedildi|bilinmeyen|ge[çc]ersiz"
    r"|拒否|拒绝|拒絕|不明|不存在|存在しません|거부|알 수 없)"
)
_SENDER_NOUN = (
    r"(?:\b(?:sender|senders?['’]s?|sending (?:domain|address|user|e-?mail)|envelope[- ]?(?:from"
    r"|sender)"
    r"|mail[- ]?from|return[- ]?path|bounce (?:address|path)|reverse[- ]?path|originat(?:or|ing)"
    r"|from[- ](?:address"
    r"|domain|header"
    r"|field|line)|5322\.from|p[12] ?sender|author domain|originador|absender\w*|exp[ée]diteur"
    r"|[ée]metteur"
    r"|remitente|emisor|remetente|mittente|afzender\w*|verzender|nadawc\w*|avs[äa]ndare\w*"
    r"|avsender\w*"
    r"|afsender\w*|l[äa]hett[äa]j\w*|odes[íi]latel\w*|felad[óo]\w*|g[öo]nderen\w*)\b"
    r"|отправител|відправник|送信者|送信元|差出人|发件人|發件人|寄件者|寄件人|发送者|보낸|발신)"
)
SENDER = re.compile(
    rf"(?i){_SENDER_NOUN}[^\n]{{0,60}}?{_NO}|{_NO}[^\n]{{0,40}}?{_SENDER_NOUN}"
    r"|\bcall-?(?:back|out)s?\b|(?:sender|return[- ]path)[ -](?:address )?(?:verif|check)"
    r"|verif\w+ (?:failed|failure|error) for|could not (?:complete|verify)[^\n]{0,40}(?:callout"
    r"|sender)"
    r"|not owned by|not authori[sz]ed to (?:send|use)|not allowed to send|not permitted to send"
    r"|send ?as ?denied|send on behalf|unauthenticated (?:e-?mail|mail|message|sender)"
    r"|domain of (?:the )?(?:sender|envelope|from)|mail from[^\n]{0,30}(?:domain|required|first)"
    r"|you (?:are|have been) (?:not |un|black|block|ban|reject|refus|den)"
    r"|your (?:domain|e-?mail address|address|account|organi[sz]ation|tenant"
    r"|message was (?:block|reject))"
)
HOST = re.compile(
    rf"(?i)\b(?:helo|ehlo)\b[^\n]{{0,60}}?{_NO}|{_NO}[^\n]{{0,40}}?\b(?:helo|ehlo)\b"
    r"|fully[- ]qualified (?:host|domain|name)|\bfqdn\b|\bfcrdns\b|\brdns\b|\bPTR\b"
    r"|reverse[- ](?:dns|host|lookup|name|map|ip|record)|(?:no|bad|missing|invalid) reverse"
    rf"|client (?:host|address|ip|was|name)[^\n]{{0,60}}?{_NO}|your (?:host|ip|server|network"
    rf"|mta|mail ?server)"
    r"|\b(?:DNS)?[RD]?BLs?\b|\bDNSBL|black[- ]?list|block[- ]?list|deny[- ]?list|spamhaus|spamcop"
    r"|blocked using|senderbase|sender ?score|reputation|poor rep|(?<!not )listed (?:in|at|on"
    r"|by)\b[^\n]{0,60}(?:zen|sbl"
    r"|xbl|pbl|list)|\bis (?:currently )?listed\b|open relay|dynamic (?:ip|address|host)"
    r"|residential ip"
    rf"|\bip\b[^\n:]{{0,40}}?(?:{_NO}|\blisted)|(?:connecting|sending|source|originating) (?:ip"
    rf"|host|mta|server)"
    r"|(?:server|host)[^\n]{0,20}\[?\d{1,3}(?:\.\d{1,3}){3}\]?[^\n:]{0,40}(?:block|list|reject"
    r"|refus|denied|banned)"
    r"|DNS (?:MX|A/AAAA|MX or A)|IP-?Adresse[^\n]{0,40}(?:gesperrt|blockiert|gelistet)|adresse IP"
    r"|direcci[óo]n IP|endere[çc]o IP|indirizzo IP|IP-адрес|ip ?地址|schwarze liste|liste noire"
    r"|lista negra|lista nera|zwarte lijst|ч[её]рн\w+ спис"
)
_CONTENT_CLEAR = (
    r"\bspam\b|anti-?spam|spammy|\bUBE\b|\bUCE\b|virus|malware|phish|infected|content|contenu"
    r"|conte[úu]do"
    r"|contenido|contenuto|inhalt\b|attachment|unsolicited|junk|suspicious (?:link|message|url)"
    r"|(?:contains?|includes?)[^\n]{0,30}(?:link|url|domain|host|word|file)|message (?:was "
    r"|is )?(?:too"
    r" (?:large|big|long)|size|length|rejected|refused|blocked|looks|appears|body|text|header)"
    r"|too (?:large|big)\b|size limit|banned|URIBL|SURBL|\bDBL\b|line too long|bare (?:LF|CR)"
    r"|(?:bad|invalid|malformed|missing|illegal|duplicate|multiple|required"
    r"|syntax)[^\n]{0,30}headers?"
    r"|headers?[^\n]{0,30}(?:reject|refus|invalid|missing|malformed|violat|syntax|not |too )"
)
_POLICY_CLEAR = (
    r"polic(?:y|ies)|richtlinie|politique de|pol[íi]tica|politica\b|beleid\b|политик|DMARC"
    r"|\bSPF\b|DKIM"
    r"|authenticat|authentifi|autentic|\brelay(?:ing)?\b|STARTTLS|\bTLS\b|encrypt|log ?in\b"
    r"|credential"
    r"|administrat(?:ive|ively|or) prohib|preferences|restrict|not (?:allowed|permitted"
    r"|authori[sz]ed)"
    r"|permission|no access|unauthori[sz]ed|blacklisted|blocked|bloqu[ée]|blockiert|geblokkeerd"
    r"|bloccat"
    r"|заблокир"
    r"|RESOLVER\.RST|user complaint|not subscribed|members only|closed list|whitelist|allow ?list"
    r"|challenge|prohibit"
)
_LOAD_CLEAR = (
    r"too (?:many(?! hops)|much|fast|frequent|often)|at a rate|\brates?\b|rate[- ]limit|throttl"
    r"|slow down|frequency"
    r"|unexpected volume|(?:daily|hourly|sending|message|relay|recipient|connection"
    r"|user)[^\n]{0,30}(?:limit"
    r"|quota)|limit[^\n]{0,20}exceed|exceed\w*[^\n]{0,40}(?:limit|quota|rate|maximum|number)"
    r"|concurren|overload"
    r"|busy|greylist|gr[ae]y-?list|try (?:again )?later|insufficient (?:system|disk|storage"
    r"|resource)"
    r"|out of memory|system resources|maintenance|zu viele|trop de|demasiad|muit[ao]s|tropp[ie]"
    r"|te veel"
    r"|zbyt wiele|слишком много|забагато|limite d|l[íi]mite|limiet|превышен"
)
CLEAR = re.compile(
    rf"(?i)(?P<content>{_CONTENT_CLEAR})|(?P<policy>{_POLICY_CLEAR})|(?P<load>{_LOAD_CLEAR})"
)
# Words that are vaguer: they count where neither clear words nor codes decide.
VAGUE = re.compile(
    r"(?i)(?P<policy>refused|denied|(?<!recipient )(?<!address )(?<!user )rejected|prohibit"
    r"|forbidden|suspended|disabled|not accept(?! our requests to connect)|abgelehnt"
    r"|verweigert|refus[ée]|rechazad|rejeitad|rifiutat|geweigerd|odrzucon|отклонен|отказ|拒否|拒绝|拒絕)"
    r"|(?P<load>try again|temporar|later|timed? ?out|time-?out|expired|connection|unreachable|loop"
    r"|too many hops|insufficient|disk|system (?:error|full)|service (?:not available|unavailable)"
    r"|quota|exceed|(?:unable|requests) to connect|retry|vor[üu]bergehend|temporaire|momentan"
    r"|временн)"
)
# The recipient's server could not be reached, or the way to it goes in a circle: in a report, which
# is written after days of attempts, such words are about that server.
NETWORK = re.compile(
    r"(?i)timed? ?out|time-?out|expired|connection|unreachable|(?:unable|requests) to connect"
    r"|no route|network|\bloop|too many hops|hop count|retry time|in the queue|without delivery"
)
# A mailbox or account is switched off. `OUR_ACCOUNT` says that it is the one that we send from.
_OFF = r"(?:disabled|discontinued|suspended|inactive|frozen|archived)"
_IS = r"(?:is |was |has been |currently )*"
_MAILBOX, _ACCOUNT = r"(?:mail ?box|inbox|recipient)", r"(?:user|account|address)"
MAILBOX_OFF = re.compile(rf"(?i){_MAILBOX}[^\n]{{0,40}}? {_IS}{_OFF}|{_OFF} {_MAILBOX}")
ACCOUNT_OFF = re.compile(rf"(?i){_ACCOUNT}[^\n]{{0,40}}? {_IS}{_OFF}|{_OFF} {_ACCOUNT}")
OUR_ACCOUNT = re.compile(
    r"(?i)\byour (?:mail ?box|account|user)|\b(?:outgoing|outbound|sending|submission)\b"
)
# The mailbox exists, and is full: this counts more than all else that is about the recipient.
FULL = re.compile(
    r"(?i)(?:mail ?box|inbox|account|user|recipient|folder|maildir)[^\n]{0,60}?(?:is |too "
    r"|almost )*\bfull\b"
    r"|over ?(?:the )?(?:allotted |allocated |disk |its )?quota|(?:mail ?box|disk|storage"
    r"|user)[^\n]{0,20}quota"
    r"|quota exceeded|exceeded[^\n]{0,30}(?:storage|quota|mail ?box)|mail ?box size limit"
    r"|out of (?:disk )?storage|exhausted (?:\w+ )?storage|too many (?:messages|e?-?mails) on"
    r" (?:the |this )?server|viele (?:nachrichten|e?-?mails) auf dem server"
    r"|no (?:more )?(?:storage )?space|postfach[^\n]{0,40}voll|bo[iî]te[^\n]{0,40}pleine"
    r"|buz[óo]n[^\n]{0,40}llen"
    r"|caixa[^\n]{0,40}chei|casella[^\n]{0,40}pien|(?:postvak|mailbox)[^\n]{0,40}\bvol\b"
    r"|skrzynk[^\n]{0,40}pełn"
    r"|ящик[^\n]{0,40}(?:переполнен|полон)|メールボックス[^\n]{0,20}(?:容量|いっぱい)|(?:邮箱"
    r"|郵箱)[^\n]{0,10}(?:已满|已滿)"
)
OUR_QUOTA = re.compile(
    r"(?i)(?:daily|hourly|sending|relay|outgoing|outbound|rate|messages?|smtp"
    r"|recipients) (?:\w+ ){0,2}(?:quota|limit)"
)
# The mailbox exists, and is closed for a while.
CLOSED = re.compile(
    r"(?i)(?:mail ?box|account|user|recipient|address)[^\n]{0,40}temporar\w+ (?:\w+"
    r" ){0,2}(?:disabled|suspended"
    r"|unavailable|inactive|locked|closed|blocked)|temporar\w+ (?:disabled|suspended|inactive"
    r"|locked) (?:mail ?box"
    r"|account|user)|(?:mail ?box|account)[^\n]{0,30}(?:is )?(?:locked|busy)"
)
_RECIPIENT_NOUN = (
    r"(?:user|recipient|addressee|mail ?box|account|alias|address|person|e-?mail account"
    r"|e-?mail address)"
)
# This mailbox, or the domain of its address, does not exist.
GONE = re.compile(
    rf"(?i)(?:user|recipient|addressee|mail ?box|account|alias)(?: name| address"
    rf"| e-?mail)?(?: is)?[^\w\n]{{1,8}}"
    rf"(?:is )?(?:unknown|non-?exist\w+)|(?:unknown|non-?existent|no such"
    rf"|nonexistent) (?:e-?mail )?(?:or illegal )?(?:local )?"
    rf"(?:user|recipient|addressee|address|account|mail ?box|person|name|local|alias|e-?mail)"
    rf"|{_RECIPIENT_NOUN}[^\n]{{0,80}}? (?:does|do|did) ?(?:not|n['’]t) (?:\w+ )?exist"
    rf"|{_RECIPIENT_NOUN}[^\n]{{0,60}}?(?: was | is | could | can|\s)(?:not"
    rf"|n['’]t) (?:be )?(?:found|known|listed"
    rf"|recogni[sz]ed|present)|{_RECIPIENT_NOUN}[^\n]{{0,40}}? (?:was|is|could"
    rf"|are)n['’]t (?:be )?(?:found|known|listed)"
    rf"|(?:not|n['’]t) a (?:valid|known|local) (?:mail ?box|user|recipient|address|account)"
    rf"|not our customer"
    rf"|invalid (?:mail ?box|recipient|user\b|local)|(?:is|was) not (?:a )?(?:known"
    rf"|recogni[sz]ed|valid) (?!sender)"
    rf"|(?:isn't|is not) (?:listed|in)[^\n]{{0,40}}(?:directory|name)|not listed in (?:domino"
    rf"|public|the)[^\n]{{0,20}}"
    rf"(?:directory|name|address)|recipient (?:address )?(?:unknown|rejected: (?:user (?:unknown"
    rf"|not)|invalid"
    rf"|no such|unknown))|no (?:mail ?box|account|user) (?:here|by that|with that|found)"
    rf"|user doesn['’]t have"
    rf"|bad destination mail ?box|{_RECIPIENT_NOUN}[^\n]{{0,60}}? no longer (?:exists?|valid"
    rf"|in use|available|active"
    rf"|works|here|on (?:the |this )?server|with)|\bno longer on (?:the |this )?server"
    rf"|mail ?box has moved"
    rf"|(?:recipient|user|mail ?box)[^\n]{{0,20}} has moved|recip(?:ient)?notfound"
    rf"|recipient not found"
    rf"|(?:account|mail ?box|user)[^\n]{{0,20}} (?:is |has been |was )?(?:closed|deleted"
    rf"|deactivated|removed|terminated)"
    rf"|deactivated (?:mail ?box|account|user)|addressee unknown|unknown addressee"
    rf"|invalid final delivery userid"
    # Exchange Online about an address that its directory does not have.
    rf"|recipient address(?:es)? rejected ?: access denied\.? [^\n]{{0,60}}?(?:AS\("
    rf"|\[[\w.-]{{1,100}}outlook\.com)"
    rf"|destination mail ?box[^\n]{{0,20}}(?:not exist|unknown|moved)|null ?mx\b"
    rf"|domain[^\n]{{0,80}}does not accept"
    rf" (?:e-?mail|mail|any mail)|unroute?able (?:mail )?address|not in my validrcptto"
    rf"|that person wasn['’]t found"
    rf"|mailbox not found"
    rf"|\b(?:adresse|compte|bo[iî]te|utilisateur|destinataire|caixa|postfach|konto|empf[äa]nger\w*"
    rf"|benutzer\w*|cuenta"
    rf"|buz[oó]n|usuario|destinatario|direcci[oó]n|conta|endere[cç]o|usu[aá]rio|destinat[áa]rio"
    rf"|indirizzo|casella"
    rf"|utente|gebruiker|ontvanger|postvak|adres|u[żz]ytkownik|odbiorca|skrzynka|konto"
    rf"|mottagare\w*|mottaker\w*"
    rf"|modtager\w*|bruker\w*|anv[äa]ndare\w*|u[žz]ivatel|p[řr][íi]jemce|schr[áa]nka|al[ıi]c[ıi]"
    rf"|kullan[ıi]c[ıi])\b"
    rf"[^\n]{{0,80}}? (?:n['’]existe|inexistante?|existiert nicht|nicht (?:gefunden|bekannt"
    rf"|vorhanden)"
    rf"|(?:ist )?unbekannt|inconnue?"
    rf"|no existe|no encontrad[ao]|desconocid[ao]|n[aã]o existe|n[ãa]o encontrad[ao]"
    rf"|desconhecid[ao]|inexistente"
    rf"|non esiste|inesistente|sconosciut[ao]|non trovat[ao]|bestaat niet|onbekend|niet gevonden"
    rf"|nie istnieje"
    rf"|nieznan[yae]|finns inte|ok[äa]nd|finnes ikke|ukjent|findes ikke|ukendt|neexistuje"
    rf"|nezn[áa]m|bulunamad[ıi])"
    rf"|unbekannte\w* (?:benutzer|empf[äa]nger|adresse)|destinataire invalide|(?:utilisateur"
    rf"|destinataire) inconnu"
    rf"|(?:usuario|destinatario|cuenta|buz[óo]n) inexistente|(?:пользовател|получател|адресат"
    rf"|почтовый ящик|ящик"
    rf"|користувач|одержувач)[^\n]{{0,60}}(?:не найден|не существует|неизвестен|не існує"
    rf"|не знайден|невідом)"
    rf"|(?:ユーザー?|宛先|メールアドレス|受信者)[^\n]{{0,30}}(?:存在しません|見つかりません|不明)"
    rf"|(?:用户|用戶|收件人|邮箱|郵箱|账户|帳戶)[^\n]{{0,20}}(?:不存在|未找到)|(?:사용자|수신자|계정)[^\n]{{0,30}}(?:없|존재하지)"
)
# A name does not exist, or something is unavailable: about the recipient only if nothing else is
# said, because the name may be ours, and the cause a rule.
GONE_MAYBE = re.compile(
    r"(?i)(?:requested (?:mail )?action (?:not taken|aborted)[:,]? ?)mailbox (?:unavailable"
    r"|not found)"
    r"|recipient address rejected[\s.]*$|undeliverable address"
    r"|recipient (?:was )?(?:undeliverable|invalid)"
    r"|(?:address|user) (?:unknown|error)|inactive user|user inactive"
    r"|can['’]t resolve|cannot resolve"
    r"|unresolvable|mailbox unavailable or access denied|aufgef[üu]hrt"
)
NO_SUCH_DOMAIN = re.compile(
    r"(?i)(?:host|domain)(?: name)?(?: is)? unknown|unknown (?:host|domain)|(?:host"
    r"|domain)[^\n]{0,60}?not found"
    r"|no such (?:host|domain)|domain[^\n]{0,60}? (?:does|do|did) ?(?:not|n['’]t) exist"
    r"|name or service not known"
    r"|NXDOMAIN|non-?existent ?domain|domain (?:name )?(?:is )?(?:invalid|not exist)"
    r"|unrouteable (?:mail )?domain"
    r"|name service error"
    r"|domain (?:is )?not reachable|find a mail exchanger|all relevant MX records point to"
    r" non-existent"
    r"|couldn['’]t find any host named|non-accepted domain|domain[^\n]{0,40} no longer (?:exists"
    r"|valid)"
    r"|dom[äa]ne[^\n]{0,60}(?:existiert nicht|nicht gefunden|unbekannt)"
    r"|domaine[^\n]{0,60}(?:n['’]existe|inconnu"
    r"|introuvable)|dom[íi]nio[^\n]{0,60}(?:no existe|n[ãa]o existe|inexistente|non esiste"
    r"|sconosciut)"
    r"|домен[^\n]{0,40}(?:не найден|не существует)"
)
# The same of a host, or in words that rules use too: it need not be the domain of an address. It is
# matched where they begin.
NO_SUCH_HOST = re.compile(r"(?i)host|(?:unknown|no such) host|non-?existent")

"""Mails at the bounce address that report no failure, recognised by their fields and their words.

Pure. Owns who wrote a mail (a mail system or somebody else), and the words by which mail programs
of many languages say that somebody is away, that a mail is delayed, delivered, read, or kept until
its sender confirms it. It judges no failure: `prose.py` asks it first.

All words are looked for in texts of limited length.
"""

import re

from notifier.deliver.bounces.failures import ADDRESS
from notifier.deliver.bounces.incoming_mail import Part, decoded_field, header_text, parts_of

# The characters of a body in which the words below are looked for.
_READ = 6_000
# The senders that mail systems use for reports, by the part before the @ and by the name.
_SYSTEM_ADDRESS = re.compile(
    r"(?i)(?:^|[<\s])(?:mailer[-_. ]?daemon|po+st_?master|mail[-_.]?daemon|mdaemon|mmdf"
    r"|mail[._-]delivery[._-]\w+|microsoftexchange[0-9a-f]{8,40})(?=@|>|\s|\(|$)|^\s*<>\s*$"
)
_SYSTEM_NAME = re.compile(
    r"(?i)mailer[- ]daemon|mail deliver\w* (?:sub)?(?:system|service|agent)|delivery subsystem"
    r"|^\"?(?:postmaster|mail system|mail server|microsoft outlook|internet mail"
    r"|(?:system|mail|ndr|mmsc ndr) ?administrator|administrateur|administrador"
    r"|systemadministrator)\b"
)
_NO_REPLY = re.compile(r"(?i)\b(?:no|do[-_.]?not)[-_.]?reply")
# One mailbox (RFC 5322, 3.4), after what is quoted was taken out. Mail programs also write a comma
# or an address into the name without quotation marks. The library's parser reads damaged mailboxes
# differently in different releases.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)", re.DOTALL)
_DEEPEST_COMMENT = 3
# In characters: a line of a mail has 998 (RFC 5322, 2.1.1). The patterns are slow on longer ones
# that are made for it.
_LONGEST_SENDER = 1000
_ADDR_SPEC = r"([^\s<>@,;:\"()\[\]\\]{1,64}@[^\s<>@,;:\"()\[\]\\]{1,255})"
_BARE = re.compile(rf"\s*{_ADDR_SPEC}\s*")
_WITH_NAME = re.compile(rf"([^<>;:\"()]*)<\s*{_ADDR_SPEC}\s*>\s*")
# The header fields of automatic replies beside Auto-Submitted.
_REPLY_FIELDS = (
    "X-Autoreply",
    "X-Auto-Reply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Autoreply-From",
    "X-AutoReply-Domain",
    "X-Mail-Autoreply",
    "X-Vacation",
    "X-Auto-Response-Suppress",
    "X-FC-MachineGenerated",
    "X-MS-Exchange-Inbox-Rules-Loop",
    "X-Boxbe-Whitelist",
    "X-TMDA-Fingerprint",
    "X-TM-Fingerprint",
)
_REPLY_PRECEDENCES = ("auto_reply", "auto-reply", "autoreply")
# The beginning of the subject of an answer or a forwarded mail.
_ANSWER = re.compile(
    r"(?i)^\W{0,3}(?:\[[^\]\n]{1,40}\]\s*)?(?:re|r|aw|antw|antwort|sv|vs|vl|odp|rv|res|rif|ynt"
    r"|ref|fw|fwd|wg|tr|i|enc|doorst|pd|ha|att|ang|bls|εν|απ|отв|ответ|на|回复|回覆|答复|转发"
    r"|轉寄|返信|답장|회신)(?:\[\d{1,3}\]|\(\d{1,3}\))?\s{0,3}[:：]"
)
# The subject of an automatic reply of somebody who is away, or of a machine.
_AWAY = re.compile(
    r"(?i)out[- ]of[- ](?:the[- ])?office|\booo\b|vacation|auto(?:matic|mated"
    r"|mat)?[- ]?(?:reply|response|respon[ds]e|antwort|svar|reactie)|absence|\babsent"
    r"|away from|(?:on|annual) (?:holiday|leave)|i am away|currently away|no longer (?:with"
    r"|work)|abwesen|automatische (?:antwort|r[üu]ckmeldung)|im urlaub|nicht im b[üu]ro"
    r"|r[ée]ponse automatique|en cong[ée]s?\b|vacances|(?:respuesta|resposta|risposta) autom"
    r"|fuera de (?:la )?oficina|ausen[ct]|ausên|vacaciones|fora d[oe] escrit|f[ée]rias"
    r"|fuori (?:sede|ufficio)|\bassen(?:te|za)|in ferie|automatisch|afwezig|vakantie"
    r"|buiten kantoor|automatiskt? svar|fr[åa]nvar|frav[æe]r|semester|p[åa] ferie"
    r"|automaattinen vastaus|poissa|lomalla|automatyczn|poza biurem|nieobecn|urlop|automatick"
    r"|mimo kancel|nepř[íi]tom|nepr[íi]tom|dovolen|automatikus v[áa]lasz|szabads[áa]g"
    r"|r[ăa]spuns automat|otomatik|ofis d[ıi]ş|izinde|автоматическ|автоответ|отсутств"
    r"|вне офиса|в отпуске|автоматичн|відсутн|у відпустці|αυτόματη|απουσ|εκτός γραφείου"
    r"|תשובה אוטומטית|מענה אוטומטי|رد تلقائي|الرد التلقائي|پاسخ خودکار|自動返信|自動応答"
    r"|自動回覆|自动回复|自动答复|自動回應|不在|休暇|休假|자동 회신|자동 응답|자동응답|부재"
    r"|휴가|automatski odgovor|odsut|samodejni odgovor|odsotn|automaatvastus|autom[āa]tisk"
    r"|automatinis|trả lời tự động|ตอบกลับอัตโนมัติ|(?:balasan|jawaban) otomatis"
)
_RECEIPT_TYPES = (
    "message/disposition-notification",
    "message/global-disposition-notification",
)
# The subject of a read receipt, in the words of mail programs.
_RECEIPT = re.compile(
    r"(?i)^\s*(?:(?:not |nicht |non |no )?(?:read|gelesen|lu|le[íi]do|lida|letto|gelezen"
    r"|l[äæ]st|lest|luettu|przeczytano?|přečteno|olvasva|okundu|citit|прочитано|прочтено"
    r"|διαβάστηκε|开封|已读|已讀|開封済み|읽음)\s*[:：]|(?:return|read(?:ing)?) receipt"
    r"|lesebest[äa]tigung|empfangsbest[äa]tigung|accus[ée] de (?:lecture|r[ée]ception)"
    r"|confirma(?:ci[óo]n|ção) de (?:lectura|leitura|entrega)|conferma di lettura"
    r"|leesbevestiging|уведомление о прочтении|potwierdzenie (?:przeczyt|odczyt))"
)
# A mail that is kept until its sender does something (challenge and response).
_CHALLENGE = re.compile(
    r"(?i)click(?:ing)? (?:on )?(?:the|this|here)\b[^\n]{0,80}(?:\n[^\n]{0,80})?(?:deliver"
    r"|confirm|verif|release|send)|will be (?:delivered|released|forwarded) (?:once|after|when"
    r"|as soon|if)|(?:once|when|after|as soon as) you (?:have )?(?:confirm|verif|repl|click"
    r"|complete)|(?:waiting for|awaiting|requires?|needs?) (?:your |sender )?(?:confirmation"
    r"|verification|authentication|approval)|please (?:confirm|verify|authenticate)"
    r"|confirm (?:that )?you|(?:confirm|verify) (?:your|the) (?:message|e-?mail|identity"
    r"|delivery|sender|address)|(?:sender|address) (?:verification|confirmation"
    r"|authentication)|spam ?arrest|boxbe|\btmda\b|mail ?in ?black|(?:guest|approved senders?"
    r"|white|contact|allowed) ?list|prove (?:that )?you|captcha|(?:is|being"
    r"|been) (?:being )?(?:held|kept|quarantined)|best[äa]tigen sie|bitte best[äa]tig"
    r"|freischalt|veuillez (?:confirmer|vous authentifier|cliquer)|confirm(?:ez|er) (?:votre"
    r"|l['’]envoi)|(?:confirme|confirmar|valide) (?:su|sua|seu|el|o|que)|haga clic"
    r"|clique (?:no|aqui|em)|fa(?:i|re) clic|conferma(?:re)? (?:il|la|che)|klik (?:op|hier)"
    r"|bevestig|kliknij|potwierd[źz]|klikn[ěe]te|potvr[dď]|подтверд|перейдите по ссылке"
    r"|підтверд|onaylay|tıklay|bekräfta|bekræft|bekreft|vahvista|确认|確認|点击|點擊|クリック"
    r"|확인"
)
_REPLY_TO_CONFIRM = re.compile(
    r"(?i)repl(?:y|ying) to (?:this|it)|antworten sie|r[ée]pond(?:ez|re) [àa] ce"
    r"|respond[ae] (?:a )?este|rispond[ai]|ответьте на это"
)
_LINK = re.compile(r"https?://")
# The subject of a warning that a mail is delayed, as far as the mail system wrote it itself.
_DELAYED_SUBJECT = re.compile(
    r"(?i)delay|still being retried|could not (?:yet )?(?:be )?(?:sen[dt]"
    r"|deliver\w*)[^\n]{0,20} for (?:the )?(?:past|last)|incomplete"
    r"|not yet (?:been )?delivered|undelivered after|deferred|verz[öo]ger|retard|diff[ée]r"
    r"|retras|demora|atras|adiad|ritard|differit|vertraag|f[öo]rsen|forsink|viiv[äa]st"
    r"|op[óo][źz]nion|zpo[žz]d|opo[žz]d|k[ée]sl?el?tet|k[ée]sik|[îi]nt[âa]rz|задерж|отлож"
    r"|затрим|відклад|забав|kasni|odgo[đd]en|gecik|ertelen|καθυστ|עיכוב|מתעכב|تأخير|تأخر|遅延"
    r"|遅れ|延迟|延遲|延期|지연|보류"
)
# A body that says that the mail system goes on trying.
_GOES_ON = re.compile(
    r"(?i)will (?:be )?(?:retried|re-tried|tried again|attempted again|keep (?:on )?trying"
    r"|continue|retry)\b|attempts? (?:to deliver[^\n]{0,40} )?will (?:be )?(?:continue|made"
    r"|repeat)|still being (?:retried|tried)|continues? (?:to (?:be )?(?:try|tried|attempt"
    r"|retr|deliver)|trying)|do(?:es)? not need to re-?send|no need to re-?send"
    r"|warning (?:message|notice)? ?only|(?:just|only) (?:a|an) (?:warning|advisory)"
    r"|advisory-only|(?:has|have|could|was|is)(?: not|n['’]t) (?:yet|been delivered yet)"
    r"|no action is required|transient non-fatal|temporary failure report|not yet (?:been "
    r"|be )?(?:delivered|sent|accepted)|delivery delay notice|(?:next"
    r"|another) (?:delivery )?attempt|retry for (?:another |up to )?\d"
    r"|noch nicht (?:zugestellt|ausgeliefert|[üu]bermittelt|angenommen|versandt)"
    r"|weiterhin versuch|zustellversuche (?:werden|erfolgen)|nur (?:um )?eine warnung"
    r"|nicht erneut (?:zu )?(?:ver)?senden|(?:wird|werden)[^.\n]{0,60}(?:weiter|erneut"
    r"|wiederhol)[^.\n]{0,40}(?:versuch|zustell|zuzustellen)|pas encore (?:[ée]t[ée]|pu)"
    r"|se poursuivr|(?:nouvelles? )?tentatives?[^.\n]{0,50}(?:seront|sera|auront|vont)"
    r"|(?:continuera|va continuer|r[ée]essaiera|essaiera [àa] nouveau)|simple avertissement"
    r"|(?:a[úu]n|todav[íi]a) no (?:se|ha|fue)|no se ha (?:podido )?(?:entrega\w*"
    r"|enviad\w*) (?:todav[íi]a|a[úu]n)|seguir(?:á|a|án|an|emos) intent|se (?:seguir|volver"
    r"|reintentar|continuar)[áa]|continuar(?:á|án|a|an)\b|ainda n[ãa]o (?:foi|p[ôo]de)"
    r"|continuar(?:ão|emos) (?:a |tent)|tentar(?:á|emos|ão) (?:novamente|de novo|entreg)"
    r"|(?:non |ancora )(?:[èe] |stato )*(?:ancora|consegnat\w*"
    r"|recapitat\w*)[^.\n]{0,12}(?:stato|ancora|consegnat|recapitat)|continuer(?:à|anno|a)\b"
    r"|riprover(?:à|anno)|tentativi (?:di (?:consegna|recapito) )?(?:continu|prosegu|saranno)"
    r"|nog niet (?:afgeleverd|bezorgd|verzonden)|blijft? [^.\n]{0,30}prober"
    r"|opnieuw (?:worden )?(?:ge)?prob|nie zosta[łl][ao]? jeszcze|jeszcze nie"
    r"|pr[óo]by (?:dor[ęe]cz|dostarcz)[^.\n]{0,40}(?:b[ęe]d|kontyn|ponaw)|ещ[её] не (?:был"
    r"|доставл|удалось|отправл)|пока не (?:был|доставл|удалось)|(?:попытки|попытка"
    r"|доставк)[^.\n]{0,40}(?:продолж|повтор|будут|будет)|продолжит[^.\n]{0,30}(?:попытк"
    r"|доставк)|ще не (?:бул|доставл|вдалося)|спроби[^.\n]{0,40}(?:продовж|повтор|буд)"
    r"|[äa]nnu inte (?:levererat|kunnat|n[åa]tt)|forts[äa]tter (?:att )?f[öo]rs[öo]k"
    r"|endnu ikke|enn[åa] ikke|forts[æae]tter? (?:at |[åa] )?(?:fors[øo]|pr[øo]v)"
    r"|ei ole viel[äa]|yritet[äa][äa]n (?:uudelleen|edelleen)|(?:dosud|je[šs]t[ěe]) (?:nebyl"
    r"|se nepoda)|pokusy[^.\n]{0,40}(?:pokra[čc]|opakov)|bude pokra[čc]ov"
    r"|m[ée]g nem (?:siker[üu]lt|ker[üu]lt|[ée]rkez)|[úu]jra ?(?:meg)?pr[óo]b[áa]l"
    r"|nu a fost [îi]nc[ăa]|va continua|hen[üu]z (?:teslim|iletil)|(?:yeniden|tekrar) (?:denen"
    r"|deneyecek)|denemeye devam|δεν έχει ακόμη|θα συνεχ|まだ配信|まだ届|配信を(?:続け|試み"
    r"|再試行)|再試行(?:され|し)ます|尚未(?:送达|送達|传递|傳遞|投递|送出)|(?:继续"
    r"|繼續)(?:尝试|嘗試|投递|傳遞)|将(?:重试|继续)|將(?:重試|繼續)|아직 (?:배달|전달|전송)"
    r"|계속 (?:시도|전송)|다시 시도(?:합니다|할|됩니다)|لم يتم[^.\n]{0,20}بعد|עדיין לא"
)
# A body that says that the mail system has given up.
_GAVE_UP = re.compile(
    r"(?i)(?:gave|given|giving) (?:it )?up\b(?! on \w+day)|permanent (?:fatal )?(?:error"
    r"|failure)|retry time(?:out)? (?:exceeded|expired)|will not be (?:retried|tried)"
    r"|no further attempts|not going to try again|cannot be delivered"
    r"|returned to (?:the )?sender"
)
# The subject and the body of a report that a mail has arrived.
_ARRIVED_SUBJECT = re.compile(
    r"(?i)^\s*(?:successful mail delivery|(?:mail |message )?(?:delivered|relayed|expanded)\b"
    r"|zugestellt\b|[üu]bermittelt\b|weitergeleitet\b|remis\b|distribu[ée]|relay[ée]"
    r"|entregad[oa]\b|retransmitid|entregue\b|consegnat[oa]\b|recapitat[oa]\b|inoltrat"
    r"|bezorgd\b|afgeleverd\b|doręczono|dostarczono|levererat\b|leveret\b|levert\b|doručeno"
    r"|kézbesítve|toimitettu|доставлено|доставлен\b|teslim edildi|送达|已送达|已傳遞|配信済み"
    r"|배달됨|delivery (?:status )?(?:notification|report|confirmation)? ?\(?(?:success\w*"
    r"|relay\w*|delivered)|delivery confirm|confirm of delivery)"
)
_ARRIVED = re.compile(
    r"(?i)(?:was|were|has been|have been|is) (?:successfully )?(?:delivered|relayed|expanded)"
    r"|successfully (?:delivered|relayed|sent)|delivery (?:was )?success|(?:erfolgreich"
    r"|wurde)[^.\n]{0,40} (?:zugestellt|weitergeleitet|[üu]bermittelt)|a [ée]t[ée] (?:remis"
    r"|distribu|relay)|(?:se ha|ha sido) (?:entregad|retransmitid)|foi entregue|(?:[èe] stato"
    r"|stata) (?:consegnat|recapitat|inoltrat)|(?:is|werd) (?:afgeleverd|bezorgd)"
    r"|(?:zosta[łl]a?|by[łl]a?) (?:dor[ęe]czon|dostarczon)|(?:было|была) доставлен"
    r"|успешно доставлен|har levererats|er leveret|er levert|on toimitettu|byla? doru[čc]en"
)
_NO_SUCCESS = re.compile(r"(?a)(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])")
_NOT_ARRIVED = re.compile(
    r"(?i)(?:not|n't|nicht|pas|non|niet|nie|не|inte|ikke|ei) (?:been |be |été |stat[oa] "
    r"|se ha )?(?:deliver|zugestellt|remis|distribu|consegnat|recapitat|afgeleverd|bezorgd"
    r"|dor[ęe]cz|dostarcz|доставл|leverer)|n['’]a pas|no se ha|n[ãa]o foi|undeliver|fail"
)


def is_from_mail_system(message: Part) -> bool:
    """Return whether the sender of a mail is a mail system, by its address or its name."""
    if message.get("X-Failed-Recipients"):  # Exim, and systems that follow it
        return True
    sender = decoded_field(message, "From")
    if _SYSTEM_ADDRESS.search(sender) or _SYSTEM_NAME.search(sender.strip()):
        return True
    report_type = str(message.get_param("report-type", "")).lower()
    return message.get_content_type() == "multipart/report" and report_type in (
        "",
        "delivery-status",
    )


def is_receipt(message: Part) -> bool:
    """Return whether a mail says that another one was displayed, or deleted unread (RFC 8098)."""
    if str(message.get_param("report-type", "")).lower() == "disposition-notification":
        return True
    if any(part.get_content_type() in _RECEIPT_TYPES for part in parts_of(message)):
        return True
    return bool(_RECEIPT.match(subject_of(message))) and not is_from_mail_system(message)


def is_automatic(message: Part) -> bool:
    """Return whether a program answered for the recipient (RFC 3834), by the header fields.

    Mail systems set the same fields in reports: ask only about mails of others.
    """
    submitted = header_text(message.get("Auto-Submitted", "no")).strip().lower()
    if submitted.startswith("auto-") or any(message.get(name) for name in _REPLY_FIELDS):
        return True
    precedences = (message.get("Precedence", ""), message.get("X-Precedence", ""))
    return any(str(value).strip().lower() in _REPLY_PRECEDENCES for value in precedences)


def is_answer(message: Part, subject: str) -> bool:
    """Return whether a mail answers another one, or forwards it."""
    references = message.get("In-Reply-To") or message.get("References")
    return bool(references) or is_titled_answer(subject)


def quotes_others(message: Part) -> bool:
    """Return whether fields and events in a text are quotations: a person answers or forwards."""
    return is_answer(message, subject_of(message)) and not (
        is_from_mail_system(message) or has_null_sender(message)
    )


def is_titled_answer(subject: str) -> bool:
    """Return whether a subject begins as those of answers and forwarded mails do."""
    return bool(_ANSWER.match(subject))


def subject_of(message: Part) -> str:
    """Return the decoded subject of a mail on one line; empty if it has none."""
    return " ".join(decoded_field(message, "Subject").split())


def sender_of(message: Part) -> str:
    """Return the address of the one sender of a mail, in lower case; empty if that is not clear.

    What stands in the name of the sender, in quotation marks, a comment or encoded words, is no
    address; of several senders, or of a group (RFC 5322, 3.4), none is taken.
    """
    fields = [header_text(value) for name, value in message.raw_items() if name.lower() == "from"]
    if len(fields) != 1 or len(fields[0]) > _LONGEST_SENDER:
        return ""
    text = _QUOTED.sub(" ", fields[0])
    for _ in range(_DEEPEST_COMMENT):
        text = _COMMENT.sub(" ", text)
    if bare := _BARE.fullmatch(text):
        return bare[1].lower()
    named = _WITH_NAME.fullmatch(text)
    is_one = named is not None and not ("," in named[1] and "@" in named[1])
    return named[2].lower() if named and is_one else ""


def has_null_sender(message: Part) -> bool:
    """Return whether no answer to a mail is wanted (RFC 5321, 4.5.5), as far as it is known."""
    if header_text(message.get("Return-Path", "")).strip() in ("<>", "<MAILER-DAEMON>"):
        return True
    return bool(_NO_REPLY.search(decoded_field(message, "From")))


def is_of_a_person(message: Part) -> bool:
    """Return whether somebody wrote a mail with a mail program, as far as its fields say so."""
    if any(message.get(name) for name in ("In-Reply-To", "References", "User-Agent", "X-Mailer")):
        return True
    return bool(ADDRESS.search(header_text(message.get("Return-Path", ""))))


def says_away(subject: str) -> bool:
    """Return whether a subject is the one of an automatic reply."""
    return bool(_AWAY.search(subject))


def says_challenge(subject: str, body: str) -> bool:
    """Return whether a mail asks its reader to confirm a message, so that it is delivered."""
    if _CHALLENGE.search(subject):
        return True
    body = body[:_READ]
    return bool(_LINK.search(body) or _REPLY_TO_CONFIRM.search(body)) and bool(
        _CHALLENGE.search(body)
    )


def says_delayed(subject: str, body: str, *, is_final: bool) -> bool:
    """Return whether a mail system says that it has not delivered a mail yet, and goes on.

    Args:
        subject: the subject of its mail.
        body: the text of its mail.
        is_final: whether it quotes a code that says that a failure is final (RFC 5321, 4.2.1).
    """
    body = body[:_READ]
    goes_on, gave_up = bool(_GOES_ON.search(body)), bool(_GAVE_UP.search(body))
    if _DELAYED_SUBJECT.search(_own_words(subject)):
        return goes_on or not gave_up
    return goes_on and not gave_up and not is_final


def says_arrived(subject: str, body: str, *, is_doubtful: bool) -> bool:
    """Return whether a mail system says that it has delivered a mail, or passed it on.

    Args:
        subject: the subject of its mail.
        body: the text of its mail.
        is_doubtful: whether the subject may also be the one of a failure; then it has to say more.
    """
    body = body[:_READ]
    if _NO_SUCCESS.search(body) or _NOT_ARRIVED.search(f"{subject}\n{body}"):
        return False
    if _ARRIVED_SUBJECT.match(subject):
        return True
    return not is_doubtful and bool(_ARRIVED.search(body))


def _own_words(subject: str) -> str:
    """Return what a mail system wrote into a subject, without the one of the returned mail."""
    before, colon, behind = subject.partition(":")
    return behind if colon and re.search(r"(?i)warn|info|notice|hinweis", before) else before

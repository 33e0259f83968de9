"""Lines that a site puts into or around its texts, and that say nothing of the text itself.

Pure. Owns what such lines look like: advertisements, lists of other articles, tables of contents,
reading times, dates of updates, bylines, credits, counters, calls to share or subscribe, volume and
page numbers. English, German, French, Spanish, Italian, Dutch and Portuguese. It knows nothing of
changes. Lines that only name a date or a number are in `set_lines.py`. The lists were chosen
by hand; not measured.
"""

import re

from notifier.watch.compare.numerals import DATE
from notifier.watch.compare.set_lines import is_set_line

# Characters of a line that is looked at; longer ones are text.
_LONGEST = 240
# Characters of a heading. A line with a full stop is text again if it is longer than so many
# characters, or has so many words.
_LONGEST_HEADING, _SHORTEST_PARAGRAPH, _FEWEST_WORDS = 60, 60, 4
# Words of the name of a journal.
_LONGEST_JOURNAL = 8


def whole(pattern: str) -> re.Pattern[str]:
    r"""Return a pattern whose spaces and line ends do not count; ``\ `` is a space."""
    return re.compile(pattern, re.VERBOSE)


# The labels of advertisements.
_AD = r"""
    advertisements? | sponsored(?:\ content|\ posts?|\ links?)? | promoted(?:\ content)?
    | paid\ (?:content|post) | anzeigen? | werbung | werbeanzeige | publicités? | publicidade?
    | anuncios? | pubblicità | annuncio | advertentie | gesponserter\ inhalt
    | affiliate-?\ ?links? | partnerinhalt
    | (?:contenu|contenido|contenuto)\ (?:sponsorisé|patrocinado|sponsorizzato)
    | about\ the\ authors? | author.?s?\ bio(?:graphy)? | über\ (?:den|die)\ autor(?:in|en)?
    | à\ propos\ de\ l.auteure? | sobre\ (?:el|la)\ autora? | l.autor[ei]? | over\ de\ auteur
    | reclame | reklama | реклама | 広告 | 广告
    | (?:article|story|text)\ continues\ (?:below|after)(?:\ (?:th(?:e|is)\ )?ad\w*)?
    | skip\ advertisement | (?:advertisement\ )?continue\ reading\ the\ main\ story
    | continue\ reading\ below | scroll\ to\ continue(?:\ with\ \w+)?
"""
_AD_LINE = whole(rf"(?i) [\s\[(*–—-]* (?: {_AD} | ads? | advert | ad\ by\ \w+ ) [\s\])*–—:.-]*")
_AD_START = whole(rf"(?i) (?: {_AD} ) \s? [:|–—] \s")

# The headings of lists of other articles, and of tables of contents.
_ARTICLES = (
    r"(?: articles? | posts? | stories | story | reading | news | content | links? | topics? "
)
_ARTICLES += r"| coverage | headlines | for\ you | now | this | like\ this | on\ this\ topic "
_ARTICLES += r"| from\ us | from\ our\ \w+ | resources )"
_OTHERS = rf"""
    (?: you\ (?:may|might|could)\ (?:also\ )?(?:like|be\ interested\ in|enjoy) | we\ also\ recommend
    | related | trending | popular | most\ (?:read|popular|viewed) | read\ (?:also|next)
    | also\ read | see\ also | up\ next | don.t\ miss | editor.?s\ picks? | keep\ reading
    | what\ to\ read\ next | (?:explore|read)\ more ) (?: \ {_ARTICLES} )*
    | (?: similar | further | more | other | latest | recent | top | recommended )
    (?: \ (?: related | recent | top | great | {_ARTICLES} ) ){{1,4}}
    | lesen\ sie\ (?:auch|dazu|mehr) | mehr\ lesen | mehr\ zum\ thema
    | das\ könnte\ sie\ auch\ interessieren | more\ from\ th(?:is|e)\ author
    | tags | tagged | keywords | schlagwörter | mots[- ]clés | etiquetas
    | (?:previous|next|older|newer)\ (?:article|post|story|entry)
    | (?:vorheriger|nächster)\ (?:artikel|beitrag) | article\ (?:précédent|suivant)
    | (?:artículo|entrada)\ (?:anterior|siguiente)
    | (?:ähnliche|weitere|verwandte)\ (?:artikel|beiträge|meldungen|nachrichten|themen)
    | auch\ interessant | meistgelesen | mehr\ dazu
    | à\ lire\ (?:aussi|également) | lire\ aussi | voir\ aussi | sur\ le\ même\ sujet
    | articles?\ (?:similaires?|liés?|connexes?) | vous\ aimerez\ aussi | à\ découvrir
    | (?:lee|lea|ver|véase)\ también | (?:también\ )?te\ puede\ interesar | más\ noticias
    | (?:artículos|noticias|entradas)\ relacionad[oa]s
    | leggi\ anche | vedi\ anche | articoli\ correlati | (?:ti\ )?potrebbe\ interessart?[ie]
    | lees\ ook | lees\ verder | gerelateerde\ (?:artikelen|berichten) | meer\ over\ dit\ onderwerp
    | (?:leia|veja)\ também | (?:artigos|notícias)\ relacionad[oa]s
    | 関連記事 | czytaj\ (?:także|też|również) | läs\ (?:också|även|mer) | læs\ også | les\ også
    | lue\ myös | přečtěte\ si\ také | ayrıca\ okuyun | 関連リンク | 相关文章
    | 相关阅读 | 관련\ 기사 | читайте\ также
"""
_CONTENTS = r"""
    (?:table\ of\ )?contents | (?:in|on)\ this\ (?:article|page|story|post) | page\ contents
    | jump\ to(?:\ section)? | quick\ links | inhalt(?:sverzeichnis)? | auf\ dieser\ seite
    | sommaire | table\ des\ matières | dans\ cet\ article | contenidos? | índice
    | tabla\ de\ contenidos? | en\ este\ artículo | indice(?:\ dei\ contenuti)?
    | in\ questo\ articolo | inhoud(?:sopgave)? | neste\ artigo | 目次 | 目录 | 목차
"""
_LIST_HEADING = whole(
    rf"(?i) (?: {_OTHERS} | {_CONTENTS} ) \s? (?: [:»›>–—-] | \.{{3}} | … )?"
    r" (?: \s? \[? (?:hide|show|toggle) \]? )?"
)
_OTHERS_START = whole(rf"(?i) (?: {_OTHERS} ) \s? [:|»›] \s?")

# A date in the lines below, a moment, a vague time, names of people, and where they work.
_WHEN = "\x00"
_DATES = re.compile(rf"(?i){DATE}")
_MOMENT = rf"""
    (?: (?: {_WHEN} | \d{{1,2}}[:.h]\d\d (?:\ ?[ap]\.?m\.?)? (?:\ uhr)? (?:\ \(?[A-Z]{{2,5}}\)?)?
    | \d+\ (?:minutes?|hours?|days?|weeks?|months?|years?)\ ago | vor\ \d+\ \w+
    | il\ y\ a\ \d+\ \w+ | hace\ \d+\ \w+ )
    (?: [ ,|·•–—-]* (?:(?:at|um|à|alle)\ )? (?={_WHEN}|\d) )?
    ){{1,3}}
"""
_VAGUE_TIME = r"""
    (?: (?: today | yesterday | just\ now | moments?\ ago | (?:a|an|one)\ \w+\ ago | heute | gestern
    | aujourd[’']hui | hier | hoy | ayer | oggi | ieri | vandaag | gisteren | hoje | ontem )
    (?: ,?\ (?:(?:at|um|à|a\ las|alle|om|às)\ )? \d{1,2}[:.h]\d\d (?:\ uhr)? )?
    | \d{1,3}\ ?(?:s|m|h|d|w|min|hrs?)\ ago
    | (?: spring | summer | autumn | fall | winter | frühjahr | sommer | herbst | printemps | été
    | automne | hiver | primavera | verano | otoño | invierno | estate | autunno | inverno
    | q[1-4] | [1-4]t ) [ /]{1,3} (?:19|20)\d\d
    | (?: day | week | issue | edition | release | version | revision | kw | woche | ausgabe
    | semaine | édition | semana | edición | versión | settimana | edizione | versione | versie
    | versão | v | rev\.? | no\.? | nr\.? )
    \ ?\d{1,4} (?:\.\d{1,3}){0,3} (?: ,?[ /](?:19|20)\d\d )? )
"""
_PERSON = r"(?:[A-ZÀ-ÖØ-ÞĀ-ſΑ-ΩА-ЯЁ][\w.'’&-]*|van|von|de|der|den|la|di|du|del|y|e)"
_PEOPLE = rf"(?: {_PERSON} (?: ,?\ (?:(?:and|und|et|en|&)\ )? {_PERSON} ){{0,20}} )"
_NAMED = rf"""
    (?: {_PEOPLE}
    (?: ,\ (?:\w+\ ){{0,3}}
    (?: writer | reporter | editor | correspondent | contributor | redakteur\w* | journalist\w* ) )?
    (?: [ ,|·•–—-]+ (?:(?:on|am|le|el)\ )? {_MOMENT} )? )
"""
_READING_TIME = whole(r"""
    (?i) (?:(?:estimated|average|approximate)\ )?
    (?: read(?:ing)?\ time | time\ to\ read | lesezeit | lesedauer | temps\ de\ lecture
    | tiempo\ (?:estimado\ )?de\ lectura | tempo\ di\ lettura | leestijd | tempo\ de\ leitura
    | czas\ czytania | lästid ) \ ? (?:[:–—-]\ ?)? (?:(?:ca\.?|about|env\.?|~|<)\ ?)?
    (?: \d{1,3} | one | a | eine? | une? ) (?:[–-]\d{1,3})? (?:\ ?min\w*)?
    | (?:about\ )? \d{1,3} (?:[–-]\d{1,3})? [ -]? min(?:ute)?n?s?\.? [ -] (?: read
    | reading(?:\ time)? | to\ read | lesezeit | lesedauer | de\ lecture | de\ lectura
    | di\ lettura | lezen | leestijd | de\ leitura )
    | (?: この記事は約? | 読了時間:?\ ?約? | 预计阅读时间:?\ ?约? | 阅读时间:?\ ? )
    \d{1,3}\ ?分钟?(?:で読めます)?
""")
_UPDATED = whole(rf"""
    (?i: (?: (?: last | zuletzt | dernière | última | ultimo | laatst | first | originally | page
    | content | article | medically | clinically | fact-? | reviewed\ and | written\ and
    | this\ (?:page|article|story)\ (?:was|has\ been) ) \ ? )*
    (?: updated? | reviewed | modified | published | posted | edited | checked | revised
    | aktualisiert | aktualisierung | geändert | änderung | veröffentlicht | bearbeitet
    | (?:über)?geprüft | stand | mise?\ à\ jour | publiée? | modifiée? | révisée? | actualizado
    | actualización | publicado | revisado | modificado | aggiornato | aggiornamento | pubblicato
    | revisionato | bijgewerkt | gepubliceerd | gecontroleerd | atualizado | 更新日 | 最終更新日?
    | 公開日 ) (?: \ (?:on|at|am|vom|le|el|il|op|em|date|last) )* \ ?
    (?: [:–—-]? \ ? {_MOMENT} | [:–—-] \ ? {_VAGUE_TIME} ) )
    (?: [ ,|·•–—-]* (?i:by|von|par|por|da|door)\ {_PEOPLE} )?
""")
_REVIEWED_BY = whole(rf"""
    (?i: (?: (?:last|medically|clinically|scientifically|fact-?|page|content) \ ? )*
    (?: updated | reviewed | edited | translated | checked | fact[- ]checked | written | authored
    | (?:über)?geprüft | geschrieben | bearbeitet | übersetzt | traduite?
    | traducido | tradotto | relu | révisé | écrit | rédigé | revisado
    | escrito | scritto | revisionato | geschreven | gecontroleerd )
    \ (?:by|von|par|por|da|door)\ ?:? ) \ {_NAMED}
""")
_BYLINE = whole(rf"""
    (?i: by | von | par | por | di | door | words | text[eo]? | testo | tekst | автор | текст
    | author
    | autorin | autor | autore
    | auteur | reporting\ by | story\ by | editing\ by | redaktion | (?:medical\ )?reviewer
    | (?:media\ )?contact ) \ ?:?\ {_NAMED}
    | {_PERSON}(?:\ {_PERSON}){{1,3}} (?:,\ (?:Ph\.?D|M\.?D|M\.?Sc|MPH|RN|PharmD)\.?){{0,3}}
    \ ?[|·•]\ ?{_WHEN}
    | (?:文|写真|撮影|記者|记者|作者|编辑|編集|기자|글|사진)\ ?[:：／/]\ ?\S{{1,20}}
""")
_AGENCY = r"(?i:getty(?:\ images)?|shutterstock|istock|afp|reuters|dpa|epa|imago|unsplash|pexels"
_AGENCY += r"|adobe\ stock|alamy|picture\ alliance|pixabay|ap)"
_CREDIT = whole(rf"""
    (?i: (?:(?:header|cover|featured|lead|stock|hero)\ )?
    (?: photos? | images? | pictures? | illustrations? | graphics? | fotos? | bild(?:er)? | grafik
    | imagen | immagine | photograph | videos? | crédits? | credits? | bildnachweis | bildquelle
    | fotonachweis | copyright | source | quelle | fuente | fonte | bron | titelbild | symbolbild )
    (?: \ ? (?:credits?|courtesy|source|by|photos?|from|von|de|via|of)| \ ?[:/©–—|-]
    | \ ?\(c\) )+ )
    \ ? (?: (?: {_PERSON} | (?i:privat|archiv|courtesy\ of|provided|supplied|by|via|on|and|und|et)
    | {_AGENCY} ) [ ,/|&©]{{0,3}} ){{1,10}}
    | {_PEOPLE}\ ?(?:/|via|\|)\ ?{_AGENCY}(?:/{_PEOPLE})? | {_AGENCY}(?:/{_PEOPLE})?
    | (?i: (?:©|\(c\)|copyright)\W.{{1,150}} | .{{0,80}}all\ rights\ reserved.{{0,40}}
    | alle\ rechte\ vorbehalten | tous\ droits\ réservés | todos\ los\ derechos\ reservados )
""")
_COUNTED = r"""
    (?: comments? | replies | responses? | views? | reads | likes? | shares? | downloads? | votes?
    | claps | kommentare? | antworten | aufrufe | klicks | commentaires? | vues? | partages?
    | comentarios? | visitas | vistas | comment[io] | visualizzazioni | reacties? | comentários?
    | visualizações | コメント | 评论 | 댓글 )
"""
_COUNT = r"\d[\d.,]{0,8}\ ?[km]?"
COUNTER = rf"""
    (?: (?: {_COUNT} | no | keine | aucun | sin | nessun | geen ) \ {_COUNTED}
    | {_COUNTED} \ ? (?: :\ ?{_COUNT} | \(\ ?{_COUNT}\ ?\) | off | closed | disabled | {_COUNT} ) )
"""
_COMMENTS = whole(rf"""
    (?i) {COUNTER}
    | (?: leave | post | add | write | schreib\w* | laisser | deja | lascia | plaats )
    \ (?:a|an|einen|un)\ (?: comment | reply | kommentar | commentaire | comentario | commento
    | reactie ) | be\ the\ first\ to\ (?:comment|like\ this)\w*
    | (?:join|see)\ the\ (?:conversation|discussion)
""")
_SOCIAL = r"""
    (?: share | tweet | print | e-?mail | pin | save | bookmark | teilen | drucken | merken
    | partager | imprimer | compartir | imprimir | condividi | stampa | delen | compartilhar
    | facebook | twitter | linkedin | whatsapp | reddit | telegram | bluesky | threads | pocket
    | copy\ (?:link|url) | link\ kopieren | this | article | post | story | on | auf | sur | en | su
    | via | x | with | friends | a\ friend )
"""
_CALL = whole(rf"""
    (?i) {_SOCIAL} (?: [ |·•/,&+]+ {_SOCIAL} ){{0,15}}
    | (?: subscribe | sign\ up | join | register | get | receive | follow\ us | like\ us
    | abonnieren | abonnez | suscr[ií]b | iscriv | schrijf | inscreva | melden\ sie | newsletter )
    \b\w* .{{0,160}} \b(?: newsletters? | updates | e?-?mails? | inbox | mailing\ list | facebook
    | twitter | instagram | linkedin | podcast | postfach | boîte | correo ) \b .{{0,60}}
    | (?: add | make | choose | set ) \ .{{1,60}} \bpreferred\b
    .{{0,20}} \b(?:source|google)\b .{{0,20}} | follow\ us\ on\ .{{1,60}}
    | follow\ (?-i:{_PEOPLE})\ on\ (?: x | twitter | facebook | linkedin | instagram | bluesky )
    | our\ standards:\ .{{1,80}} | purchase\ licensing\ rights | -{{0,2}} (?-i:ENDS?) -{{0,2}}
    | (?: report | submit | suggest | request ) \ an?\ (?: correction | error | mistake | typo )
    | (?: we | this\ (?:web)?site ) \ uses?\ cookies\b .{{0,160}}
    | (?: accept | reject | allow ) \ all (?:\ cookies)? | page\ \d{{1,2}}\ of\ \d{{1,2}}
    | (?: back\ to | go\ to ) \ (?:the\ )?top | nach\ oben | zum\ seitenanfang
    | (?: jetzt | hier ) \ .{{0,40}} \b newsletter \b .{{0,40}}
    | (?: folgen\ sie\ uns | suivez[- ]nous | síguenos | seguici | volg\ ons | siga[- ]nos )
    \b .{{0,80}}
    | (?: download | get ) \ (?:our|the)\ (?:free\ )?(?:\w+\ )?app \b .{{0,60}}
    | listen\ to\ this\ (?:article|story|post|page) \b .{{0,30}}
    | (?: artikel\ anhören | écouter\ (?:cet\ |l.)article | escuchar\ (?:este\ |el\ )?artículo )
    .{{0,30}}
    | (?: this\ (?:post|article)\ contains | dieser\ (?:beitrag|artikel)\ enthält )
    \ (?: affiliate | advert | werbung ) .{{0,60}}
    | (?: mit\ material\ (?:von|der) | with\ (?:agency\ )?inputs?(?:\ from)? ) .{{0,40}}
    | (?: disclaimer | haftungsausschluss | avertissement ) \ ?: .{{1,200}}
    | your\ browser\ does\ not\ support\ the\ \w{{1,20}}(?:\ (?:element|tag|format))?
    | (?:video|audio|media)\ player\ is\ loading | more\ to\ (?:follow|come)
    | please\ (?:enable|turn\ on)\ javascript\ to\ .{{1,80}} | (?:previous|prev)[\ |/]+next
    | (?:slide|image|photo|picture|bild|foto)\ \d{{1,3}}\ ?(?:of|/|von|sur|de)\ ?\d{{1,3}}
    | to\ contact\ the\ (?:reporters?|editors?|authors?) \b .{{1,160}}
    | (?: subscribe | sign\ up ) (?:\ (?:now|today|here))? | abonnieren | s’abonner
""")
_POINTER = whole(r"""
    (?i) (?: read | see | view | continue(?:\ reading)? | weiterlesen | mehr\ lesen
    | lire\ la\ suite | lire\ plus | leer\ más | seguir\ leyendo | continua\ a\ leggere
    | leggi\ tutto | lees\ meer | leia\ mais | 続きを読む ) (?: \ (?: more | here | hier | original
    | article | the\ (?:full|original|whole)\ (?:article|story|post|text) | on\ \S{1,60} ) )*
    \W{0,5}
    | [‹←]\ [^›→]{1,120} | [^‹←]{1,120}\ [›→]
    | (?:home | start(?:seite)? | accueil | inicio)
    (?: (?: (?:\ ?[>»›|·]\ ?|\ /\ ) [^.!?:>»›/|·\d]{1,40} ){1,6}
    | (?: \ ?[>»›]\ ? [^.!?:>»›]{1,40} ){2,6} )
    | a\ version\ of\ this\ (?:article|story)\ .{1,120}
    | this\ (?:summary|article|text|translation)\ was\ (?:created|generated|translated|written)
    \ (?:by|with|using)\ (?:ai|an\ ai|a\ machine|artificial)\b .{0,120}
    | (?:log|sign)\ in\ (?:or|to)\ .{1,120} | donate
    (?: \ (?:now|today|here|online|monthly|once|securely)
    | \ [$€£]\ ?\d{1,5}(?:\ (?:a|per)\ (?:month|year))? | \ to\ (?!a\ )[^\d]{1,40} )?
    | support\ (?:us|our\ (?:work|journalism))\b .{0,60}
    | click\ here\ .{0,60} | this\ (?:article|story|post)\ (?:was\ )?(?:first|originally)\ .{1,80}
    | (?: the\ post | der\ beitrag | l.article | cet\ article | la\ entrada | el\ artículo
    | l.articolo | het\ bericht | o\ post ) \ .{1,200}\ (?: appeared\ first | first\ appeared
    | erschien\ zuerst | est\ apparu | apareció\ primero | se\ publicó\ primero
    | aparece\ primero | proviene\ da | verscheen\ eerst | apareceu\ primeiro ) \ .{1,120}
""")
_LABELS = whole(r"""
    (?i) (?: tags? | tagged | filed\ under | posted\ in | categor(?:y|ies) | topics? | key\ ?words?
    | schlagw(?:ort|örter) | kategorien? | stichw(?:ort|orte|örter) | mots[- ]clés | étiquettes
    | catégories? | etiquetas | categorías? | archivado\ en | trefwoorden ) \ ?:\ ?.{1,200}
    | (?: filed\ under | posted\ in | tagged | archivado\ en ) \ .{1,160}
""")
_PARTS_OF_LINE = re.compile(r" ?[;|•·] ?| [–—] |, (?=[^\W\d_]{2,12}: |photos? by )")
# What every citation has, and the label before it.
_CITED = re.compile(r"(?i)\d\(\d|\d;\d|[a-z];\d|\bdoi\b|\bvol\b|\bpmid\b")
_CITATION_LABEL = re.compile(r"(?i)^(?:citation|cite (?:this|as)|reference|published in|in) ?: ")
# Whole lines or sentences, without brackets around and punctuation behind.
_LINES = (
    _READING_TIME, _UPDATED, _REVIEWED_BY, _BYLINE, _CREDIT, _COMMENTS, _CALL, _POINTER, _LABELS,
)  # fmt: skip
# Parts of a line: credits in brackets, and where a journal prints a paper.
_PARTS = whole(r"""
    (?i) (?-i: ^[A-ZÄÖÜÉ][A-ZÄÖÜÉ\ .'’/-]{1,30} (?:,\ [A-Z][\w.]{1,15}){0,2}
    (?: ,?\ (?:[A-Z][a-z]{2,8}\.?\ \d{1,2}|\d{1,2}\.?\ [A-Zÿ-ža-z]{3,9}) (?:,?\ \d{4})? )?
    \ \([A-Z]?[\w.\ ]{2,30}\)\ ?[-–—]{1,2}\ )
    | \( (?: photos? | images? | pictures? | fotos? | bild | credits? | illustration | graphic
    | crédits? | source | quelle | fuente | © )\b \ ? [^()\d]{1,120} \)
    | \[ (?: photos? | images? | credits? )\b [^\[\]\d]{1,120} \]
    | [(\[] (?: (?:opens?|opening)\ in\ (?:an?\ )?(?:new|another)\ (?:browser\ )?(?:tab|window)
    | (?:wird\ )?(?:öffnet|geöffnet)?\ ?in\ (?:einem\ )?neue[mn]\ (?:tab|fenster)(?:\ geöffnet)?
    | (?:s.ouvre\ dans\ )?(?:une?\ )?(?:nouvelle\ fenêtre|nouvel\ onglet)
    | se\ abre\ en\ (?:una\ )?(?:nueva\ )?(?:ventana|pestaña)(?:\ nueva)?
    | pdf (?: ,?\ [\d.,]{1,6}\ ?[km]b )? ) [)\]]
    | \b(?:19|20)\d\d (?:\ [a-z]{3,9}\.?(?:\ \d{1,2})?)? ;\ ?\d+ (?:\ ?\([\w\ –-]{1,15}\))?
    (?: \ ?:\ ?e?\d+(?:[-–]e?\d+)? )?
    | \b(?:19|20)\d\d\ [a-z]{3}\ \d{1,2}:\ ?[\w.-]{2,40}
    | \bvol(?:ume|\.)?\ ?\d+,?\ ? (?: (?:issue|no\.?|nr\.?|number|iss\.?|heft)\ ?\d+ | \(\d+\) )
    (?: [,:]?\ ?(?:pp?\.?|pages?|seiten?|s\.)?\ ?e?\d+[-–]e?\d+ )?
    | \bband\ \d+,\ heft\ \d+ (?:,\ s(?:eiten?|\.)\ ?\d+[-–]\d+)?
    | \b(?:pp\.?|pages|seiten)\ ?e?\d+[-–]e?\d+
    | \b\d{1,4}\ ?\(\d{1,3}\)\ ?:\ ?e?\d+(?:[-–]e?\d+)?
    | \[?\b (?: (?:epub\ |(?:published\ )?online\ |in\ print\ )? ahead\ of\ print
    | early\ ?view | online\ first | advance\ (?:access|article) | accepted\ article
    | corrected\ proof | (?:journal\ )?pre-?proof | articles?\ in\ press
    | e-?collection\ (?:19|20)\d\d
    | (?:first\ )?(?:published|available)\ online:?\ (?:\d{1,2}\ )?[a-z]{3,9}\.?
    (?:\ \d{1,2},?)?\ (?:19|20)\d\d ) \b\]?
    | \bepub\ (?:19|20)\d\d\ [a-z]{3}\ \d{1,2}
    | \b(?:doi:?\ ?)?10\.\d{4,9}/\S{1,200} | \bpmc?id:?\ ?\w{1,12}
    | \bpublication\ date:\ ?[^:]{1,60}(?=\bsource:|\bauthor\(s\):|$)
""")
# Where shares are traded: (NASDAQ: SNY; Euronext Paris: SAN). "Six months:" is no exchange.
_SHARE = r"[A-Z0-9][A-Z0-9.]{0,9}"
_TRADED = rf"""
    (?: NASDAQ | Nasdaq | NYSE | EURONEXT | Euronext | LSE | SIX | XETRA | Xetra | OTCQX | OTC
    | TSXV? | TSE | ASX | HKEX ) (?:\ [A-Z][A-Za-z]{{1,9}})? \ ?:\ ? {_SHARE}
"""
_LISTED = whole(rf"\( {_TRADED} (?: \ ?(?:[,;/|&]|and)\ ? (?: {_TRADED} | {_SHARE} ) ){{0,4}} \)")
# The beginnings of a publisher's note.
_NOTE = whole(r"""
    (?i) [\W_]{0,5} (?: correct(?:ion|ed) | corrigend | errat | clarification | editor.?s\ note
    | update\b | retract | berichtig | korrektur | richtigstellung | anm(?:erkung|\.)\ d | correctif
    | rectificati | correcci | nota\ de | fe\ de\ errat | rectifica | correzione | rectificatie
    | correção | 訂正 | 更正 | 정정 )
""")


def without_credits(line: str) -> str:
    """Return a line without credits and shares in brackets, and without volume and page numbers."""
    return _LISTED.sub(" ", _PARTS.sub(" ", line))


def is_around(line: str) -> bool:
    """Return whether a line or sentence says nothing of the text that it stands in."""
    line = _unwrapped(line)
    if len(line) > _LONGEST:
        return False
    if not line or _AD_LINE.fullmatch(line) or _AD_START.match(line) or _OTHERS_START.match(line):
        return True
    dated = _DATES.sub(_WHEN, line)
    return (
        any(pattern.fullmatch(dated) for pattern in _LINES)
        or is_set_line(line)
        or _is_citation(line)
        or _is_several(line)
    )


def _is_several(line: str) -> bool:
    """Return whether a line is several such lines in one: ``Reporting by …; editing by …``."""
    parts = [part for part in _PARTS_OF_LINE.split(line, maxsplit=8) if part.strip()]
    return len(parts) > 1 and all(
        any(pattern.fullmatch(_DATES.sub(_WHEN, part)) for pattern in _LINES) or is_set_line(part)
        for part in map(_unwrapped, parts)
    )


def is_citation(line: str) -> bool:
    """Return whether a whole line is where a journal prints a paper: its name, volume, pages."""
    if len(line) > _LONGEST or not _CITED.search(line):
        return False
    return _is_citation(_CITATION_LABEL.sub("", line))


def _is_citation(line: str) -> bool:
    """Return whether a line is where a journal prints a paper: its name, volume and pages."""
    rest = _PARTS.sub(" ", line)
    words = re.findall(r"[^\W\d_]+", rest)
    return (
        rest != line
        and len(words) <= _LONGEST_JOURNAL
        and all(word[0].isupper() or word in ("of", "the", "and", "in") for word in words)
    )


def _unwrapped(line: str) -> str:
    """Return a line without brackets around it, bullets before it and punctuation behind it."""
    line = line.strip("*|·•–—- ").rstrip(".:! ")
    wrapped = len(line) > 1 and line[0] + line[-1] in ("()", "[]")
    return line[1:-1].strip().rstrip(".:! ") if wrapped else line


def is_advertisement(line: str) -> bool:
    """Return whether a line is a label after which an advertisement stands."""
    return len(line) <= _LONGEST_HEADING and bool(_AD_LINE.fullmatch(line.strip()))


def is_list_heading(line: str) -> bool:
    """Return whether a line is a heading of other articles, or of a table of contents."""
    line = line.strip()
    return len(line) <= _LONGEST_HEADING and bool(_LIST_HEADING.fullmatch(line))


def ends_a_list(line: str) -> bool:
    """Return whether a line below such a heading is text again: a sentence, not a title."""
    end = line.rstrip("”\"'»)] ")
    return end.endswith(("。", ".")) and (
        len(line) > _SHORTEST_PARAGRAPH or len(line.split()) >= _FEWEST_WORDS or end[-1] == "。"
    )


def is_correction(line: str) -> bool:
    """Return whether a line begins like a publisher's note that the text was corrected."""
    return bool(_NOTE.match(line))

"""The words that say nothing about what a text is about, of a few languages."""

from __future__ import annotations

_TEXTS = {
    "en": """
        a about above after again all also am an and any are as at be because been before being
        between both but by can could did do does doing down during each few for from further
        had has have having he her here hers him his how i if in into is it its itself just many
        may me might more most much must my no nor not now of off on once only or other our out
        over own same she should since so some such than that the their them then there these
        they this those through to too under until up upon us very was we were what when where
        which while who whom why will with within without would yet you your
    """,
    "de": """
        aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim
        bin bis bist da damit dann das dass daß dazu dein deine dem den denn der des deren
        dessen dich die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem
        einen einer eines er es etwas euch für gegen hab habe haben hat hatte hatten hier hin
        hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist ja jede jeder
        jedes jetzt kann kein keine können man mehr mein meine mich mir mit nach nicht nichts
        noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so
        solche soll sollte sondern sonst über um und uns unser unter viel vom von vor war waren
        warst was weil weiter welche wenn wer werde werden wie wieder will wir wird wo wurde
        wurden würde zu zum zur zwar zwischen
    """,
    "fr": """
        à au aucun aussi autre aux avec avoir bien car ce cela ces cet cette ceux chaque comme d
        dans de des deux donc dont du elle elles en encore entre est et était étaient être eu
        eux fait faire il ils j je jusque l la le les leur leurs lui m ma mais me même mes moi
        mon n ne ni nos notre nous on ont ou où par parce pas peu peut plus pour pourquoi qu
        quand que quel quelle qui quoi s sa sans se sera ses si son sont sous sur t ta te tes
        toi ton tous tout toute toutes très tu un une vos votre vous y
    """,
    "es": """
        a al algo antes así aunque cada como con contra cual cuando de del desde donde dos el él
        ella ellas ellos en entre era eran es esa ese eso esta está están estar este esto estos
        fue fueron ha había han hasta hay la las le les lo los más me mi mis mientras muy nada
        ni no nos nosotros o otra otro para pero poco por porque que qué quien se sea ser si sí
        sido sin sobre son su sus también tan te tiene tienen todo todos tu tus un una uno unos
        y ya yo
    """,
    "it": """
        a ad ai al alla alle allo anche ancora avere c che chi ci come con contro cui da dagli
        dai dal dalla dalle dei del dell della delle dello di dopo dove due e è ed era erano
        essere fa fino fra gli ha hai hanno ho i il in io l la le lei li lo loro lui ma me
        mentre mi mia mio molto ne nei nel nella nelle no noi non nostro o ogni per perché più
        poi prima qua quale quando quanto quella quello questa questo qui se sei senza si sia
        siamo solo sono sopra sotto su sua sui sul sulla suo te ti tra tu tutti tutto un una uno
        vi voi
    """,
    "pt": """
        a à ainda ao aos aquele aquela as até cada com como contra da das de dela dele depois do
        dos e é ela elas ele eles em entre era eram essa esse esta está estão este eu foi foram
        há isso isto já lhe mais mas me mesmo meu minha muito na não nas nem no nos nós nossa
        nosso num numa o os ou para pela pelas pelo pelos pode por porque qual quando que quem
        se sem ser seu seus são só sobre sua suas também te tem têm toda todo todos um uma você
        vos
    """,
    "nl": """
        aan af al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen
        door dus een eens en er ge geen geweest haar had heb hebben heeft hem het hier hij hoe
        hun iemand iets ik in is ja je kan kon kunnen maar me meer men met mij mijn moet na naar
        niet niets nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u uit
        uw van veel voor want waren was wat werd wezen wie wij wil worden wordt zal ze zelf zich
        zij zijn zo zonder zou
    """,
}
STOPWORDS: dict[str, frozenset[str]] = {
    language: frozenset(text.split()) for language, text in _TEXTS.items()
}


def guessed(words: list[str]) -> str:
    """The language whose small words are most frequent; "" where that says nothing."""
    best, most = "", len(words) // 50
    for language, known in STOPWORDS.items():
        count = sum(word in known for word in words)
        if count > most:
            best, most = language, count
    return best

"""Who is asked for, who is unhappy, who says stop: as people write it, in English and German."""

import pytest

from selify.tryon.intents import (
    Mood,
    asks_who_we_are,
    complains,
    mood,
    wants_person,
    wants_start,
    wants_stop,
)
from selify.tryon.keywords import HUMAN_WORDS, START_WORDS, STOP_WORDS

WISHES = """
human please
Kann ich mit einem Menschen sprechen?
can I talk to a real person
Can I speak to someone?
I'd like to talk to a human being please
get me an agent
connect me to customer service
put me through to a person
I need a human
is there a real human I can talk to?
anyone there?
hello? is anybody there
Can't I talk to a person?
why can't I talk to a human
isn't there a human here?
Don't you have a human?
I don't want to talk to a bot
no bots please
real person pls
let me talk to your manager
can somebody help me?
can you help me
I need help
please call me, I want to speak with your team
Ich möchte mit jemandem reden
Mensch bitte
Bitte einen Menschen
Ich brauche einen Mitarbeiter
Gibt es hier einen echten Menschen?
Ist da jemand?
ist jemand da
Kann ich nicht mit einem Menschen sprechen?
Gibt es keinen Menschen hier?
Verbinden Sie mich mit einem Mitarbeiter
Kann mir jemand helfen?
Ich will nicht mit einem Bot reden
kein Bot bitte
einen echten Menschen bitte!
Kann ich jemanden vom Team sprechen
ich würde gerne mit einer echten Person schreiben
kann ich bitte mit eurem Kundenservice sprechen
Hilfe!
könnt ihr mir helfen
ich brauche Hilfe
moechte mit einem mitarbeiter reden
meldet sich hier mal jemand?
Could I get a live agent
i want a person
real human now
talk to human
speak to agent
I would rather speak to a person
is there someone who can help me with sizing
Wie kann ich einen Mitarbeiter erreichen?
lieber ein Mensch
Ich hätte gern einen Menschen
Can a human take over?
Can a person from your team contact me?
transfer me to an operator
ich möchte eine echte Person
kann ein mensch mir antworten
Gibt's da auch echte Leute?
let me speak with someone
i wanna talk to someone real
Hey, can a real person answer me?
kann ich mit wem reden
Will mit nem Menschen reden
not happy can i talk to a person
Are there any humans working here?
I'd prefer to deal with a person
may i chat with a member of your team
Let me speak to a human!!
get me your supervisor
I want to speak with customer support
could you connect me with a real person?
Can you pass me on to someone who knows?
representative
need assistance
please have someone call me
Can I have a word with somebody
I want to talk to a real human, not a machine
operator
who can I talk to?
Is there a phone number I can call?
I'd like to contact you
kann ich mit nem echten menschen schreiben?
Ich würde gern mit einem Mitarbeiter sprechen
Kann ich mit einer Person reden?
gibt es jemanden mit dem ich reden kann
bitte verbinden
Ich will mit einem richtigen Menschen reden!
Kann mich jemand anrufen?
Ich möchte mit Ihnen telefonieren
Wer kann mir helfen?
Bitte um Hilfe
ich brauche Unterstützung
Gebt mir einen Menschen
ich will einen menschen
Kann hier mal ein Mensch antworten?
ist hier auch ein Mensch?
Habt ihr auch Menschen?
Bitte rufen Sie mich an
kann ich euch anrufen?
Ansprechpartner?
Ich hätte gerne Kontakt zu einem Mitarbeiter
A person please
Person bitte
a human pls 🙏
Could you get a human
human????
HUMAN PLEASE
bot off please, human
give me a real person
I prefer a human
echter mensch bitte
nicht mit dem Bot, mit einem Menschen!
wo erreiche ich euch
how can I reach you
"""

NO_WISHES = """
does a real person model this?
no human needed
No human needed, just the photo
is this a real person in the photo?
I don't want to talk to a person
no need to talk to a human
kein Mensch nötig
ich brauche keinen Menschen
Ich möchte nicht mit einem Menschen sprechen
Mensch, ist das schön!
the person in the picture looks weird
I'm a real person lol
can a tall person wear this?
Is that how it looks on a real person?
can I see it on a real person
I want a real person to model it
how many people bought this
which person is wearing it
Does it fit a person of 1.80m?
here is my photo
can you try this on me
do you ship to Norway?
Wie viele Menschen haben das gekauft?
steht das auch größeren Menschen?
Ist das Model ein echter Mensch?
is it machine washable? not machine wash right
darf man das nicht in der Maschine waschen
without talking to a human
please don't call a human
human not needed
I love this for my sister
does it give good support
what service do you use for shipping
my friend is an agent
Wow!
try on
Welche Größe trägt die Person?
Passt das einer kleinen Person?
kein mensch trägt das
are you a bot?
bist du ein Mensch?
am I talking to a real person?
Schreibe ich hier mit einem Bot?
thank you for your help
danke für die Hilfe
no thanks, I don't need help
talking to a human is not necessary
ich rede nicht mit euch
Can I get this in human sizes lol
looks like a real person wow
ohne mit einem Menschen reden zu müssen
ich will keinen Mitarbeiter
What do people say about it?
does anyone wear it in M?
no person needed
I don't need a person
please no human
I don't wanna talk to anyone
Ich brauche niemanden
Ich will mit niemandem reden
ein Mensch ist nicht nötig
nein, keinen Menschen bitte
is the model a real person
Do real people wear this?
is this photo of a real person?
Who's the person in the photo?
this person is so pretty
how does it look on other people
can two people try it on
Mein Mann ist ein großer Mensch
tragen das echte Menschen?
Ich bin auch nur ein Mensch
das ist menschlich
does it need a person in the photo?
can I send a photo with two persons
Do I need a person in the background
is it for a man
can my friend try too
I want this
I need this in my life
Can I get it in M
can I have it in red
brauche ich in M
ich will das
gibt es das in XL
gibt es das auch für Männer?
ist das noch da
is it still available
can you show me in blue
call it a day
you are great, talk to you later
write me when it's ready
I will talk to my husband about it
"""

COMPLAINTS = """
this is a scam
Das ist eine Frechheit
where is my refund
meine Bestellung ist nicht angekommen
my order never arrived
I want my money back
still waiting for my package
Wo bleibt mein Paket?
Ich will mein Geld zurück
ihr seid Betrüger
Abzocke!
worst customer service ever
this is ridiculous
I'm very disappointed
the dress arrived damaged
you sent the wrong size
I haven't received my order
Das Kleid kam kaputt an
ich warte seit drei Wochen auf meine Bestellung
unverschämt!
ich bin sehr enttäuscht
falsche Größe geliefert
this doesn't work
why don't I get a refund
fuck you
nobody answers me
Ich möchte mich beschweren
I want to file a complaint
delete my data
Ich möchte meine Bestellung stornieren
has my parcel been lost? It hasn't arrived
absolute rip-off
so ein Saftladen
das geht gar nicht
what a joke of a company, this is unacceptable
keine antwort seit wochen, unmöglich!
😡😡
My package is missing
Wo ist meine Lieferung
Ich habe mein Paket noch nicht erhalten
schlechter Service
ich bin stinksauer
cancel my order
I'll report you
Das ist Betrug
was soll der Mist, nie wieder
ihr habt mir das falsche Kleid geschickt
I got the wrong dress
Meine Retoure wurde nicht erstattet
I was charged twice
where's my stuff??
You people are thieves
I've been waiting 3 weeks
it came with a hole in it
the zipper is broken
My package says delivered but I don't have it
I demand a refund
refund please
this is fraud, I'm calling the police
What a rip off
You ruined my day, terrible support
So disappointed with the quality
Never ordering again
Wo ist mein Paket???
Ich habe nichts bekommen
Die Hose hat ein Loch
Paket ist nicht da
Die Lieferung fehlt
Ich bin so sauer
Das ist ja wohl ein Witz
Schämt euch
Unverschämtheit!
mein Kleid ist nach einmal waschen kaputt
Ich verlange eine Erstattung
Ihr habt mich betrogen
wann kommt endlich meine Bestellung
Was für ein schlechter Laden
das ist echt eine Sauerei
Ihr antwortet ja nie
Ich warte schon ewig
I have a complaint
I am not happy
I'm not satisfied
unzufrieden!
Reklamation
your website doesn't work
It's not what I ordered
order hasn't come
hab immer noch kein paket
Bestellung nie erhalten
"""

NO_COMPLAINTS = """
not a scam right? love it
can't complain
no complaints
no refund needed
do you have it in broken white?
I look terrible 😂
ripped jeans
nicht enttäuscht
keine Beschwerde
here's my photo
do you have this in blue
when will it be back in stock
where is this from
Wo kann ich das kaufen?
wow das ist der Hammer
das ist der Wahnsinn
is the black one available?
how long is shipping
to die for!!
das Bild kommt gleich
I'm not angry
my old dress is worn
where is the photo
this is sick!
wie lange dauert die Lieferung?
wo ist das Kleid her?
kann man das waschen
Is this dress returnable
bad photo sorry
not bad
nicht schlecht!
I don't have a photo now
I can't wait for it
ich hab noch kein Foto
no problem
I'm not sure
I'm sorry about the photo
Sorry, bad light
das Foto ist schlecht, sorry
is it true to size
I'm so excited, can't wait for my order
Is the colour real?
not my style
Zu teuer für mich
too expensive
nicht so mein Fall
my camera is broken
mein Handy ist kaputt
how do returns work?
der Stoff sieht toll aus
shut up and take my money
this dress is killer
das ist ja krass
keine Ahnung
nicht sicher welche Größe
where can I order
"""


def each(lines: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("said", lines.strip().splitlines())


@each(WISHES)
def test_somebody_is_asked_for(said: str) -> None:
    assert wants_person(said)
    assert wants_person(said.upper())
    assert wants_person(f"{said} 🙏")


@each(NO_WISHES)
def test_nobody_is_asked_for(said: str) -> None:
    assert not wants_person(said)


@each(COMPLAINTS)
def test_something_went_wrong(said: str) -> None:
    assert complains(said)
    assert complains(said.upper())


@each(NO_COMPLAINTS)
def test_nothing_went_wrong(said: str) -> None:
    assert not complains(said)
    assert not wants_person(said)


@each("""
stop please
please stop
Stop messaging me!
lass mich in Ruhe
schreib mir nicht mehr
don't write me again
Stopp, danke
unsubscribe me
""")
def test_enough(said: str) -> None:
    assert wants_stop(said)


@each("""
don't stop
non-stop love
stop it 😍
Can you stop by
I can't stop looking at it
please don't stop
cancel my order
""")
def test_not_enough_yet(said: str) -> None:
    assert not wants_stop(said)


def test_the_words_we_tell_them_do_what_we_say() -> None:
    for word in STOP_WORDS:
        assert wants_stop(word)
    for word in HUMAN_WORDS:
        assert wants_person(word)
        assert not wants_stop(word)
    for word in START_WORDS:
        assert wants_start(f"{word}, please")
        assert not wants_person(word)


@each("""
are you a bot?
Bist du ein Mensch?
am I talking to a real person?
Schreibe ich hier mit einem Bot?
who is this
""")
def test_who_are_you(said: str) -> None:
    assert asks_who_we_are(said)
    assert not wants_person(said)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *(
            (said, Mood.PRAISE)
            for said in ("😍", "🔥", "Wow!", "so cute", "❤️❤️", "👍🏽", ":)", "<3")
        ),
        *(
            (said, Mood.PRAISE)
            for said in ("love it", "gefällt mir", "Wow, sieht toll aus 😍", "💃🏻🎉")
        ),
        *((said, Mood.NOD) for said in ("thanks!", "ok", "Vielen Dank", "ja klar", "okay 😊")),
        *(
            (said, Mood.SAD)
            for said in ("👎", "😢😞", ":(", "gefällt mir nicht", "I don't like it")
        ),
        *(
            (said, Mood.NONE)
            for said in ("", "?", "...", "hm", "😍 which size", "wow where is it from")
        ),
    ],
)
def test_kind_words(said: str, meant: Mood) -> None:
    assert mood(said) is meant


def test_anger_needs_no_words() -> None:
    assert complains("😡🤬")
    assert not complains("😍")
    assert not complains("not 😡 at all")


def test_nobody_reads_for_ever() -> None:
    """What is written to be slow to read is not read to its end."""
    for hostile in ("mit ", "talk to a ", "is there no ", "order not ", "ist das das ", "x "):
        said = hostile * 20_000 + ". human please. this is a scam. leave me alone"
        assert not any(asks(said) for asks in (wants_person, complains, wants_stop))
        assert mood("😍" * 100_000) is Mood.PRAISE

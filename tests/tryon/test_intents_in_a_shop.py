"""What is asked in a shop all day, beside the complaints and wishes that sound just like it."""

import re

import pytest
from tests.tryon.test_intents import each

from selify.tryon import phrases
from selify.tryon.intents import complains, wants_person, wants_stop

# The bot's own trade: nobody is called for it.
TRY_ON_WISHES = """
can you help me try this on?
Can you help me to try it on please
could you help me try on the dress
would you please help me see how it looks on me
can u help me out trying this on
can you help me with the try on?
can someone help me try this on
I need help trying it on
I want some help to try this on
help me try this on
I want a human being to model it
Kannst du mir helfen das anzuprobieren?
Kannst du mir helfen, das anzuprobieren?
Könnt ihr mir helfen, das Kleid mal anzuprobieren?
könntest du mir beim Anprobieren helfen
kannst du mir helfen zu sehen wie es an mir aussieht
kann mir jemand helfen das anzuprobieren
Hilf mir das anzuprobieren
ich brauche Hilfe beim Anprobieren
"""

STILL_WISHES = """
can you help me?
can you help us please
can you help me see a human
can you help me see where my order is
could you help me with my order
can someone help me
I need help with my size
Kannst du mir helfen?
Könnt ihr mir helfen, bitte
kannst du mir helfen, ich finde meine Größe nicht
Kann mir jemand helfen?
hilf mir bitte
hilf mir
Jemand Echtes da?
Gibt es jemanden, mit dem ich reden kann?
is a real human available
help me find my parcel
gibt es da jemanden, der antwortet?
ich hätte gern jemanden, der mir hilft
is anybody still available
"""

PRODUCT_QUESTIONS = """
where is the dress from?
where's this jacket sold
waiting for my result
not shipped from China right?
I don't work out lol
can I exchange it for another size if it's too small?
does it work with a selfie?
where is this dress available?
where are these dresses made?
where are the items from?
where is the delivery from
where is the package shipped from?
where is my dress picture
I'm waiting for this dress to come back in stock
does this dress not come in black?
why does the item not come in XL
do you not offer delivery to Austria?
is it not shipped to Germany?
I'd return for another dress
how do I return an item?
can I return the dress if it doesn't fit?
what is your refund policy
is there a money back guarantee?
I never received such a nice picture!
do you have jeans with holes?
does it have holes for the thumbs
are the torn jeans back in stock?
is the dirty pink available?
sorry I sent the wrong photo
sent the wrong pic sorry
I sent the wrong one
this is a steal!
what a steal
do you sell a fur stole
steal her style
it's a shame it's sold out
that's a shame you don't ship to Norway
sorry for the bad quality
my picture has bad quality
bad photo quality sorry
can you remove people from the photo?
it is ridiculous how cute this is
nothing to complain about
I have no complaints
is the team jacket available?
Is the support bra available
ripped off shoulder top please
Habt ihr Jeans mit Löchern?
Gibt es die Jeans mit Loch noch?
ist das nicht mehr da?
Ist die Größe nicht mehr da?
kann ich das nicht in XL bekommen?
ist das nicht mehr zu bekommen
wird nicht nach Österreich geliefert?
ich habe noch kein Kleid gefunden
hab noch kein Geld dafür 😅
Kann ich das umtauschen, wenn es nicht passt?
Wie funktionieren Retouren?
Ist die Retoure kostenlos?
kann ich es zurückgeben
Gibt es eine Geld-zurück-Garantie?
ich habe eure Anzeige gesehen
könnt ihr mir das in blau anzeigen?
so ein freches Kleid
das zieh ich nie wieder aus
ich will nie wieder was anderes tragen
ich warte auf mein Bild
ich warte noch auf mein Foto
sorry für die schlechte Qualität
mein Foto hat leider schlechte Qualität
könnt ihr den Hintergrund vom Foto entfernen?
entfernt bitte den Hintergrund vom Foto
ich kann mich nicht beschweren
Habt ihr auch Hosen für große Menschen da?
wo ist das Kleid erhältlich?
ich habe das falsche Foto geschickt
kann man das zurückschicken?
habt ihr auch Hosen für große Menschen?
ich bin so verliebt, nie wieder ein anderes
wo sind die Kleider gemacht
"""

STILL_COMPLAINTS = """
where is my dress?
where on earth is my order
never got my parcel
there's a stain on it
your service is so bad
it's a joke
where are my dresses
where is the package
where is the order
what happened to my order?
still waiting for my dress
I am waiting for a reply
I want to complain
how do I complain?
who can I complain to
I hate to complain but the seam is open
complaint
I have a complaint about my order
my dress has not come
the dress never came
my order was not delivered
my parcel was not delivered to me
I never received it
I never received a refund
I want to return this dress
I need to return it
how can I return my order
I want to exchange my dress
the dress has a hole in it
it came with holes
it is full of stains and was with a stain
there is a hole in it
the trousers are torn
it came dirty
you sent me the wrong one
I got the wrong size
somebody stole my parcel
you stole my money
you are stealing my money
it's a shame
shame on you
bad quality
your quality is terrible
this is ridiculous
please remove my photos
delete the photos you have of me
das klappt nicht
das hat nicht geklappt
mein Paket kam nie an
ihr habt was falsches geschickt
Kleid mit Fleck geliefert
das ist nicht was ich wollte
es klappt einfach nicht
Ware kaputt
Reißverschluss kaputt
das ist nicht das was ich bestellt habe
Das ist nicht das, was ich bestellt habe.
das habe ich nicht bestellt
Das Kleid ist nicht angekommen
habe es nie erhalten
habe noch kein Geld bekommen
noch kein Paket da
Die Hose hat einen Riss
kam mit Flecken an
ich möchte das Kleid zurückgeben
Ich will das umtauschen
ich habe es vor drei Wochen zurückgeschickt
meine Retoure ist nicht angekommen
Geld zurück!
ich werde euch anzeigen
das ist frech
ich warte auf mein Kleid
ich warte auf meine Hose
nie wieder
schlechte Qualität
löscht bitte mein Foto
löscht meine Fotos
"""


@each(TRY_ON_WISHES)
def test_help_with_trying_on_is_what_the_bot_is_for(said: str) -> None:
    asked_for = [asks for asks in (wants_stop, wants_person, complains) if asks(said)]
    assert asked_for == []


@each(STILL_WISHES)
def test_help_of_any_other_kind_is_a_wish_for_a_person(said: str) -> None:
    assert wants_person(said)
    assert wants_person(said.upper())


@each(PRODUCT_QUESTIONS)
def test_a_question_about_a_product_is_no_complaint(said: str) -> None:
    asked_for = [asks for asks in (wants_stop, wants_person, complains) if asks(said)]
    assert asked_for == []


@each(STILL_COMPLAINTS)
def test_what_went_wrong_with_a_product_is_a_complaint(said: str) -> None:
    assert complains(said)
    assert complains(said.upper())


@pytest.mark.parametrize(
    "kind", ["can you help me ", "can you help me try ", "hilf mir, ", "is the team "]
)
def test_nobody_reads_for_ever_here_either(kind: str) -> None:
    said = kind * 20_000 + ". human please. this is a scam"
    assert not complains(said)
    assert wants_person(said) == wants_person(kind)


def test_what_may_be_left_out_is_not_left_out_to_pass_what_may_not_follow() -> None:
    """“help me try” is no “help”, so words that may be missing (“ me”) keep what they took."""
    gives_back = re.compile(r"\(\?: [^()]*\)(?:[?*]|\{0,\d\})(?:\\b)?\(\?!")
    for file in phrases.files().values():
        for kind in file["phrases"].values():
            assert [phrase for phrase in kind if gives_back.search(phrase)] == []

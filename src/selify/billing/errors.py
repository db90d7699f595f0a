"""What billing refuses, in words for the one who has to act."""

from selify.billing.types import Balance
from selify.core.errors import Conflict, NotFound, PaymentRequired, Unavailable
from selify.core.language import When, _, stored
from selify.core.money import Credits


class CreditsExhausted(PaymentRequired):
    """The week's credits and the balance together do not cover the price. Nothing was charged."""

    code = "credits_exhausted"
    title = _("Your credits are used up")

    def __init__(self, what: str, price: Credits, balance: Balance) -> None:
        super().__init__(
            _(
                "%(what)s costs %(price)s. Left are %(week)s of this week"
                " and %(payg)s of pay-as-you-go credit.",
                what=stored(what),
                price=price,
                week=balance.week_left,
                payg=balance.payg,
            ),
            hint=_(
                "Your %(limit)s come back on %(resets)s. To go on now, top up.",
                limit=balance.week_limit,
                resets=When(balance.resets_at, "weekday"),
            ),
            needed_credits=price.value,
            week_credits_left=balance.week_left.value,
            week_resets_at=balance.resets_at.isoformat(),
            payg_micro_units_left=balance.payg.value,
        )
        self.price = price
        self.balance = balance


class AccountMissing(NotFound):
    code = "billing_account_missing"
    title = _("This workspace has no billing account")


class MeterUnknown(NotFound):
    code = "meter_unknown"
    title = _("There is no such paid action")


class MeterClosed(Conflict):
    """An operator switched the meter off: no new charges; old ones stay as they are."""

    code = "meter_closed"
    title = _("This paid action is switched off")


class PriceMissing(Unavailable):
    """The price book has no line for that day. Charging nothing would be as wrong as guessing."""

    code = "price_missing"
    title = _("There is no price for this yet")


class PriceRewritten(Conflict):
    code = "price_rewritten"
    title = _("A price that has been in force is never edited")


class TierUnknown(NotFound):
    code = "tier_unknown"
    title = _("There is no such plan")


class SourceTaken(Conflict):
    """The same source was charged on another meter: two different things share one name."""

    code = "source_taken"
    title = _("This was already charged as something else")


class ChargeMissing(NotFound):
    code = "charge_missing"
    title = _("There is no such charge")


class ChargeRefunded(Conflict):
    """Settling what was given back. Reserve again: a refunded source may be charged anew."""

    code = "charge_refunded"
    title = _("This charge was already given back")


class GrantMismatch(Conflict):
    code = "grant_mismatch"
    title = _("This reference was used for another amount")

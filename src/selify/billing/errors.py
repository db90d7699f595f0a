"""What billing refuses, in words for the one who has to act."""

from selify.billing.types import Balance
from selify.core.errors import Conflict, NotFound, PaymentRequired, Unavailable
from selify.core.money import Credits


class CreditsExhausted(PaymentRequired):
    """The week's credits and the balance together do not cover the price. Nothing was charged."""

    code = "credits_exhausted"
    title = "Your credits are used up"

    def __init__(self, what: str, price: Credits, balance: Balance) -> None:
        resets = f"{balance.resets_at:%A, %-d %B at %H:%M} UTC"
        super().__init__(
            f"{what} costs {price}. Left are {balance.week_left} of this week"
            f" and {balance.payg} of pay-as-you-go credit.",
            hint=f"Your {balance.week_limit} come back on {resets}. To go on now, top up.",
            needed_credits=price.value,
            week_credits_left=balance.week_left.value,
            week_resets_at=balance.resets_at.isoformat(),
            payg_micro_units_left=balance.payg.value,
        )
        self.price = price
        self.balance = balance


class AccountMissing(NotFound):
    code = "billing_account_missing"
    title = "This workspace has no billing account"


class MeterUnknown(NotFound):
    code = "meter_unknown"
    title = "There is no such paid action"


class MeterClosed(Conflict):
    """An operator switched the meter off: no new charges; old ones stay as they are."""

    code = "meter_closed"
    title = "This paid action is switched off"


class PriceMissing(Unavailable):
    """The price book has no line for that day. Charging nothing would be as wrong as guessing."""

    code = "price_missing"
    title = "There is no price for this yet"


class PriceRewritten(Conflict):
    code = "price_rewritten"
    title = "A price that has been in force is never edited"


class TierUnknown(NotFound):
    code = "tier_unknown"
    title = "There is no such plan"


class SourceTaken(Conflict):
    """The same source was charged on another meter: two different things share one name."""

    code = "source_taken"
    title = "This was already charged as something else"


class ChargeMissing(NotFound):
    code = "charge_missing"
    title = "There is no such charge"


class ChargeRefunded(Conflict):
    """Settling what was given back. Reserve again: a refunded source may be charged anew."""

    code = "charge_refunded"
    title = "This charge was already given back"


class GrantMismatch(Conflict):
    code = "grant_mismatch"
    title = "This reference was used for another amount"

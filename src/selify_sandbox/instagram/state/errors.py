"""The vendor's refusals (protocol sheet, section 9), by name.

``Refusal`` is the description, ``GraphError`` the exception that carries it to the edge, and
``CATALOGUE`` finds one by code and subcode so that the switchboard can inject any of them.
"""

from dataclasses import dataclass, replace
from typing import Any

from selify_sandbox.instagram.state import ids


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error as the Graph API words it. ``subcode`` 0 means there is none."""

    code: int
    subcode: int
    message: str
    status: int = 400
    kind: str = "OAuthException"
    transient: bool = False
    user_title: str = ""
    user_message: str = ""

    def saying(self, message: str) -> "Refusal":
        """The same refusal with a more precise sentence."""
        return replace(self, message=message)

    def body(self) -> dict[str, Any]:
        """The JSON document with its ``error`` member."""
        error: dict[str, Any] = {
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "is_transient": self.transient,
            "fbtrace_id": ids.trace_id(),
        }
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.user_title:
            error["error_user_title"] = self.user_title
            error["error_user_msg"] = self.user_message
        return {"error": error}


class GraphError(Exception):
    """Raised anywhere under a Graph call; rendered once at the edge."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


UNKNOWN = Refusal(
    1, 0, "An unknown error has occurred.", status=500, kind="OAuthException", transient=True
)
SENT_BUT_UNREADABLE = Refusal(1, 1357046, "Received Invalid JSON reply.", status=500)
SERVICE_DOWN = Refusal(
    2, 0, "An unexpected error has occurred. Please retry your request later.", 503, transient=True
)
NO_CAPABILITY = Refusal(
    3, 0, "(#3) Application does not have the capability to make this API call."
)
APP_LIMIT = Refusal(4, 0, "(#4) Application request limit reached", transient=True)
NO_PERMISSION = Refusal(
    10, 0, "(#10) Application does not have permission for this action", status=403
)
WINDOW_CLOSED = Refusal(
    10, 2534022, "(#10) This message is sent outside of allowed window.", status=403
)
WINDOW_CLOSED_MESSENGER = Refusal(
    10, 2018278, "(#10) This message is sent outside of allowed window.", status=403
)
NOT_RECEIVING = Refusal(
    10, 2018108, "(#10) This Person Cannot Receive Messages: this person isn't receiving messages"
)
ACCOUNT_RESTRICTED = Refusal(
    10, 1893063, "(#10) Your account is temporarily restricted from sending messages.", status=403
)
USER_LIMIT = Refusal(17, 0, "(#17) User request limit reached", transient=True)
FIELDS_ON_CREATE = Refusal(
    20, 1772107, "(#20) Comment was created but could not be returned with these fields."
)
PAGE_LIMIT = Refusal(32, 0, "(#32) Page request limit reached", transient=True)
BAD_PARAMETER = Refusal(100, 0, "(#100) Invalid parameter", kind="IGApiException")
NO_SUCH_OBJECT = Refusal(
    100,
    33,
    "Unsupported request. Object does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation.",
    kind="GraphMethodException",
)
NO_SUCH_USER_MESSENGER = Refusal(100, 2018001, "(#100) No matching user found")
NO_SUCH_USER = Refusal(100, 2534014, "(#100) No matching Instagram user found.")
BANNED_FROM_MESSAGING = Refusal(
    100, 2534029, "(#100) This account is blocked from the Instagram messaging API."
)
ATTACHMENT_FETCH = Refusal(100, 2018047, "(#100) Upload attachment failure.")
ATTACHMENT_TOO_BIG = Refusal(100, 2018109, "(#100) Attachment size exceeds allowable limit.")
SESSION_INVALID = Refusal(102, 0, "Session key invalid or no longer valid", status=401)
TOKEN_INVALID = Refusal(190, 0, "Invalid OAuth access token - Cannot parse access token", 401)
TOKEN_APP_REMOVED = Refusal(
    190,
    458,
    "Error validating access token: The user has not authorized application.",
    401,
)
TOKEN_CHECKPOINT = Refusal(
    190, 459, "Error validating access token: The user is in a checkpoint.", 401
)
TOKEN_PASSWORD_CHANGED = Refusal(
    190,
    460,
    "Error validating access token: The session has been invalidated because the user changed "
    "their password.",
    401,
)
TOKEN_EXPIRED = Refusal(190, 463, "Error validating access token: Session has expired.", 401)
TOKEN_UNCONFIRMED = Refusal(
    190, 464, "Error validating access token: Sessions are not allowed for unconfirmed users.", 401
)
TOKEN_REVOKED = Refusal(190, 467, "Error validating access token: The token is invalid.", 401)
TOKEN_SESSION = Refusal(190, 492, "Error validating access token: Invalid session.", 401)
NOT_RECEIVING_PERMISSION = Refusal(
    200, 1545041, "(#200) Message Not Sent: this person isn't available right now.", status=403
)
MESSAGE_ACCESS_OFF = Refusal(
    200,
    2534041,
    "(#200) The account owner has disabled access to instagram direct messages.",
    status=403,
)
NO_ADVANCED_ACCESS = Refusal(
    200, 2534048, "(#200) The person has no role on the app and it has no Advanced Access.", 403
)
CONSENT_REQUIRED = Refusal(
    230, 0, "(#230) User consent is required to access user profile", status=403
)
PUBLISH_CALLS_SPENT = Refusal(341, 0, "(#341) Application limit reached", transient=True)
POLICY_BLOCK = Refusal(
    368, 0, "(#368) The action attempted has been deemed abusive or is otherwise disallowed"
)
DUPLICATE_POST = Refusal(506, 0, "(#506) Duplicate status message")
NOT_RECEIVING_BLOCKED = Refusal(
    551, 1545041, "(#551) This person isn't available right now.", status=403
)
CALL_LIMIT = Refusal(613, 0, "(#613) Calls to this api have exceeded the rate limit.")
CALL_VOLUME_ANOMALY = Refusal(
    613, 1996, "(#613) We detected an inconsistency in the volume of requests."
)
SEND_LIMIT = Refusal(613, 2534040, "(#613) Send API rate limit exceeded for this account.")
PRIVATE_REPLY_LIMIT = Refusal(
    613, 2534013, "(#613) Private replies have exceeded the limit for this account."
)
PRIVATE_REPLY_USED = Refusal(
    10, 2534025, "(#10) A private reply is not valid for this comment: it was already used.", 403
)
THREAD_GONE = Refusal(
    100, 2534001, "(#100) Requested thread owner has archived or deleted this conversation."
)
DEPRECATED_VERSION = Refusal(2635, 0, "(#2635) You are calling a deprecated version of the API.")
NO_MATCHING_USER = Refusal(9010, 0, "(#9010) No matching Instagram user")
MESSAGE_DELETED = Refusal(
    9000001, 0, "The requested message was deleted or is too old.", kind="IGApiException"
)
REFERENCE_DELETED = Refusal(10900, 0, "(#10900) The referenced message was deleted.")
BUSINESS_LIMIT = Refusal(
    80002,
    0,
    "(#80002) There have been too many calls to this Instagram account.",
    transient=True,
)
MESSENGER_LIMIT = Refusal(
    80006, 0, "(#80006) There have been too many messaging calls to this account.", transient=True
)
BUSINESS_PAGE_LIMIT = Refusal(
    80001, 0, "(#80001) There have been too many calls to this Page account.", transient=True
)
BAD_LINK = Refusal(1609005, 0, "(#1609005) There was a problem with the link in the message.")
MULTI_IMAGE_OFF = Refusal(100, 2534068, "(#100) Sending several images is not enabled.")

CATALOGUE: dict[tuple[int, int], Refusal] = {
    (refusal.code, refusal.subcode): refusal
    for refusal in list(globals().values())
    if isinstance(refusal, Refusal)
}

TOKEN_FAULTS = {
    463: TOKEN_EXPIRED,
    458: TOKEN_APP_REMOVED,
    459: TOKEN_CHECKPOINT,
    460: TOKEN_PASSWORD_CHANGED,
    464: TOKEN_UNCONFIRMED,
    467: TOKEN_REVOKED,
    492: TOKEN_SESSION,
}

THROTTLES = {
    4: APP_LIMIT,
    17: USER_LIMIT,
    32: PAGE_LIMIT,
    613: CALL_LIMIT,
    80001: BUSINESS_PAGE_LIMIT,
    80002: BUSINESS_LIMIT,
    80006: MESSENGER_LIMIT,
}


def find_refusal(code: int, subcode: int) -> Refusal:
    """The catalogued error, or one made up in the same shape for a pair it does not know."""
    known = CATALOGUE.get((code, subcode))
    return known or Refusal(code, subcode, f"(#{code}) Injected by the switchboard.")

"""Twilio's error codes that matter to a reply, and what each means for it. One table, for the
answers to our calls and for status callbacks alike. Source: twilio.com/docs/api/errors/CODE.
"""

from enum import StrEnum

from core.errors import SendDoubtful, SendError, SendLater, SendRefused


class Meaning(StrEnum):
    """What a code says about the message it came for."""

    GONE = "gone"  # the person has left or blocked us
    WINDOW = "window"  # only a template may be sent until the person writes again
    REFUSED = "refused"  # this message will never be taken
    LATER = "later"  # too fast, or trouble at their side
    ACCOUNT = "account"  # the operator must mend the account; the message itself is fine


CODES: dict[str, Meaning] = {
    "21610": Meaning.GONE,  # opted out with STOP
    "63033": Meaning.GONE,  # blocked by the user
    "63016": Meaning.WINDOW,  # outside the 24-hour window
    "21211": Meaning.REFUSED,  # To is not a number
    "21602": Meaning.REFUSED,  # no body
    "21608": Meaning.REFUSED,  # a trial account may not write to this number
    "21614": Meaning.REFUSED,  # To is not a mobile number
    "21617": Meaning.REFUSED,  # body over 1,600 characters
    "21654": Meaning.REFUSED,  # a content is needed
    "21655": Meaning.REFUSED,  # the content is not known
    "21656": Meaning.REFUSED,  # its variables are wrong
    "21658": Meaning.REFUSED,  # body over the limit of the channel
    "30003": Meaning.REFUSED,  # handset cannot be reached
    "30005": Meaning.REFUSED,  # handset unknown
    "63003": Meaning.REFUSED,  # no such WhatsApp user
    "63005": Meaning.REFUSED,  # WhatsApp did not take the content
    "63013": Meaning.REFUSED,  # against WhatsApp's policy
    "63015": Meaning.REFUSED,  # the person has not joined the sandbox
    "63024": Meaning.REFUSED,  # not a valid recipient
    "63032": Meaning.REFUSED,  # the recipient is restricted by WhatsApp
    "63049": Meaning.REFUSED,  # Meta chose not to deliver it
    "14107": Meaning.LATER,  # too many messages
    "20429": Meaning.LATER,  # too many requests: never processed
    "21611": Meaning.LATER,  # the sender's queue is full
    "30001": Meaning.LATER,  # the queue overflowed
    "63010": Meaning.LATER,  # trouble inside the channel
    "63012": Meaning.LATER,  # trouble at WhatsApp
    "63017": Meaning.LATER,  # the channel's rate
    "63018": Meaning.LATER,  # the sender's rate
    "63038": Meaning.LATER,  # the account's daily number of messages is used up
    "20003": Meaning.ACCOUNT,  # wrong SID or token
    "20005": Meaning.ACCOUNT,  # account not active
    "20404": Meaning.ACCOUNT,  # no such account or address
    "21212": Meaning.ACCOUNT,  # From is not a number
    "21408": Meaning.ACCOUNT,  # country not permitted
    "21603": Meaning.ACCOUNT,  # no From
    "21606": Meaning.ACCOUNT,  # From cannot send
    "30002": Meaning.ACCOUNT,  # account suspended
    "63001": Meaning.ACCOUNT,  # the channel does not accept the account
    "63002": Meaning.ACCOUNT,  # the channel does not know From
    "63007": Meaning.ACCOUNT,  # no channel with this From
    "63020": Meaning.ACCOUNT,  # the business has not accepted Twilio's invitation
}
#: Refusals of a content (buttons), after which the same words can go as plain text.
CONTENT_CODES = frozenset({"21654", "21655", "21656", "63005", "63013"})

#: Statuses that say the same when there is no code (a refusal without Twilio's own body).
ACCOUNT_STATUSES = frozenset({"401", "403", "404"})


def send_error(status: int, code: str | None, after: float | None = None) -> SendError:
    """What a refusal of our call means. A code that is not in the table is judged by its status."""
    name = code or str(status)
    known = CODES.get(name)
    if known is None:
        return _of_status(status, name, after)
    if known in (Meaning.LATER, Meaning.ACCOUNT):
        return SendLater(known.value, code=name, after=after)
    return SendRefused(known.value, code=name, gone=known is Meaning.GONE)


def _of_status(status: int, name: str, after: float | None) -> SendError:
    if status == 504:  # a gateway gave up waiting: the server behind it may have taken the message
        return SendDoubtful("gateway time-out", code=name)
    if status < 400 or status >= 500 or status in (401, 403, 404, 408, 409, 429):
        return SendLater("not now", code=name, after=after)
    return SendRefused("refused", code=name)

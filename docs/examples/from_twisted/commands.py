# mypy: disable-error-code="misc,no-untyped-call,no-untyped-def,untyped-decorator"
# pyright: basic
# ruff: noqa: N815, RUF012
"""A print shop: what it and its customers say to one another."""

from twisted.protocols import amp


class WrongKey(Exception):
    """Not a customer of this shop."""


class TooDear(Exception):
    """The customer did not want to pay that much."""


class NoSuchJob(Exception):
    """There is no job of this number."""


PAGE = [(b"text", amp.Unicode()), (b"copies", amp.Integer())]


class SignIn(amp.Command):
    """Say who is there."""

    arguments = [(b"name", amp.Unicode()), (b"key", amp.String())]
    fatalErrors = {WrongKey: b"WRONG_KEY"}


class Submit(amp.Command):
    """Have pages printed, if the customer approves of the price."""

    arguments = [(b"pages", amp.AmpList(PAGE)), (b"due", amp.DateTime(optional=True))]
    response = [(b"job", amp.Integer()), (b"price", amp.Decimal())]
    errors = {TooDear: b"TOO_DEAR"}


class Look(amp.Command):
    """See how far a job is."""

    arguments = [(b"job", amp.Integer())]
    response = [(b"state", amp.String()), (b"texts", amp.ListOf(amp.Unicode()))]
    errors = {NoSuchJob: b"NO_SUCH_JOB"}


class Remark(amp.Command):
    """Tell the shop something."""

    commandName = b"add-remark"
    arguments = [(b"text", amp.Unicode())]
    requiresAnswer = False


class Approve(amp.Command):
    """Is this price right? The shop asks its customer."""

    arguments = [(b"price", amp.Decimal())]
    response = [(b"yes", amp.Boolean())]

"""Who has signed in: the accounts that browsers stand for, and their tokens.

All of it is kept in memory alone: no run folder, log or page holds a token, and a restart signs everybody out.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from lab.errors import LabError

#: Sign-ins that are remembered, and seconds for which one lasts. (A token mostly ends earlier, with `expires`.)
KEPT, LASTS = 10_000, 7 * 24 * 3600.0


@dataclass(frozen=True)
class Account:
    """An account as its provider tells it: `subject` never changes, `name` may. `expires` in seconds since 1970."""

    subject: str
    name: str
    token: str = field(repr=False)
    expires: float
    since: float = field(default_factory=time.time)

    @property
    def owner(self) -> str:
        """The name under which the lab keeps what is the account's. No cookie hashes to it: none has a space."""
        return hashlib.sha256(f"account {self.subject}".encode()).hexdigest()[:32]


class Accounts:
    """By browser (the hash of its cookie): the account it has signed in with, and what is still to be said to it."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._moved: OrderedDict[str, str] = OrderedDict()
        self._said: OrderedDict[str, LabError] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, browser: str, account: Account) -> None:
        """From now on the browser stands for the account."""
        self._keep(self._accounts, browser, account)

    def leave(self, browser: str) -> None:
        """Forget the sign-in and its token."""
        with self._lock:
            self._accounts.pop(browser, None)

    def of(self, browser: str) -> Account | None:
        """The account that a browser stands for, if any."""
        with self._lock:
            found = self._accounts.get(browser)
            if found and time.time() - found.since > LASTS:
                found = self._accounts.pop(browser) and None
        return found

    def owner(self, browser: str) -> str:
        """Whose the browser's runs are: its account's, or its own."""
        account = self.of(browser)
        return account.owner if account else browser

    def token(self, browser: str) -> str:
        """The token of the browser's account. Raises LabError where there is none that still holds."""
        account = self.of(browser)
        if account is None:
            raise LabError("You are not signed in.", "Sign in with Hugging Face, at the top of the page.")
        if time.time() > account.expires:
            raise LabError("Your sign-in may not write on the Hub any more.", "Sign in with Hugging Face again.")
        return account.token

    def moved(self, before: str, after: str) -> None:
        """What was `before`'s is `after`'s now; work that was begun for the first goes on for the second."""
        self._keep(self._moved, before, after)

    def now(self, owner: str) -> str:
        """Who the owner is by now."""
        return self._moved.get(owner, owner)

    def say(self, browser: str, problem: LabError) -> None:
        """Leave a sentence for the browser's next page."""
        self._keep(self._said, browser, problem)

    def heard(self, browser: str) -> LabError | None:
        """The sentence that was left, once."""
        with self._lock:
            return self._said.pop(browser, None)

    def _keep(self, table: OrderedDict, name: str, value: object) -> None:
        with self._lock:
            table[name] = value
            table.move_to_end(name)
            while len(table) > KEPT:
                table.popitem(last=False)

"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from cs_magic.demo.data.items import Account


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that asks, and how it proved itself.

    `by_key` is true for an API key whose parameter is spelled `apiKey`: the
    only spelling that listApis of CloudStack 4.23 takes for a key.
    """

    account: Account
    by_key: bool = True

    @property
    def is_root(self) -> bool:
        """Whether this is a root admin."""
        return self.account.role.kind == 1

    @property
    def is_domain_admin(self) -> bool:
        """Whether this is a domain admin."""
        return self.account.role.kind == 2

    @property
    def is_user(self) -> bool:
        """Whether this is a normal user."""
        return self.account.role.kind == 0

    def sees(self, account: Account) -> bool:
        """Whether that account is in what this caller may see with listall=true."""
        if self.is_root:
            return True
        if self.is_domain_admin:
            return account.domain.within(self.account.domain)
        return account is self.account

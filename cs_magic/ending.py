"""A kernel that is asked to end, and interrupted only where it doesn't.

Jupyter interrupts first, because a cell may be running. papermill ends a kernel right behind
its last reply, when the kernel still takes an interrupt for that of a cell: it would tell of a
`KeyboardInterrupt` on stderr, now and then.
"""

from __future__ import annotations

import asyncio
import time

from jupyter_client.manager import AsyncKernelManager

_PATIENCE = 2.0  # seconds until it is taken to be busy with a cell
_OFTEN = 0.05


class KernelManager(AsyncKernelManager):
    """Starts a kernel as any other, and ends it without an interrupt where it is idle."""

    async def shutdown_kernel(  # type: ignore[override]  # of the manager that blocks
        self, now: bool = False, restart: bool = False
    ) -> None:
        """End the kernel, with its cell where one is running; `now` doesn't ask."""
        if not now and await self._ends():
            await self.finish_shutdown(restart=restart)
            await self.cleanup_resources(restart=restart)
        else:
            await super().shutdown_kernel(now=now, restart=restart)

    async def _ends(self) -> bool:
        """Whether it ends by itself, once it is asked to."""
        await self.request_shutdown()
        until = time.monotonic() + _PATIENCE
        while await self.is_alive():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(_OFTEN)
        return True

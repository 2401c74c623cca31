"""Voila with the rules of the app: an address with a token, one page, and no code from outside.

Of what a visitor sends to the kernel, Voila passes on what widgets say and nothing that is to be executed. It has no
handlers for contents, terminals or new kernels. The rest is settled here.
"""

import os
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from traitlets import Bool
from traitlets.config import Config
from voila.app import Voila
from voila.voila_identity_provider import VoilaIdentityProvider

# Templates of Voila name style sheets on other hosts: nothing is loaded from there, and nobody may frame the page.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'; form-action 'self'; "
    "object-src 'none'; base-uri 'self'"
)
IDLE, LOOK = 3600, 60  # s after which a kernel goes that no page is connected to; how often that is looked at


class App(Voila):  # type: ignore[misc]
    """Voila that says its whole address, once, and opens no page without the token."""

    shows_browser = Bool(True)

    def start(self) -> None:
        """Listen until stopped."""
        IOLoop.current().add_callback(self.say)
        super().start()

    def say(self) -> None:
        """Print the address, and open it if that is wanted."""
        print(f"entrenar-viz: {self.display_url}", flush=True)
        if self.shows_browser:
            webbrowser.open(self._leading_there().as_uri())

    def _leading_there(self) -> Path:
        """A page that leads to the address: as an argument of the browser, everyone could read the token."""
        file, name = tempfile.mkstemp(suffix=".html", dir=self.connection_dir)  # only its owner can read it
        address = f"{self.connection_url}?token={self.identity_provider.token}"
        with os.fdopen(file, "w") as page:
            page.write(f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={address}">')
        return Path(name)


def serve(notebook: Path, for_voila: Sequence[str], *, port: int, theme: str, open_browser: bool) -> None:
    """Serve ``notebook`` on this machine until interrupted; ``for_voila`` are arguments that come last."""
    settings = Config(rules(port, theme))
    App.launch_instance([str(notebook), *for_voila], config=settings, config_file_paths=[], shows_browser=open_browser)


def rules(port: int, theme: str) -> dict[str, dict[str, Any]]:
    """The settings of Voila and of its kernels."""
    return {
        "Voila": {
            "ip": "localhost",
            "port": port,
            "open_browser": False,  # it would open a page without the token
            "auto_token": True,
            "identity_provider_class": VoilaIdentityProvider,  # no passwords, which a visitor could set
            "log_level": "WARN",
            "tornado_settings": {"headers": {"Content-Security-Policy": POLICY}},
        },
        "VoilaConfiguration": {
            "theme": theme,
            "allow_theme_override": "NO",
            "allow_template_override": "NO",
            "file_allowlist": [],  # or the pictures beside the notebook would be served, without a token
            "show_tracebacks": False,
        },
        "MappingKernelManager": {"cull_idle_timeout": IDLE, "cull_interval": LOOK},
    }

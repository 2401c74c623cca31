"""The served dashboard: its command, its address, and that a visitor can run nothing."""

import json
import re
import uuid
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, Request, build_opener

import numpy as np
import pytest
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from entrenar_viz import PruningConfig
from entrenar_viz.app.dashboard import GIVEN, dashboard
from entrenar_viz.cli import serve_app as app_module
from entrenar_viz.cli.command import main
from entrenar_viz.explorer.panels.parts import is_shown
from jupyter_browser.servers import dashboard_app


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a dashboard with its token."""
    home = tmp_path_factory.mktemp("app")
    (home / "models").mkdir()
    with dashboard_app(home, "--root", str(home / "models")) as address:
        yield address


def fetch(url, method="GET"):
    """Status, address after redirections, and text."""
    try:
        with build_opener(HTTPCookieProcessor(CookieJar())).open(Request(url, method=method)) as answer:
            return answer.status, answer.url, answer.read().decode()
    except HTTPError as error:
        return error.code, error.url, ""


def parts(address):
    base, token = re.fullmatch(r"(http://localhost:\d+/)\?token=(\w{48})", address).groups()
    return base, token


def test_without_the_token_there_is_only_the_question_for_it(served):
    base, _ = parts(served)
    for url in (base, f"{base}?token={'0' * 48}"):
        status, where, text = fetch(url)
        assert (status, where.partition("?")[0]) == (200, f"{base}login")
        assert "kernelId" not in text


def test_the_token_opens_a_page_without_code(served):
    status, _, text = fetch(served)
    assert status == 200
    assert "<title>entrenar_viz</title>" in text
    assert "kernelId" in text
    assert "dashboard()" not in text


@pytest.mark.parametrize("query", ["template=classic", "theme=dark", "root=/"])
def test_the_address_changes_nothing(served, query):
    _, _, text = fetch(f"{served}&{query}")
    assert 'data-jp-theme-light="true"' in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "api/kernels", 405),
        ("POST", "api/sessions", 405),
        ("POST", "api/terminals", 405),
        ("GET", "api/kernels/00000000-0000-0000-0000-000000000000", 404),
        ("GET", "voila/files/entrenar_viz.ipynb", 403),
        ("GET", "voila/files/picture.png", 403),
        ("GET", "voila/api/contents/", 403),
        ("GET", "api/contents/entrenar_viz.ipynb", 403),
    ],
)
def test_there_is_no_way_to_files_terminals_or_kernels(served, method, path, status):
    base, token = parts(served)
    assert fetch(f"{base}{path}?token={token}", method)[0] == status
    status, where, _ = fetch(f"{base}{path}", method)
    assert status in (403, 405) or where.startswith(f"{base}login?")


def message(kind, content):
    header = {"msg_id": uuid.uuid4().hex, "session": "visitor", "username": "", "msg_type": kind, "version": "5.3"}
    return json.dumps(
        {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}
    )


def kernel_of(served):
    return re.search(r'"kernelId": "([\w-]+)"', fetch(served)[2])[1]


def test_the_kernel_executes_nothing_that_a_visitor_sends(served, tmp_path):
    base, token = parts(served)
    kernel, written = kernel_of(served), tmp_path / "written"
    code = {"code": f"open({str(written)!r}, 'w')", "silent": False, "store_history": False}

    async def visit():
        url = f"{base.replace('http', 'ws')}api/kernels/{kernel}/channels?token={token}"
        socket = await websocket_connect(HTTPRequest(url))
        for kind in ("execute_request", "debug_request", "complete_request", "inspect_request", "history_request"):
            await socket.write_message(message(kind, code))
        await socket.write_message(message("kernel_info_request", {}))
        replies = []
        while "kernel_info_reply" not in replies:
            replies.append(json.loads(await socket.read_message())["header"]["msg_type"])
        socket.close()
        return replies

    replies = IOLoop(make_current=False).run_sync(visit, timeout=60)
    assert {kind for kind in replies if kind.endswith("_reply")} == {"kernel_info_reply"}
    assert not written.exists()


def test_a_kernel_is_for_those_with_the_token(served):
    base, _ = parts(served)
    url = f"{base.replace('http', 'ws')}api/kernels/{kernel_of(served)}/channels"
    with pytest.raises(Exception, match="403"):
        IOLoop(make_current=False).run_sync(lambda: websocket_connect(url), timeout=60)


def test_the_notebook_shows_what_the_command_was_given(tmp_path, monkeypatch):
    np.save(tmp_path / "w.npy", np.ones((4, 4), np.float32))
    config = PruningConfig(target_sparsity=0.7)
    given = {"config": str(config.save(tmp_path / "c.json")), "weights": str(tmp_path / "w.npy"), "root": str(tmp_path)}
    monkeypatch.setenv(GIVEN, json.dumps(given))
    explorer = dashboard()
    assert explorer.config == config
    assert explorer._parts.masks.source.value == given["weights"]
    assert is_shown(explorer._parts.masks.rows["path"])
    explorer.close()


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """What Voila would have been started with, in an empty folder."""
    from entrenar_viz.app import server

    found = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(server, "serve", lambda *given, **named: found.append((given, named)))
    monkeypatch.setenv(GIVEN, "{}")  # so that it is as before afterwards
    return found


def test_the_command_makes_paths_absolute_and_passes_arguments_on(calls, tmp_path):
    (tmp_path / "models").mkdir()
    assert main(["app", "--root", "models", "--port=9000", "--theme=dark", "--no-browser", "--", "--debug"]) == 0
    ((_, passed_on), named) = calls[0]
    assert passed_on == ["--debug"]
    assert named == {"port": 9000, "theme": "dark", "open_browser": False}
    assert json.loads(app_module.os.environ[GIVEN]) == {"root": str(tmp_path / "models")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--root", "none"], "none: is no folder"),
        (["--config", "none.json"], "none.json"),
        (["--weights", "none.npy"], "none.npy"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_served(calls, arguments, said, capsys):
    assert main(["app", *arguments]) == 1
    assert said in capsys.readouterr().err
    assert calls == []


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "٣"])
def test_a_port_is_a_port(port, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["app", f"--port={port}"])
    assert stopped.value.code == 2
    assert "is no port: use 1 to 65535" in capsys.readouterr().err


def test_without_voila(calls, monkeypatch, capsys):
    monkeypatch.setattr(app_module, "find_spec", lambda name: None)
    assert main(["app"]) == 2
    assert 'pip install "entrenar-viz[app]"' in capsys.readouterr().err
    assert calls == []


def test_the_browser_is_led_by_a_page_that_only_its_owner_can_read(tmp_path, monkeypatch, capsys):
    from entrenar_viz.app import server

    opened = []
    monkeypatch.setattr(server.webbrowser, "open", opened.append)
    app = server.App(config=server.Config(server.rules(9000, "dark")), shows_browser=True)
    app.identity_provider = server.VoilaIdentityProvider(token="abc")
    app.connection_dir = str(tmp_path)
    app.say()
    (page,) = tmp_path.iterdir()
    assert opened == [page.as_uri()]
    assert page.stat().st_mode & 0o077 == 0
    assert "url=http://localhost:9000/?token=abc" in page.read_text()
    assert "http://localhost:9000/" in capsys.readouterr().out


def test_voila_is_started_with_the_rules_and_reads_no_other_configuration(tmp_path, monkeypatch):
    from entrenar_viz.app import server

    started = []
    monkeypatch.setattr(server.App, "launch_instance", lambda *given, **named: started.append((given, named)))
    server.serve(tmp_path / "one.ipynb", ["--debug"], port=9000, theme="dark", open_browser=False)
    (((arguments,), named),) = started
    assert arguments == [str(tmp_path / "one.ipynb"), "--debug"]
    assert (named["config_file_paths"], named["shows_browser"]) == ([], False)
    assert named["config"].Voila.ip == "localhost"
    assert named["config"].Voila.auto_token is True
    assert named["config"].VoilaConfiguration.file_allowlist == []


def test_the_address_is_said_once_the_loop_runs(monkeypatch):
    from entrenar_viz.app import server

    said = []
    monkeypatch.setattr(server.App, "say", lambda self: said.append("address"))
    loop = IOLoop(make_current=False)
    monkeypatch.setattr(server.IOLoop, "current", lambda: loop)
    monkeypatch.setattr(server.Voila, "start", lambda self: loop.run_sync(lambda: None) or said.append("stopped"))
    server.App().start()
    loop.close(all_fds=True)
    assert said == ["address", "stopped"]

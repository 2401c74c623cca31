"""Folders are at their place whole or not at all."""

from pathlib import Path

import pytest

from entrenar_viz.files.atomic import whole_file, whole_folder, write_atomically


def filled(path, text="new", **arguments):
    with whole_folder(path, overwrite=False, **arguments) as folder:
        (folder / "a").write_text(text)


def test_a_folder_appears_with_all_that_is_in_it(tmp_path):
    with whole_folder(tmp_path / "out", overwrite=False) as folder:
        (folder / "a").write_text("new")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "any").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "any").stat().st_mode


@pytest.mark.parametrize("name", [250 * "x", 80 * "模"])  # as long as a name may be, in bytes
def test_names_may_be_as_long_as_the_file_system_takes_them(tmp_path, name):
    write_atomically(tmp_path / name, b"new", overwrite=False)
    filled(tmp_path / f"{name}.d")
    assert {path.name for path in tmp_path.iterdir()} == {name, f"{name}.d"}


def test_nothing_is_left_of_a_block_that_raises(tmp_path):
    def folder():
        with whole_folder(tmp_path / "out", overwrite=False) as unfinished:
            (unfinished / "a").write_text("new")
            raise KeyboardInterrupt

    def file():
        with whole_file(tmp_path / "file", overwrite=False) as unfinished:
            unfinished.write_bytes(b"new")
            raise KeyboardInterrupt

    for interrupted in (folder, file):
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_kept_unless_told(tmp_path):
    filled(tmp_path / "out", "old")
    with pytest.raises(FileExistsError, match="exists already"):
        filled(tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "old"
    with whole_folder(tmp_path / "out", overwrite=True) as folder:
        (folder / "b").write_text("new")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    filled(tmp_path / "out", "old")
    rename = Path.rename

    def fails(self, target):
        if self.name.endswith(".tmp"):
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="no"), whole_folder(tmp_path / "out", overwrite=True) as folder:
        (folder / "a").write_text("new")
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_files_and_links_are_no_folders(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError, match="is no folder"):
            filled(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="create that folder first"):
        filled(tmp_path / "not" / "yet")

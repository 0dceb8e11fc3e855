"""UCF101 and HMDB51 in small, from a server on this computer to the layout of studies/paper.yaml; and once in full."""

import fcntl
import hashlib
import http.server
import io
import os
import shlex
import shutil
import ssl
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import official
import pytest
import rar
import yaml

import plan as plan_script
from dtkd.common import download
from dtkd.common.errors import DtkdError
from dtkd.data import archives, datasets, prepare, published
from dtkd.data.prepare import Place

PROJECT = Path(__file__).parents[2]
LAYOUT = ["UCF-101", "hmdb51", "testTrainMulti_7030_splits", "ucfTrainTestlist"]
UCF_CLASSES, HMDB_CLASSES = ["HandstandPushups", "Run"], ["catch", "wave"]


def ucf_videos(cls):
    stem = "HandStandPushups" if cls == "HandstandPushups" else cls  # as in the official lists
    return [f"{cls}/v_{stem}_g{group:02d}_c{clip:02d}.avi" for group in (1, 2, 3) for clip in (1, 2)]


def hmdb_videos(cls):
    return [f"{cls}/Some_[clip]_of_(it);_-)!_{cls}_u_cm_np1_fr_med_{number}.avi" for number in range(6)]


UCF_VIDEOS = [path for cls in UCF_CLASSES for path in ucf_videos(cls)]
HMDB_VIDEOS = [path for cls in HMDB_CLASSES for path in hmdb_videos(cls)]


def content(path):
    """A video's bytes, some thousands."""
    return path.encode() * 100


def ucf_lists():
    files = {"classInd.txt": "".join(f"{label} {cls}\r\n" for label, cls in enumerate(UCF_CLASSES, 1))}
    for k in (1, 2, 3):
        tested = [path for path in UCF_VIDEOS if f"_g{k:02d}_" in path]
        trained = [path for path in UCF_VIDEOS if path not in tested]
        labels = {path: UCF_CLASSES.index(path.partition("/")[0]) + 1 for path in trained}
        files[f"testlist{k:02d}.txt"] = "".join(f"{path}\r\n" for path in tested)
        files[f"trainlist{k:02d}.txt"] = "".join(f"{path} {labels[path]}\r\n" for path in trained)
    return {f"ucfTrainTestlist/{name}": text.encode() for name, text in files.items()}


def hmdb_lists():
    files = {}
    for cls in HMDB_CLASSES:
        for k in (1, 2, 3):
            sides = [1, 1, 1, 2, 2, 0]
            lines = (f"{path.partition('/')[2]} {sides[number - k]} \n" for number, path in enumerate(hmdb_videos(cls)))
            files[f"testTrainMulti_7030_splits/{cls}_test_split{k}.txt"] = "".join(lines).encode()
    return files


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def the_archives():
    """As their publishers have them; UCF101.rar with other capitals than its lists, hmdb51_org.rar with an archive a
    class."""
    ucf = {f"UCF-101/{path}".replace("v_HandStand", "v_Handstand"): content(path) for path in UCF_VIDEOS}
    hmdb = {f"{cls}.rar": rar.rar3({path: content(path) for path in hmdb_videos(cls)}) for cls in HMDB_CLASSES}
    return {
        "UCF101.rar": rar.rar3(ucf),
        "UCF101TrainTestSplits-RecognitionTask.zip": zipped(ucf_lists()),
        "hmdb51_org.rar": rar.rar3(hmdb),
        "test_train_splits.rar": rar.rar3(hmdb_lists()),
    }


ARCHIVES = the_archives()
FLAT = zipped({f"UCF101/{path.partition('/')[2]}": content(path) for path in UCF_VIDEOS})  # as another address has it
PAGE = b"<!DOCTYPE html><html><head><title>Moved</title></head></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    """The server's ``files``, at most ``most`` bytes of an answer; goes on from where it was asked to."""

    def do_GET(self):
        body = self.server.files.get(self.path[1:])
        if body is None:
            self.server.requests.append((self.path[1:], None))
            return self.send_error(404)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.server.requests.append((self.path[1:], start))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : self.server.most])

    def log_message(self, *arguments):
        """Keep the tests' output quiet."""


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.files, server.requests, server.most = dict(ARCHIVES), [], None
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def in_small(folder):
    """The table of the official numbers, of these small data sets; for a process of its own too."""
    folder.mkdir(exist_ok=True)
    rows = [f"ucf101,{cls},6,4,2,4,2,4,2" for cls in UCF_CLASSES]
    rows += [f"hmdb51,{cls},6,3,2,3,2,3,2" for cls in HMDB_CLASSES]
    header = "dataset,class,videos,train1,test1,train2,test2,train3,test3"
    (folder / "classes.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


@pytest.fixture(autouse=True)
def synced(monkeypatch):
    """What lay in `data` when the disk was asked to take all that was written; it is not asked here, for all it has."""
    synced = []
    monkeypatch.setattr(os, "sync", lambda: synced.append(names() if Path("data").exists() else []))
    return synced


@pytest.fixture
def at(server, tmp_path, monkeypatch):
    """at("ucf101") is a small data set in the folder `data`, to be had from the server; tests run in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "WAIT", 0)
    monkeypatch.setattr(published, "FOLDER", in_small(tmp_path / "published"))
    sources(server, monkeypatch)
    return lambda name: Place(name, Path("data"))


def sources(server, monkeypatch, **urls):
    """Have each archive at these addresses of the server's, by default at its name."""

    def on_server(archive, key):
        names = urls.get(key, [archive.name])
        digest = hashlib.sha256(ARCHIVES[archive.name]).hexdigest()
        return replace(archive, gb=1e-5, sources=tuple((f"{server.url}/{name}", digest) for name in names))

    sets = {name: replace(data, clips=on_server(data.clips, name), lists=on_server(data.lists, f"{name}_lists"))
            for name, data in prepare.DATA_SETS.items()}  # fmt: skip
    monkeypatch.setattr(prepare, "DATA_SETS", sets)


def by_hand(*names):
    Path("data").mkdir(exist_ok=True)
    for name in names or ARCHIVES:
        Path("data", name).write_bytes(ARCHIVES[name])


def names(folder="data"):
    return sorted(os.listdir(folder))


def seen_whole(place):
    """All videos have their lists' names and their content, and the project reads them."""
    table = datasets.index(place.source)
    assert sorted(table["path"]) == sorted(UCF_VIDEOS if place.name == "ucf101" else HMDB_VIDEOS)
    for path in table["path"]:
        assert (place.videos / path).read_bytes() == content(path)
    files = sum(len(files) for _, _, files in os.walk(place.videos))
    assert files == len(table), "and nothing else"
    assert prepare.check(place) is None


def command(monkeypatch, *words):
    """Call the command as the shell does; its exit status or message, None if all went well."""
    monkeypatch.setattr(sys, "argv", ["prepare", *words])
    try:
        prepare.main()
    except SystemExit as ended:
        return ended.code


def error(function, *arguments):
    """The message of the DtkdError that a call raises, seen to be one line."""
    with pytest.raises(DtkdError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# From the server


@rar.needs_program
def test_from_nothing(at, server, synced, monkeypatch, capsys):
    assert command(monkeypatch, "ucf101") is None
    assert synced == [["ucf101.unfinished"], ["ucf101.unfinished", "ucfTrainTestlist"]], "before anything has its name"
    assert command(monkeypatch, "hmdb51") is None
    assert names() == LAYOUT
    seen_whole(at("ucf101"))
    seen_whole(at("hmdb51"))
    asked = ["UCF101TrainTestSplits-RecognitionTask.zip", "UCF101.rar", "test_train_splits.rar", "hmdb51_org.rar"]
    assert server.requests == [(archive, 0) for archive in asked]
    said = capsys.readouterr().out
    assert "ucf101: all there: 12 videos in 2 classes (data/UCF-101)" in said
    assert "hmdb51: all there: 12 videos in 2 classes (data/hmdb51)" in said


@rar.needs_program
def test_where_the_study_expects_them(at):
    """One source for the folders' names: the config that the next command reads."""
    config = yaml.safe_load((PROJECT / "studies" / "paper.yaml").read_text())["datasets"]
    for name in ("ucf101", "hmdb51"):
        place = at(name)
        assert config[name] == {"format": name, "videos": str(place.videos), "annotations": str(place.annotations)}


@rar.needs_program
def test_the_second_call_has_nothing_to_do(at, server, monkeypatch, capsys):
    command(monkeypatch, "ucf101", "hmdb51")
    server.requests.clear()
    monkeypatch.setenv("PATH", "")
    capsys.readouterr()
    assert command(monkeypatch, "ucf101", "hmdb51") is None
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()[:2]] == ["ucf101", "hmdb51"]
    assert server.requests == []


def test_it_answers_at_once():
    """What takes seconds to import is not imported."""
    heavy = "print(sorted({'torch', 'pandas', 'numpy', 'cv2', 'snakemake'} & set(sys.modules)))"
    code = f"import sys, dtkd.prepare; {heavy}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@rar.needs_program
def test_archives_may_be_kept(at, server, monkeypatch):
    assert command(monkeypatch, "hmdb51", "--keep-archives") is None
    assert names() == ["hmdb51", "hmdb51_org.rar", "testTrainMulti_7030_splits", "test_train_splits.rar"]
    shutil.rmtree("data/hmdb51")
    server.requests.clear()
    assert command(monkeypatch, "hmdb51") is None
    assert server.requests == []
    assert "hmdb51_org.rar" in names(), "what lies beside the videos is the user's"


@rar.needs_program
def test_a_download_that_was_cut_goes_on(at, server):
    server.most = 10_000
    message = error(prepare.prepare, at("ucf101"), {})
    assert message == (
        "UCF101.rar cannot be downloaded: get it from https://www.crcv.ucf.edu/data/UCF101.php in a browser and put it "
        "at data/UCF101.rar, or give an address of it (--url UCF101.rar=https://...), and run the same command again"
    )
    assert names() == ["ucf101.unfinished", "ucfTrainTestlist"]
    assert not (at("ucf101").unfinished / "UCF101.rar").exists(), "a part is not the whole"
    server.most = None
    server.requests.clear()
    prepare.prepare(at("ucf101"), {})
    assert server.requests == [("UCF101.rar", 10_000)]
    seen_whole(at("ucf101"))
    assert names() == ["UCF-101", "ucfTrainTestlist"]


@rar.needs_program
def test_addresses_are_tried_in_turn(at, server, monkeypatch, capsys):
    server.files |= {"page": PAGE, "other.rar": ARCHIVES["hmdb51_org.rar"], "right.rar": ARCHIVES["UCF101.rar"]}
    sources(server, monkeypatch, ucf101=["gone.rar", "page", "other.rar", "right.rar"])
    prepare.prepare(at("ucf101"), {})
    seen_whole(at("ucf101"))
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert "gone.rar cannot be fetched (the server answers 404 Not Found)" in notes[0]
    assert 'page gives a web page ("Moved") and no archive: take another address' in notes[1]
    assert f"other.rar has SHA-256 {hashlib.sha256(ARCHIVES['hmdb51_org.rar']).hexdigest()}, and the file" in notes[2]
    assert len(notes) == 3
    assert names() == ["UCF-101", "ucfTrainTestlist"]


def test_a_page_instead_of_an_archive(at, server):
    server.files["UCF101TrainTestSplits-RecognitionTask.zip"] = PAGE
    assert "put it at data/UCF101TrainTestSplits-RecognitionTask.zip" in error(prepare.prepare, at("ucf101"), {})


@rar.needs_program
def test_an_address_of_ones_own(at, server, monkeypatch):
    server.files["mine"] = ARCHIVES["UCF101.rar"]
    del server.files["UCF101.rar"]
    assert command(monkeypatch, "ucf101", "--url", f"UCF101.rar={server.url}/mine") is None
    seen_whole(at("ucf101"))


@pytest.mark.parametrize("pair", ["UCF101=https://a/b.rar", "UCF101.rar", "UCF101.rar=/home/me/UCF101.rar"])
def test_an_address_that_is_none(at, monkeypatch, capsys, pair):
    assert command(monkeypatch, "ucf101", "--url", pair) == 2
    assert f"--url {pair}" in (said := capsys.readouterr().err)
    assert f"ARCHIVE one of {', '.join(ARCHIVES)}" in said


@pytest.fixture
def secure(server, tmp_path, monkeypatch):
    """The server speaks HTTPS; secure() makes its certificate a trusted one."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=here"
    files = [tmp_path / "key.pem", tmp_path / "certificate.pem"]
    subprocess.run(["openssl", *request.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files[0],
                    "-out", files[1]], check=True, capture_output=True)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[1], files[0])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    return lambda: monkeypatch.setenv("SSL_CERT_FILE", str(files[1]))


def test_a_server_with_a_bad_certificate_may_give_the_known_file_only(secure, at, server, monkeypatch, capsys):
    sources(server, monkeypatch, ucf101=["gone"])
    assert "UCF101.rar cannot be downloaded" in error(prepare.prepare, at("ucf101"), {})
    assert "certificate is not trusted: self-signed certificate): go online, or take another" in capsys.readouterr().err
    assert names("data/ucfTrainTestlist") == sorted(prepare.list_files("ucf101"))
    shutil.rmtree("data")
    server.files["UCF101TrainTestSplits-RecognitionTask.zip"] = zipped(ucf_lists() | {"more": b""})
    assert "RecognitionTask.zip cannot be downloaded" in error(prepare.prepare, at("ucf101"), {})
    assert "nothing was kept" in capsys.readouterr().err
    assert names() == []


def test_from_a_trusted_server_a_newer_file_is_taken_if_its_content_is_right(secure, at, server, monkeypatch, capsys):
    secure()
    sources(server, monkeypatch, ucf101=["gone"])
    server.files["UCF101TrainTestSplits-RecognitionTask.zip"] = zipped(ucf_lists() | {"more": b""})
    assert "UCF101.rar cannot be downloaded" in error(prepare.prepare, at("ucf101"), {})
    assert "and the file that is known has" in capsys.readouterr().err
    assert names("data/ucfTrainTestlist") == sorted(prepare.list_files("ucf101"))


# By hand


@rar.needs_program
def test_archives_that_were_put_there_are_taken_and_stay(at, server):
    by_hand()
    for name in ("ucf101", "hmdb51"):
        prepare.prepare(at(name), {})
        seen_whole(at(name))
    assert server.requests == []
    assert names() == sorted([*LAYOUT, *ARCHIVES])


def test_a_flat_zip_needs_no_program(at, server, monkeypatch):
    """Where nothing unpacks RAR, an address of the same videos in another archive is the one to take."""
    server.files["flat.zip"] = FLAT
    data = prepare.DATA_SETS["ucf101"]
    flat = (f"{server.url}/flat.zip", hashlib.sha256(FLAT).hexdigest())
    clips = replace(data.clips, sources=(*data.clips.sources, flat))
    monkeypatch.setitem(prepare.DATA_SETS, "ucf101", replace(data, clips=clips))
    monkeypatch.setattr(archives, "PROGRAMS", {})
    prepare.prepare(at("ucf101"), {})
    seen_whole(at("ucf101"))
    assert "UCF101.rar" not in [name for name, _ in server.requests]


def test_without_a_program_nothing_is_downloaded_in_vain(at, server, monkeypatch):
    monkeypatch.setattr(archives, "PROGRAMS", {})
    assert "to unpack RAR archives: install unar or unrar" in error(prepare.prepare, at("hmdb51"), {})
    assert server.requests == []
    assert names() == []


@rar.needs_program
@pytest.mark.parametrize(("name", "content", "message"), [
    ("UCF101.rar", ARCHIVES["UCF101.rar"][:20_000], "it is damaged; remove it, and download it again"),
    ("UCF101.rar", rar.rar3({"a.avi": b"a"}), "data/UCF101.rar lacks 12 of 12 videos that the lists name, such as "
     "HandstandPushups/v_HandStandPushups_g01_c01.avi: it is another archive, or was cut short; remove it"),
    ("UCF101.rar", PAGE, 'data/UCF101.rar is a web page ("Moved") and no archive: remove it, and download it again'),
    ("UCF101TrainTestSplits-RecognitionTask.zip", zipped({"a": b""}), "has no classInd.txt: it is another archive"),
], ids=["cut", "another", "page", "no lists"])  # fmt: skip
def test_archives_that_will_not_do(at, name, content, message):
    by_hand()
    Path("data", name).write_bytes(content)
    assert message in error(prepare.prepare, at("ucf101"), {})
    assert not Path("data/UCF-101").exists()
    by_hand()
    prepare.prepare(at("ucf101"), {})
    seen_whole(at("ucf101"))


@rar.needs_program
def test_lists_of_other_numbers_are_refused(at):
    """One video on the wrong side, and one that is only said to be unused: the paper's Table 2 would be another."""
    by_hand()
    for name in ("ucf101", "hmdb51"):
        prepare.prepare(at(name), {})
    path, lists = UCF_VIDEOS[0], Path("data/ucfTrainTestlist")
    (lists / "trainlist02.txt").write_text((lists / "trainlist02.txt").read_text().replace(f"{path} 1\n", ""))
    (lists / "testlist02.txt").write_text((lists / "testlist02.txt").read_text() + f"{path}\n")
    assert error(prepare.check, at("ucf101")) == (
        "data/ucfTrainTestlist: list 2 has 3 train and 3 test videos of class HandstandPushups, the official one has 4 "
        "and 2: remove data/ucfTrainTestlist to have them fetched again"
    )
    for k in (1, 2, 3):
        with Path(f"data/testTrainMulti_7030_splits/wave_test_split{k}.txt").open("a") as file:
            file.write("one_more.avi 0\n")
    assert "the lists name 7 videos of class wave, the official ones 6" in error(prepare.check, at("hmdb51"))


def unpacked_by_hand():
    by_hand("UCF101TrainTestSplits-RecognitionTask.zip")
    for path in UCF_VIDEOS:
        file = Path("data/UCF-101", path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content(path))


def test_videos_that_were_put_there_are_taken(at, server, monkeypatch, capsys):
    """However they are spelled, and also in no folders; what no list names stays where it is."""
    unpacked_by_hand()
    videos = at("ucf101").videos
    (videos / UCF_VIDEOS[0]).rename(videos / UCF_VIDEOS[0].replace("HandStand", "Handstand"))
    (videos / UCF_VIDEOS[-1]).rename(videos / UCF_VIDEOS[-1].partition("/")[2])
    prepare.prepare(at("ucf101"), {})
    seen_whole(at("ucf101"))
    (videos / "Run" / "mine.avi").touch()
    prepare.prepare(at("ucf101"), {})
    assert (videos / "Run" / "mine.avi").exists()
    assert server.requests == []


@rar.needs_program
def test_only_what_is_missing_is_unpacked(at, server):
    by_hand()
    prepare.prepare(at("hmdb51"), {})
    videos = at("hmdb51").videos
    missing, whole = videos / HMDB_VIDEOS[0], videos / HMDB_VIDEOS[-1]
    missing.unlink()
    (videos / HMDB_VIDEOS[1]).write_bytes(b"")  # as a copy to a full disk leaves it
    before = whole.stat().st_mtime_ns
    assert prepare.check(at("hmdb51")) == "2 of 12 videos are missing in data/hmdb51: catch 2 of 6"
    prepare.prepare(at("hmdb51"), {})
    seen_whole(at("hmdb51"))
    assert whole.stat().st_mtime_ns == before


# Checks, and what is in the way


def test_check_says_what_is_missing_and_does_nothing(at, server, monkeypatch, capsys):
    remedy = "error: python -m dtkd.prepare ucf101 --to data brings what is missing"
    assert command(monkeypatch, "ucf101", "--check") == remedy
    assert capsys.readouterr().out == (
        "ucf101: 7 of 7 lists are missing in data/ucfTrainTestlist, such as classInd.txt\n"
    )
    unpacked_by_hand()
    for name, data in ucf_lists().items():
        Path("data", name).parent.mkdir(exist_ok=True)
        Path("data", name).write_bytes(data)
    assert command(monkeypatch, "ucf101", "--check") is None
    shutil.rmtree("data/UCF-101/HandstandPushups")
    (at("ucf101").videos / UCF_VIDEOS[-1]).unlink()
    before = sorted(Path("data").rglob("*"))
    assert command(monkeypatch, "ucf101", "--check") == remedy
    assert "ucf101: 7 of 12 videos are missing in data/UCF-101: HandstandPushups 6 of 6, Run 1 of 6" in (
        capsys.readouterr().out
    )
    assert sorted(Path("data").rglob("*")) == before
    assert server.requests == []


def test_a_disk_without_room_is_found_out_before_the_videos(at, server, monkeypatch):
    data = prepare.DATA_SETS["ucf101"]
    monkeypatch.setitem(prepare.DATA_SETS, "ucf101", replace(data, clips=replace(data.clips, gb=1e6)))
    message = error(prepare.prepare, at("ucf101"), {})
    assert message.startswith("ucf101 takes 2000000.0 GB more while it works, and 1000000.0 GB in the end; data has ")
    assert [name for name, _ in server.requests] == ["UCF101TrainTestSplits-RecognitionTask.zip"]


def test_two_at_once(at):
    folder = at("ucf101").unfinished
    folder.mkdir(parents=True)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert "data/ucf101.unfinished is being written by another process" in error(prepare.prepare, at("ucf101"), {})
    os.close(held)


def test_a_file_in_the_way(at):
    by_hand()
    Path("data/UCF-101").touch()
    assert error(prepare.prepare, at("ucf101"), {}) == (
        "data/UCF-101 is a file: move it away, a folder has to be there"
    )


# Interruptions


@rar.needs_program
def test_killed_while_it_unpacks(at, tmp_path):
    """No video is at its place before all are whole; those that were unpacked are not written again."""
    by_hand()
    size, stub = sum(len(content(path)) for path in UCF_VIDEOS[:2]) + 1000, tmp_path / "programs" / "unrar"
    (tmp_path / "stream").write_bytes(b"".join(map(content, UCF_VIDEOS)))
    stub.parent.mkdir()
    stub.write_text(
        "#!/bin/sh\n[ $# = 0 ] && exec echo Alexander Roshal\n"
        f"head -c {size} {tmp_path}/stream\ntouch {tmp_path}/reached\nexec sleep 2\n"
    )
    stub.chmod(0o755)
    code = (
        "import sys, pathlib; from dtkd.data import prepare, published; published.FOLDER = pathlib.Path('published'); "
        "sys.argv = ['prepare', 'ucf101']; prepare.main()"
    )
    environment = os.environ | {"PATH": f"{stub.parent}:{os.environ['PATH']}"}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    new = at("ucf101").unfinished / "UCF-101"
    while not (new / UCF_VIDEOS[1]).exists() or not (tmp_path / "reached").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not at("ucf101").videos.exists()
    whole = {path: path.stat().st_mtime_ns for path in new.rglob("*.avi")}
    assert {str(path.relative_to(new)): path.read_bytes() for path in whole} == {
        path: content(path) for path in UCF_VIDEOS[:2]
    }
    prepare.prepare(at("ucf101"), {})
    seen_whole(at("ucf101"))
    for path, written in whole.items():
        assert (at("ucf101").videos / path.relative_to(new)).stat().st_mtime_ns == written
    assert not at("ucf101").unfinished.exists()


@rar.needs_program
def test_interrupted_within_a_class(at, monkeypatch, capsys):
    """HMDB51's classes are archives within its archive."""
    unpack = archives.unpack

    def interrupted(archive, place):
        for number, path in enumerate(unpack(archive, place)):
            if archive.name == "wave.rar" and number == 2:
                raise KeyboardInterrupt
            yield path

    with monkeypatch.context() as context:
        context.setattr(archives, "unpack", interrupted)
        assert command(monkeypatch, "hmdb51") == 130
    assert "Interrupted; the same command goes on\n" in capsys.readouterr().err
    assert names() == ["hmdb51.unfinished", "testTrainMulti_7030_splits"]
    done = {path: (at("hmdb51").unfinished / "hmdb51" / path).stat().st_mtime_ns for path in hmdb_videos("catch")}
    prepare.prepare(at("hmdb51"), {})
    seen_whole(at("hmdb51"))
    assert {path: (at("hmdb51").videos / path).stat().st_mtime_ns for path in done} == done
    assert names() == ["hmdb51", "testTrainMulti_7030_splits"]


# The commands to type next


@rar.needs_program
@pytest.mark.parametrize(("there", "root"), [
    (["ucf101", "hmdb51"], "data"), (["hmdb51"], "data"),
    (["ucf101"], "elsewhere"), (["ucf101", "hmdb51"], "elsewhere"),
], ids=str)  # fmt: skip
def test_the_next_commands(at, monkeypatch, capsys, there, root):
    """They mean a study of the data sets that are there, where they are."""
    by_hand()
    if root != "data":
        shutil.move("data", root)
    assert command(monkeypatch, *there, "--to", root) is None
    _, make, snakemake = capsys.readouterr().out.splitlines()[-3:]
    words = shlex.split(make)
    assert words[:2] == ["make", "plan"]
    given = plan_script.arguments(shlex.split(words[2].removeprefix("ARGS=")))
    assert given.configfile == ["studies/paper.yaml"]
    assert given.gpus == 1
    study = plan_script.study_of([PROJECT / "studies" / "paper.yaml"], PROJECT, given.config)
    assert study.use == there
    for name in there:
        place = Place(name, Path(root))
        assert (study.datasets[name].videos, study.datasets[name].annotations) == (
            str(place.videos), str(place.annotations))  # fmt: skip
    words = shlex.split(snakemake)
    assert words[0] == "snakemake"
    assert words[-1] == "results/tables/table5.csv"
    assert [word for word in words if "=" in word][1:] == given.config


@rar.needs_program
def test_another_data_set_that_will_not_do_is_left_out(at, monkeypatch, capsys):
    by_hand()
    Path("data/ucfTrainTestlist").mkdir()
    for name in prepare.list_files("ucf101"):
        Path("data/ucfTrainTestlist", name).touch()
    assert command(monkeypatch, "hmdb51") is None
    assert "'use=[hmdb51]'" in capsys.readouterr().out
    assert "labels must run from 1" in command(monkeypatch, "ucf101")


# In full


@rar.needs_program
def test_the_official_numbers(tmp_path, monkeypatch, capsys):
    """13,320 and 6,766 tiny files of the official names and lists: the paper's Table 2 exactly."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    _, lists = official.write_ucf101(tmp_path / "ucf", create_videos=False)
    clips = [clip for groups in official.ucf101_clips().values() for clips in groups for clip in clips]
    Path("data/UCF101.rar").write_bytes(rar.rar3({f"UCF-101/{clip}": b"x" for clip in clips}))
    files = {f"ucfTrainTestlist/{file.name}": file.read_bytes() for file in lists.iterdir()}
    Path("data/UCF101TrainTestSplits-RecognitionTask.zip").write_bytes(zipped(files))
    _, lists = official.write_hmdb51(tmp_path / "hmdb", create_videos=False)
    classes = datasets.videos_by_class(datasets.Source("hmdb51", "videos", lists))
    inner = {f"{cls}.rar": rar.rar3(dict.fromkeys(paths, b"x")) for cls, paths in classes.items()}
    Path("data/hmdb51_org.rar").write_bytes(rar.rar3(inner))
    files = {f"testTrainMulti_7030_splits/{file.name}": file.read_bytes() for file in lists.iterdir()}
    Path("data/test_train_splits.rar").write_bytes(rar.rar3(files))
    assert command(monkeypatch, "ucf101", "hmdb51") is None
    said = capsys.readouterr().out
    assert "ucf101: all there: 13,320 videos in 101 classes" in said
    assert "hmdb51: all there: 6,766 videos in 51 classes" in said
    table = published.table(2)
    for name in ("ucf101", "hmdb51"):
        index = datasets.index(Place(name, Path("data")).source)
        static = published.static_classes(name)
        subsets = {cls: "static" if cls in static else "dynamic" for cls in published.classes(name)}
        counted = datasets.counts(index, subsets).to_dict("records")
        assert counted == table[table["dataset"] == name].drop(columns="dataset").to_dict("records")

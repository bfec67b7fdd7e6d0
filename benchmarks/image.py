"""``deploy/Dockerfile`` without a Docker daemon: built by buildah in a chroot, started as its user, asked, measured.

    python benchmarks/image.py EXPORT [--base FOLDER]       # as root; needs buildah, and debootstrap where no base is given

EXPORT is what `pretune export RUN --to onnx` wrote. The base image is a Debian with its own Python 3.11, which debootstrap
makes in FOLDER and which stands for python:3.11-slim: no registry of images is asked. The container's file system is then
entered by chroot, with the user, environment and command that the image states.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from harness import describe_machine

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "image.json"
BASE, IMAGE = "docker.io/library/python:3.11-slim", "pretune-serve"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
STARTS = 5
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"  # the image's PATH does not have it
# How the builder's pip finds its index: settings of this machine, not of the image.
SETTINGS = ("/etc/pip.conf", "/etc/xdg/pip", "/etc/ssl/certs", "/etc/resolv.conf")


def main() -> None:
    """Build, ask, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path)
    parser.add_argument("--base", type=Path, default=Path("/tmp/pretune-base"))
    asked = parser.parse_args()
    make_base(asked.base)
    start = time.perf_counter()
    build()
    built = time.perf_counter() - start
    container = run("buildah", "from", "--pull-never", IMAGE)
    place = Path(run("buildah", "mount", container))
    try:
        config = json.loads(run("buildah", "inspect", "--type", "image", IMAGE))["Docker"]["config"]
        found = look(place) | {"build_seconds": round(built, 1), "user": config["User"], "cmd": config["Cmd"]}
        shutil.copytree(asked.export, place / "model")
        run("mount", "--bind", "/proc", str(place / "proc"))  # every container has it; ONNX Runtime opens weights by it
        found["starts"] = [ask(place, config) for _ in range(STARTS)]
    finally:
        subprocess.run(["umount", str(place / "proc")], check=False)
        run("buildah", "rm", container)
    RESULT.write_text(json.dumps(found | {"measured": time.strftime("%Y-%m-%d"), **describe_machine()}, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def make_base(place: Path) -> None:
    """Make the base image, if there is none yet."""
    if subprocess.run(["buildah", "inspect", "--type", "image", BASE], capture_output=True, check=False).returncode == 0:
        return
    if not (place / "usr/bin/python3").exists():
        mirror = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm")
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(place), mirror)
    (place / "usr/bin/python").unlink(missing_ok=True)
    (place / "usr/bin/python").symlink_to("python3")
    shutil.rmtree(place / "var/cache/apt/archives", ignore_errors=True)
    container = run("buildah", "from", "scratch")
    run("buildah", "copy", "--quiet", container, str(place), "/")
    run("buildah", "commit", "--quiet", container, BASE)
    run("buildah", "rm", container)


def build() -> None:
    """Build the image as `docker build -f deploy/Dockerfile .` does."""
    volumes = [part for path in SETTINGS if Path(path).exists() for part in ("--volume", f"{Path(path).resolve()}:{path}:ro")]
    run(
        "buildah", "bud", "--isolation", "chroot", "--pull-never", "--network", "host", "--format", "docker", *volumes,
        "-f", "deploy/Dockerfile", "-t", IMAGE, ".",
    )  # fmt: skip


def look(place: Path) -> dict[str, Any]:
    """Return what is in the file system, and what its user can do."""
    venv = place / "opt/pretune"
    packages = sorted(item.name.split("-")[0] for item in venv.glob("lib/*/site-packages/*.dist-info"))
    tried = "import os; print(os.getuid(), [p for p in ('/', '/opt/pretune', '/model', '/etc') if os.access(p, os.W_OK)])"
    return {
        "venv_mb": size_of(venv),
        "base_mb": size_of(place) - size_of(venv),
        "packages": packages,
        "user_and_what_it_can_write": chroot(place, "/opt/pretune/bin/python", "-c", tried),
    }


def ask(place: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Start the image's command, wait for its first answer, stop it; return what that took."""
    command = [*config["Entrypoint"], *config["Cmd"]]
    environment = dict(item.split("=", 1) for item in config["Env"])
    start = time.perf_counter()
    process = subprocess.Popen(
        [CHROOT, f"--userspec={config['User']}", str(place), *command], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        said = first_answer(process)
        seconds = time.perf_counter() - start
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        health = config.get("Healthcheck", {}).get("Test", [])[1:]  # after CMD
        healthy = chroot(place, *health) == "" if health else None
    finally:
        process.terminate()
        code = process.wait(30)
    return {
        "seconds_to_first_answer": round(seconds, 2), "answer": said, "exit_code": code, "health": healthy,
        "resident_mb": round(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024, 1),  # type: ignore[index]
        "peak_mb": round(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024, 1),  # type: ignore[index]
    }  # fmt: skip


def first_answer(process: subprocess.Popen[bytes]) -> Any:
    """Return the answer to the first request that is taken."""
    request = urllib.request.Request(
        "http://127.0.0.1:8000/predict", b'{"text": "A quiet, lovely film."}', {"Content-Type": "application/json"}
    )
    for _ in range(600):
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["answers"][0]
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"the image does not answer (exit code {process.poll()})")


def chroot(place: Path, *command: str) -> str:
    """Return what a command says in the file system of the image, as its user."""
    environment = {"PATH": "/opt/pretune/bin:/usr/bin:/bin"}
    done = subprocess.run(
        [CHROOT, "--userspec=10001", str(place), *command], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


def size_of(place: Path) -> int:
    """Return the size of a folder in MB."""
    return round(sum(item.lstat().st_size for item in place.rglob("*") if item.is_file() and not item.is_symlink()) / 1e6)


def run(*command: str) -> str:
    """Run a command in the repository; return the last line that it printed."""
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "BUILDAH_ISOLATION": "chroot"}, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr[-3000:]}")
    return done.stdout if "inspect" in command else (done.stdout.strip().splitlines() or [""])[-1]


if __name__ == "__main__":
    main()

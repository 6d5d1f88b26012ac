#!/usr/bin/env python3
"""Packs a directory into a container image, without a container engine.

    image.py OUT.tar NAME ROOT CONTAINERFILE

ROOT is the root file system. What a container of it runs, as whom and in which environment, is read from the last stage of
the Containerfile, so that an engine's build and this one say the same. OUT.tar is an OCI layout that is a docker archive
too: 'ctr images import', 'podman load', 'skopeo copy oci-archive:OUT.tar' and 'docker load' take it.

The same files give the same bytes: entries are sorted, belong to root, bear no time, and have the mode 0755 where the
owner may execute and 0644 elsewhere; /tmp is open to all.
"""

import hashlib
import io
import json
import os
import platform
import shlex
import sys
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def die(message):
    sys.exit(f"image.py: {message}")


def settings(containerfile):
    """The image's configuration: ENTRYPOINT, USER, WORKDIR, ENV and LABEL of the last stage."""
    config = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}
    with open(containerfile, encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if word == "FROM":
            config = {"Env": config["Env"][:1]}
        elif word == "ENTRYPOINT":
            config["Entrypoint"] = json.loads(rest)
        elif word == "USER":
            config["User"] = rest
        elif word == "WORKDIR":
            config["WorkingDir"] = rest
        elif word == "ENV":
            config["Env"] += shlex.split(rest)
        elif word == "LABEL":
            config.setdefault("Labels", {}).update(pair.split("=", 1) for pair in shlex.split(rest))
    if "Entrypoint" not in config:
        die(f"{containerfile} names no ENTRYPOINT in its last stage")
    return config


def entries(root):
    """All that is below root, parents before children, in an order that no machine's locale changes."""
    found = []
    for directory, directories, files in os.walk(root):
        found += (os.path.relpath(os.path.join(directory, name), root) for name in directories + files)
    return sorted(found)


def write_layer(root, path):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as layer:
        for name in entries(root):
            full = os.path.join(root, name)
            entry = tarfile.TarInfo(name)
            if os.path.islink(full):
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, os.readlink(full), 0o777
                layer.addfile(entry)
            elif os.path.isdir(full):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
                layer.addfile(entry)
            elif os.path.isfile(full):
                entry.size, entry.mode = os.path.getsize(full), 0o755 if os.access(full, os.X_OK) else 0o644
                with open(full, "rb") as file:
                    layer.addfile(entry, file)
            else:
                die(f"{full} is neither a file nor a directory nor a link")


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def write_image(out, name, root, containerfile):
    architecture = ARCHITECTURES.get(platform.machine()) or die(f"no image for {platform.machine()}")
    layer_path, new = out + ".layer", out + ".new"
    try:
        write_layer(root, layer_path)
        layer = digest(layer_path)
        blobs = {}

        def blob(content):
            blobs[hashlib.sha256(content).hexdigest()] = content
            return {"digest": "sha256:" + hashlib.sha256(content).hexdigest(), "size": len(content)}

        config = blob(compact({
            "architecture": architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": settings(containerfile),
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + layer]},
        }))
        oci = "application/vnd.oci.image."
        manifest = blob(compact({
            "schemaVersion": 2,
            "mediaType": oci + "manifest.v1+json",
            "config": {"mediaType": oci + "config.v1+json", **config},
            "layers": [{"mediaType": oci + "layer.v1.tar", "digest": "sha256:" + layer, "size": os.path.getsize(layer_path)}],
        }))
        index = compact({
            "schemaVersion": 2,
            "mediaType": oci + "index.v1+json",
            "manifests": [{
                "mediaType": oci + "manifest.v1+json",
                **manifest,
                "platform": {"architecture": architecture, "os": "linux"},
                "annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]},
            }],
        })
        docker = compact([{
            "Config": "blobs/sha256/" + config["digest"][7:],
            "RepoTags": [name],
            "Layers": ["blobs/sha256/" + layer],
        }])
        with tarfile.open(new, "w", format=tarfile.GNU_FORMAT) as archive:
            def add(path, content):
                entry = tarfile.TarInfo(path)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))

            add("oci-layout", compact({"imageLayoutVersion": "1.0.0"}))
            add("index.json", index)
            add("manifest.json", docker)
            for name_of_blob, content in sorted(blobs.items()):
                add("blobs/sha256/" + name_of_blob, content)
            entry = tarfile.TarInfo("blobs/sha256/" + layer)
            entry.size = os.path.getsize(layer_path)
            with open(layer_path, "rb") as file:
                archive.addfile(entry, file)
        os.replace(new, out)
    finally:
        for path in (layer_path, new):
            if os.path.exists(path):
                os.remove(path)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        die("usage: image.py OUT.tar NAME ROOT CONTAINERFILE")
    write_image(*sys.argv[1:])

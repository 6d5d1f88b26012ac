#!/usr/bin/env bash
# Lays out the root file system of an image: rootfs.sh ROOT PROGRAM [PACKAGE...]
# In it: the program at /usr/bin, the shared libraries that it loads, the certificates of public authorities, one user without
# rights, and /tmp. With packages, their files and the libraries that those load. All comes from this machine's Debian; the
# Containerfiles run the same script, so both ways give the same files.
set -euo pipefail
die() { printf 'rootfs.sh: %s\n' "$*" >&2; exit 1; }
[ $# -ge 2 ] || die "usage: rootfs.sh ROOT PROGRAM [PACKAGE...]"
root=$1 program=$2
shift 2
[ -x "$program" ] || die "$program is not there or not a program: build it first"
[ ! -e "$root" ] || die "$root exists already"
umask 022
mkdir -p "$root"/{dev,etc/ssl/certs,proc,sys,tmp,usr/bin,usr/lib,usr/lib64}
chmod 1777 "$root/tmp"
# As Debian has it: what is under /lib is under /usr/lib.
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"

# take FILE: copies it, or the file that a link stands for, to the same place below $root, and its package's licence.
take() {
    local file=$1 place package
    place=$(readlink -f "$(dirname "$file")")
    case $place in /lib*) place=/usr$place ;; esac
    place+=/$(basename "$file")
    [ ! -e "$root$place" ] || return 0
    mkdir -p "$root$(dirname "$place")"
    cp -L "$file" "$root$place"
    package=$({ dpkg-query -S "$place" || dpkg-query -S "${place#/usr}"; } 2>/dev/null | head -n 1 | cut -d: -f1) || die "no package has $file"
    [ -e "$root/usr/share/doc/$package" ] || install -D -m 644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
}

# libraries FILE...: the paths of all that the dynamic loader would load for them, itself included; none for a static program.
libraries() {
    local listing file
    for file; do
        listing=$(ldd "$file" 2>&1) || { grep -q 'not a dynamic executable' <<<"$listing" && continue; die "ldd cannot read $file: $listing"; }
        ! grep 'not found' <<<"$listing" >&2 || die "$file needs a library that is not here"
        awk '/=> \// {print $3; next} $1 ~ /^\// {print $1}' <<<"$listing"
    done | sort -u
}

install -m 755 "$program" "$root/usr/bin/"
found=$(libraries "$program")
for library in $found; do take "$library"; done

# Of a package: drivers and libraries under the names that programs ask for, and what configures them. Not its tools, nor Vulkan's
# layers: they serve who writes programs, and one of them asks for a display.
for package; do
    files=$(dpkg-query -L "$package") || die "the package $package is not installed"
    for file in $files; do
        [ -f "$file" ] || continue
        case $file in
            */lib/*/libVkLayer_* | */vulkan/*_layer.d/*) ;;
            */lib/*.so | */lib/*.so.[0-9] | */lib/*.so.[0-9][0-9])
                take "$file"
                found=$(libraries "$file")
                for library in $found; do take "$library"; done
                ;;
            /etc/* | /usr/share/vulkan/* | /usr/share/drirc.d/*) take "$file" ;;
        esac
    done
done

# Of the public authorities only: a machine may trust others, which are not the image's business.
authorities=/usr/share/ca-certificates/mozilla
[ -d $authorities ] || die "no certificates in $authorities: install ca-certificates"
(export LC_ALL=C; cat $authorities/*.crt) >"$root/etc/ssl/certs/ca-certificates.crt"
install -D -m 644 /usr/share/doc/ca-certificates/copyright "$root/usr/share/doc/ca-certificates/copyright"

echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/:/usr/sbin/nologin
veilgrid:x:65532:65532:veilgrid:/tmp:/usr/sbin/nologin
END
cat >"$root/etc/group" <<'END'
root:x:0:
veilgrid:x:65532:
END

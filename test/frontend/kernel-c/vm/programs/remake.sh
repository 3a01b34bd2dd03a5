#!/bin/sh
# Writes NAME.out for every NAME.c of this folder: what the binary of an x86-64 gcc prints.
# Here `char` is unsigned and signed overflow wraps, as the kernel has it on arm64.
set -e
cd "$(dirname "$0")"
case "$(gcc -dumpmachine)" in
x86_64-*) ;;
*) echo 'this needs gcc for x86-64' >&2 && exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cat >"$work/out.c" <<'END'
#include <stdio.h>
void out(unsigned long x) { printf("%lx\n", x); }
END
flags='-w -O0 -std=gnu11 -funsigned-char -fwrapv -fno-strict-aliasing'
for program in *.c; do
	gcc $flags "$program" "$work/out.c" -o "$work/program"
	"$work/program" >"$work/printed"
	cp "$work/printed" "${program%.c}.out"
done

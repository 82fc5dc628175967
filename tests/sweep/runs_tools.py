"""Real runs: compressors, text and file tools, shells, keys."""

import re

from runs import Run

# sha256 of `seq 1 300000`.
NUMBERS = "a036031249164ec858e23450a91585ae7dcb73d481105832ca33813da893233f  -\n"
THROUGH = "seq 1 300000 | {} | {} | sha256sum"


def through(name, pack, unpack, *needs):
    return Run(name, THROUGH.format(pack, unpack), NUMBERS, needs or (name,))


COMPRESSORS = [
    through("gzip", "gzip -9", "gzip -d"),
    through("bzip2", "bzip2", "bunzip2"),
    through("xz", "xz -1 -T2 --block-size=200KiB", "xz -d -T2"),
    through("zstd", "zstd -q -T0 -B200KiB", "zstd -d -q"),
    through("lz4", "lz4 -q", "lz4 -d -q"),
    through("base64", "base64", "base64 -d"),
    through("openssl-enc", "openssl enc -aes-256-ctr -pbkdf2 -pass pass:x",
            "openssl enc -d -aes-256-ctr -pbkdf2 -pass pass:x", "openssl"),
    through("split", "bash -c 'split -l 1000 -a 3 - part. && cat part.*'", "cat", "split"),
    through("sort", "shuf", "sort -n -S 1M --parallel=2 -T ."),
    Run("tar", """
mkdir -p tree/sub; for i in $(seq 40); do seq "$i" 400 > "tree/sub/$i"; done; ln -s sub tree/link
tar -cf - tree | (mkdir copy && cd copy && tar -xf -)
tar -czf tree.tar.gz tree && tar -tzf tree.tar.gz | wc -l
diff -r tree copy/tree && echo same
""", "43\nsame\n", ("tar", "gzip")),
    Run("zip", """
for i in $(seq 30); do seq "$i" 900 > "$i.txt"; done
zip -q all.zip ./*.txt && unzip -tq all.zip && unzip -p all.zip 7.txt | tail -n 1
""", "No errors detected in compressed data of all.zip.\n900\n", ("zip", "unzip")),
    Run("dpkg-deb", """
mkdir -p p/DEBIAN p/usr/share/p
printf 'Package: p\\nVersion: 1.2\\nArchitecture: all\\nMaintainer: A <a@example.com>\\nDescription: x\\n' > p/DEBIAN/control
seq 5000 > p/usr/share/p/data
dpkg-deb --root-owner-group --build p p.deb >/dev/null && dpkg-deb -f p.deb Version
mkdir out && dpkg-deb -x p.deb out && cmp out/usr/share/p/data p/usr/share/p/data && echo same
""", "1.2\nsame\n", ("dpkg-deb",)),
]

TEXT = [
    Run("mawk", ["mawk", """BEGIN {
for (i = 0; i < 60000; i++) count[(i * 7919) % 1009 "-key"]++
for (k in count) { n++; sum += count[k] }
while (("seq 1 100" | getline line) > 0) total += line
print n, sum, total, substr("pattern", 2, 3), sprintf("%.3f", atan2(0, -1)) }"""],
        "1009 60000 5050 att 3.142\n", ("mawk",)),
    Run("gawk", ["gawk", """BEGIN {
for (i = 0; i < 60000; i++) a[i] = (i * 7919) % 100003
n = asort(a); print n, a[1], a[n]; print gensub(/(b+)/, "<\\\\1>", "g", "abbcb") }"""],
        "60000 0 100002\na<bb>c<b>\n", ("gawk",)),
    Run("sed", "seq 1 50000 | sed -n -e 's/\\([0-9]\\)7$/\\1-seven/' -e '/seven/{G;s/\\n//;h;$!d}' "
        "-e '/seven/H' -e '$p' | wc -l; seq 10 | sed '1!G;h;$!d' | tr '\\n' ' '",
        "1\n10 9 8 7 6 5 4 3 2 1 ", ("sed",)),
    Run("grep", "seq 1 200000 | grep -E '^(1|2)+3$' | wc -l; "
        "seq 1 200000 | grep -c -P '(\\d)\\1\\1'; printf 'ab\\ncd\\n' | grep -q x || echo none",
        "46\n6392\nnone\n", ("grep",)),
    Run("bc", ["bc", "-lq"], "3.14159265358979323846264338327950288419716939937508\n"
        "10715086071862673209484250490600018105614048117055336074437503883703\\\n"
        "51051124936122493198378815695858127594672917553146825187145285692314\\\n"
        "04359845775746985748039345677748242309854210746050623711418779541821\\\n"
        "53046474983581941267398767559165543946077062914571196477686542167660\\\n"
        "429831652624386837205668069376\n", ("bc",),
        input="scale=50; 4*a(1)+0.00000000000000000000000000000000000000000000000000\n2^1000\n"),
    Run("jq", "seq 1 20000 | jq -s -c '{n: length, sum: add, odd: map(select(. % 2 == 1)) | length,"
        " last: .[-1] | tostring}'",
        '{"n":20000,"sum":200010000,"odd":10000,"last":"20000"}\n', ("jq",)),
    Run("diff-patch", """
seq 1 3000 > a; sed -e 's/7$/seven/' -e '/00$/d' a > b
diff -u a b > change || true; patch -s a change && cmp a b && grep -c '^[-+]' change
diff3 a b a | wc -l; comm -12 <(sort a) <(sort b) | wc -l
""", "632\n0\n2970\n", ("diff", "patch")),
    Run("iconv", "for i in $(seq 2000); do printf 'gr\\xc3\\xbc\\xc3\\x9fe %d\\n' $i; done "
        "| iconv -f UTF-8 -t UTF-16LE | iconv -f UTF-16LE -t ISO-8859-1 | wc -c", "20893\n",
        ("iconv",)),
    Run("xmllint", "printf '<a>%s</a>' \"$(for i in $(seq 3000); do echo \"<b n='$i'>t</b>\"; done)\""
        " > x.xml; xmllint --noout x.xml && xmllint --xpath 'sum(//b/@n)' x.xml; "
        "echo '<a><b></a>' | xmllint --noout - 2>/dev/null || echo bad", "4.5015e+06\nbad\n",
        ("xmllint",)),
    Run("msgfmt", """
printf 'msgid ""\\nmsgstr "Content-Type: text/plain; charset=UTF-8\\\\n"\\n' > a.po
for i in $(seq 800); do printf '\\nmsgid "word %d"\\nmsgstr "Wort %d"\\n' "$i" "$i"; done >> a.po
msgfmt -o a.mo a.po && msgunfmt a.mo | grep -c '^msgstr "Wort'
""", "800\n", ("msgfmt",), extra=True),
    # A message of the shim's may never come between a program's own lines.
    Run("man", "man --nj ./page.1 2>&1 | wc -l; man -w ./page.1 | wc -l", "35\n1\n", ("man",),
        files=(("page.1", ".TH PAGE 1\n.SH NAME\npage \\- one page\n.SH TEXT\n"
                + "A line of text that is filled.\n" * 60),), complete=False),
    Run("groff", "groff -man -Tascii page.1 2>&1 | wc -l", "39\n", ("groff",),
        files=(("page.1", ".TH PAGE 1\n.SH NAME\npage \\- one page\n.SH TEXT\n"
                + "A line of text that is filled.\n" * 60),)),
    Run("vim", ["vim", "-es", "-u", "NONE", "-i", "NONE", "-c", "%s/7$/seven/", "-c", "g/1/d",
                "-c", "%print", "-c", "wq", "text"],
        re.compile(r"(.*\n)*2seven\n.*(.*\n)*.*"), ("vim",),
        files=(("text", "".join(f"{i}\n" for i in range(100))),)),
]

FILES = [
    Run("find-xargs", """
mkdir -p d/{1..10}; for i in $(seq 200); do echo "$i" > "d/$((i % 10 + 1))/$i.txt"; done
find d -name '*.txt' -print0 | xargs -0 -P 4 -n 10 sha256sum | sort | wc -l
find d -type f -newer d/1 -o -type d -empty | wc -l | grep -q . && find d -delete && ls
""", "200\n", ("find", "xargs")),
    Run("rsync", """
mkdir -p a/s; for i in $(seq 60); do seq "$i" 500 > "a/s/$i"; done
rsync -aO a/ b/ && echo more >> a/s/7 && rm a/s/9
rsync -aO --delete --checksum --out-format=%n a/ b/ && diff -r a b && echo same
""", "deleting s/9\ns/7\nsame\n", ("rsync",)),
    Run("coreutils", """
seq 1 5000 > n; head -c 1000 n | md5sum; tail -n +4990 n | tac | paste -sd, ; nl n | cut -f2 | sum
od -An -tx1 -N8 n; join <(seq 1 9) <(seq 3 5) | paste -sd+ | bc; factor 1000000016000000063
dd if=n bs=512 skip=2 count=3 status=none | cksum; numfmt --to=iec 1536; ls -1 | wc -l
timeout 5 true; timeout 0.1 tail -f /dev/null || echo "timeout $?"; stat -c %s n; wc n
stdbuf -oL echo line; env -i /usr/bin/printenv && echo "empty $?"; nohup echo up 2>&1; date -ud @0
""", """532188f9cac7db2a7a5ceef07c37b78e  -
5000,4999,4998,4997,4996,4995,4994,4993,4992,4991,4990
38880    24
 31 0a 32 0a 33 0a 34 0a
12
1000000016000000063: 1000000007 1000000009
502130290 1536
1.5K
1
timeout 124
23893
 5000  5000 23893 n
line
empty 0
up
Thu Jan  1 00:00:00 UTC 1970
""", ("bc",)),
    Run("flock", """
for i in 1 2 3 4; do (for j in $(seq 20); do flock lock bash -c 'n=$(cat c); echo $((n+1)) > c'; done) & done
wait; cat c
""", "80\n", ("flock",), files=(("c", "0\n"),)),
    Run("script", "script -qec 'echo in a terminal; tty >/dev/null && stty size; exit 7' log "
        "</dev/null || echo \"status $?\"", "in a terminal\r\n0 0\r\nstatus 7\n", ("script",)),
    Run("git", """
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A
export GIT_COMMITTER_EMAIL=a@example.com GIT_AUTHOR_DATE=2020-01-01T00:00:00Z
export GIT_COMMITTER_DATE=2020-01-01T00:00:00Z
git init -q -b main source; cd source
for c in $(seq 8); do for n in $(seq 10); do seq "$c" 300 > "file$n"; done
  git add . && git commit -q -m "commit $c"; done
git rev-parse HEAD; git gc -q; git count-objects -v | grep -E '^(count|in-pack)'
cd .. && git clone -q "file://$PWD/source" copy && git -C copy fsck 2>/dev/null
git -C copy log -n 2 --format=%s; git -C copy grep -c 250 HEAD -- file3
git -C copy diff --stat HEAD~3 | tail -n 1; git -C copy blame -s file1 | sort | uniq -c | wc -l
""", """64237abb6b8162973dd6e07240b3b82c4612beef
count: 0
in-pack: 24
commit 8
commit 7
HEAD:file3:1
 10 files changed, 30 deletions(-)
293
""", ("git",)),
]

KEYS = [
    Run("openssl", """
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out key.pem 2>/dev/null
openssl req -x509 -new -key key.pem -subj /CN=example.com -days 3650 -out cert.pem
openssl verify -CAfile cert.pem cert.pem; seq 1000 > text
openssl dgst -sha256 -sign key.pem -out signature text
openssl dgst -sha256 -verify <(openssl pkey -in key.pem -pubout) -signature signature text
openssl dgst -sha3-256 -r text
""", """cert.pem: OK
Verified OK
ea36b371a3e0e787f17d9ba4adee7ab799c1994fe48f7576def40a38989fd81b *text
""", ("openssl",)),
    Run("ssh-keygen", """
ssh-keygen -q -t ed25519 -N '' -C somebody -f key; echo text > text
ssh-keygen -q -Y sign -f key -n file text 2>/dev/null
echo "somebody $(cat key.pub)" > allowed
ssh-keygen -Y verify -f allowed -I somebody -n file -s text.sig < text | cut -c 1-40
""", 'Good "file" signature for somebody with \n', ("ssh-keygen",)),
    Run("gpg", """
export GNUPGHOME=$PWD/g; mkdir -m 700 g; seq 1000 > text
gpg --batch -q --passphrase '' --quick-gen-key somebody@example.com ed25519 sign 2>/dev/null
gpg --batch -q -o signed --sign text && gpg --batch -q -d signed 2>/dev/null | cmp - text && echo signed
gpg --batch -q --passphrase x --pinentry-mode loopback -o secret -c text
gpg --batch -q --passphrase x --pinentry-mode loopback -d secret | tail -n 1
gpgconf --kill all
""", "signed\n1000\n", ("gpg", "gpgconf", "gpg-agent")),
]

SHELL = r"""
seq 1 2000 | sort -rn | head -n 3 | (while read -r n; do echo "got $n"; done)
x=$(for i in $(seq 1 30); do (echo "$i" | tr 0-9 a-j); done | paste -sd, -); echo "$x"
cat <<END | tr a-z A-Z
here $((6 * 7))
END
true & wait $!; echo "background $?"
( kill -TERM $(sh -c 'echo $PPID') ) ; echo "killed $?"
trap 'echo trapped' EXIT
exit 17
"""
SHELL_PRINTS = """got 2000
got 1999
got 1998
b,c,d,e,f,g,h,i,j,ba,bb,bc,bd,be,bf,bg,bh,bi,bj,ca,cb,cc,cd,ce,cf,cg,ch,ci,cj,da
HERE 42
background 0
killed 143
trapped
"""

SHELLS = [
    Run("bash", ["bash", "-c", SHELL + "#"], SHELL_PRINTS, ("bash",), status=17, stderr=False),
    Run("dash", ["dash", "-c", SHELL], SHELL_PRINTS, ("dash",), status=17, stderr=False),
    Run("zsh", ["zsh", "-fc", SHELL], SHELL_PRINTS, ("zsh",), status=17, stderr=False),
    Run("bash-jobs", r"""
declare -A map; for i in {1..500}; do map[$i]=$((i * i)); done; echo "${map[77]} ${#map[@]}"
cat <(echo one) <(echo two); mapfile -t lines < <(seq 300); echo "${#lines[@]}"
for i in $(seq 40); do (exit $((i % 3))) & all+=($!); done; n=0
for job in "${all[@]}"; do wait "$job" || n=$((n + 1)); done; echo "$n failed"
coproc cat; echo through >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"
[[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[2]}"
""", "5929 500\none\ntwo\n300\n27 failed\nthrough\n123\n", ("bash",)),
]

RUNS = COMPRESSORS + TEXT + FILES + KEYS + SHELLS

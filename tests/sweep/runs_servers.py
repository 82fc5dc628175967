"""Real runs: databases and servers under load. Each starts, is asked, and stops in an orderly way."""

from runs import Run

SQLITE = "\n".join(
    ["create table rows(id integer primary key, text text, number real);", "begin;"]
    + [f"insert into rows values({i}, 'row {i * 7919 % 100003}', {i * 0.5});" for i in range(30000)]
    + ["commit;", "create index by_text on rows(text);",
       "select count(*), sum(number), min(text), max(text) from rows;",
       "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) "
       "select sum(i) from n;", "select missing from rows;"])

NGINX = """
worker_processes 2; error_log stderr error; pid nginx.pid; user root;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .;
  uwsgi_temp_path .; scgi_temp_path .; gzip on; gzip_types *; gzip_min_length 1;
  gzip_http_version 1.0;
  server { listen unix:listen.sock; root www; }
}
"""

# Asks a server on a unix socket, some of the requests at a time; prints how many answers were which.
ASK = """
import collections, concurrent.futures, gzip, hashlib, socket
def get(n):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("listen.sock")
        more = "Accept-Encoding: gzip\\r\\n" if n % 2 else ""
        client.sendall(f"GET /page HTTP/1.0\\r\\nHost: x\\r\\n{more}Connection: close\\r\\n\\r\\n".encode())
        head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\\r\\n\\r\\n")
    packed = b"gzip" in head
    body = gzip.decompress(body) if packed else body
    return head.split(b"\\r\\n")[0].decode(), "gzip" if packed else "plain", hashlib.sha256(body).hexdigest()[:12]
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    for answer, count in sorted(collections.Counter(pool.map(get, range(400))).items()): print(*answer, count)
"""

POSTGRES = """
as=(); [[ $(id -u) != 0 ]] || as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
[[ $(id -u) != 0 ]] || chown postgres . 
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
"""

RUNS = [
    Run("sqlite", ["sqlite3", "-batch", ":memory:"], "30000|224992500.0|row 0|row 99999\n12502500\n", ("sqlite3",), input=SQLITE, status=1),
    Run("sqlite-file", """
sqlite3 file.db 'pragma journal_mode=wal; create table t(a, b);'
for i in 1 2 3 4; do (for j in $(seq 5); do
  sqlite3 -cmd '.timeout 60000' file.db "insert into t select $i, value from generate_series(1, 200)"; done) & done; wait
sqlite3 file.db 'select count(*), sum(b) from t; pragma integrity_check; vacuum;'
""", "wal\n4000|402000\nok\n", ("sqlite3",)),
    Run("redis", """
redis-server --port 0 --unixsocket s --save '' >log & server=$!
until [[ $(redis-cli -s s ping 2>/dev/null) == PONG ]]; do kill -0 $server; done
redis-benchmark -s s -n 3000 -c 20 -q --csv -t set,get,incr,lpush,rpop,hset,zadd,mset | wc -l
redis-cli -s s get counter:__rand_int__; redis-cli -s s lrange mylist 0 1
redis-cli -s s eval "local t = {} for i = 1, 2000 do t[i] = 'v' .. i end return #t" 0
for i in 1 2 3; do redis-cli -s s set "key$i" "value$i"; done; redis-cli -s s save
redis-cli -s s shutdown nosave; wait $server; echo "status $?"; redis-check-rdb dump.rdb | grep -o "RDB looks OK"
""", "9\n3000\n\n2000\nOK\nOK\nOK\nOK\nstatus 0\nRDB looks OK\n", ("redis-server", "redis-cli", "redis-benchmark"), order=True),
    Run("postgresql", POSTGRES + """
"${as[@]}" "$bin/pg_ctl" -D data -w -s -l log -o "-k $PWD -h '' -F" start
psql() { "${as[@]}" "$bin/psql" -X -h "$PWD" -d postgres -At "$@"; }
psql -q -c "create table t(id serial primary key, word text)"
psql -q -c "insert into t(word) select md5(i::text) from generate_series(1, 20000) i"
psql -q -c "create index on t(word)" -c "vacuum analyze t"
psql -c "select count(*), min(word), max(word) from t"
for i in 1 2 3 4; do psql -q -c "update t set word = word || '$i' where id % 4 = $i - 1" & done; wait
psql -c "select sum(length(word)) from t" -c "select missing" 2>/dev/null || echo "failed"
"${as[@]}" "$bin/pg_ctl" -D data -w -s -m fast stop && tail -n 1 log | grep -o 'shut down'
""", "20000|00003e3b9e5336685200ae85d21b4f5e|fffb8ef15de06d87e6ba6c830f3b6284\n"
        "660000\nfailed\nshut down\n", ("psql",), prepare=POSTGRES + """
"${as[@]}" "$bin/initdb" -D data --no-sync -A trust -U postgres >/dev/null
""", variables=(("PGUSER", "postgres"),)),
    Run("nginx", """
/usr/sbin/nginx -p . -c nginx.conf
/usr/bin/python3 ask.py || echo failed
/usr/sbin/nginx -p . -c nginx.conf -s quit
while [[ -e nginx.pid ]]; do :; done; echo stopped
""", "HTTP/1.1 200 OK gzip 521c8694310e 200\nHTTP/1.1 200 OK plain 521c8694310e 200\nstopped\n", ("/usr/sbin/nginx", "/usr/bin/python3"),
        files=(("nginx.conf", NGINX), ("ask.py", ASK)),
        prepare="mkdir www; seq 9000 > www/page; (( $(id -u) )) && sed -i s/user.root.// nginx.conf; true",
        stderr=False, order=True),
    Run("curl", """
/usr/bin/python3 server.py & server=$!
until [[ -s port ]]; do kill -0 $server; done; port=$(cat port)
for i in $(seq 12); do curl -sS "http://127.0.0.1:$port/data" | sha256sum; done | sort | uniq -c
curl -s -Z -o a "http://127.0.0.1:$port/data" -o b "http://127.0.0.1:$port/data" && cmp a b && echo both
curl -s -o /dev/null -w '%{http_code}\\n' "http://127.0.0.1:$port/missing"
curl -s "http://127.0.0.1:1/" || echo "curl $?"; kill $server; wait $server || echo "server $?"
""", """     12 aaaf8d3891038dd85c2f2a0478b12dc3ca0e58989f058252a3ba55007e193b6f  -
both
404
curl 7
server 143
""", ("curl", "/usr/bin/python3"), stderr=False, files=(("server.py", """
import http.server, os
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
with open("port.new", "w") as file: file.write(str(server.server_address[1]))
os.rename("port.new", "port")
server.serve_forever()
"""), ("data", "".join(f"{i}\n" for i in range(60000))))),
    Run("dbus", ["dbus-run-session", "--", "bash", "-c", """
dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetId | wc -w
gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.NameHasOwner x
for i in $(seq 20); do dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames | grep -c string; done | wc -l
"""], "1\n(false,)\n20\n", ("dbus-run-session", "dbus-send", "gdbus"),
        stderr=False),
]

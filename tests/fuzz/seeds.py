"""seeds.py NAME FOLDER - where libFuzzer begins: one small sound input of each kind."""
import gzip, os, re, sys

name, folder = sys.argv[1:]
line = b'{"id": [1, -2.5e3, true, null], "text": "caf\\u00e9 \\ud83d\\ude00 and \\n more"}\n'
page = b"<!doctype html><title>t</title><p>one &amp; two<ul><li>three</ul><script>x</script><!-- c --><pre> a\n b</pre>"
warc = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 5\r\n\r\ntext\n\r\n\r\n"
http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>page"
warc += b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n" % (len(http), http)
text = b"A sentence. Write to a.b@example.org or +49 30 901820, 8.8.8.8.\n- caf\xc3\x83\xc2\xa9\n\nSIGN UP\n3 likes\n"
# In the order of reader_list.h: text, jsonl, html, warc, parquet.
files = [(0, text), (1, line + line), (2, page), (3, warc)]
header = open(os.path.join(os.path.dirname(__file__), "..", "parquet_files.h")).read()
for body in re.findall(r"parquet_\w+\[\] = \{(.*?)\};", header, re.S):
    numbers = re.findall(r"0x([0-9a-f]{2})", body)
    if numbers:
        files.append((4, bytes(int(n, 16) for n in numbers)))
seeds = {
    "readers": [bytes([kind]) + data for kind, data in files] + [bytes([kind]) + gzip.compress(data, mtime=0) for kind, data in files],
    "json": [line.strip(), b'{"text":{"a":[[[]]]}}', b"[1e5]"],
    "filters": [text, page, line],
}[name]
for i, seed in enumerate(seeds):
    with open(os.path.join(folder, "seed-%d" % i), "wb") as f:
        f.write(seed)

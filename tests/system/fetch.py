"""fetch.py FOLDER LOG - a web server on a free port of the loopback that knows Range and If-Range,
and breaks off: a path that begins /cut/N/ ends each connection after N bytes.  /change/ gives another
file, with another mark, on each request.  The port is the first line of output; LOG gets a line for each
request, with its range and the status of the answer."""
import http.server, os, sys

folder, log = sys.argv[1], open(sys.argv[2], "a", buffering=1)
asked = 0


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        global asked
        asked += 1
        path, most, mark = self.path, None, '"one"'
        if path.startswith("/cut/"):
            _, _, n, path = path.split("/", 3)
            most, path = int(n), "/" + path
        if path.startswith("/change/"):
            path, mark, most = path[7:], '"v%d"' % asked, 20000 if asked % 2 else None
        try:
            data = open(os.path.join(folder, path.lstrip("/")), "rb").read()
        except OSError:
            log.write("%s 404\n" % self.path)
            self.send_error(404)
            return
        begin, status = 0, 200
        wanted = self.headers.get("Range")
        if wanted and self.headers.get("If-Range") == mark:
            begin, status = int(wanted.split("=")[1].split("-")[0]), 206
        log.write("%s %s %d\n" % (self.path, wanted, status))
        self.send_response(status)
        self.send_header("ETag", mark)
        self.send_header("Content-Length", str(len(data) - begin))
        if status == 206:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (begin, len(data) - 1, len(data)))
        self.end_headers()
        self.wfile.write(data[begin:] if most is None else data[begin : begin + most])


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()

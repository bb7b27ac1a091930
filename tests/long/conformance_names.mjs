// conformance_names.mjs PORT - the conformance suite's tools under their own names.
//
// The scenarios about tasks call slow_compute and greet.  A lab has tools that do what these are for:
// a wait of so many seconds, and one that answers at once.  Between the suite and the server only
// the names are exchanged; what comes back is the server's own.  Prints its port.
import http from "node:http";

const to = Number(process.argv[2]);
const ours = {
    greet: () => ["status", {}],
    slow_compute: (args) => ["wait", { seconds: Math.min(50, args.seconds ?? 1) }],
};

function renamed(body, headers) {
    const message = JSON.parse(body);
    const as = message.method === "tools/call" && ours[message.params?.name];
    if (!as) return body;
    const same = headers["mcp-name"] === message.params.name;
    [message.params.name, message.params.arguments] = as(message.params.arguments ?? {});
    if (same) headers["mcp-name"] = message.params.name;
    return JSON.stringify(message);
}

http.createServer((req, res) => {
    let body = "";
    req.on("data", (d) => (body += d));
    req.on("end", () => {
        const headers = { ...req.headers, host: `127.0.0.1:${to}` };
        try { body = renamed(body, headers); } catch { /* as it came */ }
        headers["content-length"] = Buffer.byteLength(body);
        const asked = http.request({ host: "127.0.0.1", port: to, path: req.url, method: req.method, headers }, (r) => { res.writeHead(r.statusCode, r.headers); r.pipe(res); });
        asked.on("error", () => res.destroy());
        res.on("close", () => asked.destroy());
        asked.end(body);
    });
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });

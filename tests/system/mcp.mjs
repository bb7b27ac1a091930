// mcp.mjs LATHE LAB - the official MCP clients of both eras against `lathe mcp`, over a pipe and HTTP.
//
// Run in a folder whose node_modules holds @modelcontextprotocol/sdk and /client.  Prints TAP.
import { spawn } from "node:child_process";
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const here = createRequire(path.join(process.cwd(), "x.js"));
const load = (name) => import(pathToFileURL(here.resolve(name)));
const { Client, StreamableHTTPClientTransport } = await load("@modelcontextprotocol/client");
const { StdioClientTransport } = await load("@modelcontextprotocol/client/stdio");
const old = here("@modelcontextprotocol/sdk/client/index.js");
const oldStdio = here("@modelcontextprotocol/sdk/client/stdio.js");
const oldTypes = here("@modelcontextprotocol/sdk/types.js");
const [lathe, lab] = process.argv.slice(2);
const MODERN = "2026-07-28", LEGACY = "2025-11-25";
let count = 0, failed = 0;

function result(ok, name, detail) {
    count++;
    if (!ok) failed++;
    console.log(`${ok ? "ok" : "not ok"} ${count} - ${name}${ok || detail === undefined ? "" : `\n# ${JSON.stringify(detail).slice(0, 600)}`}`);
}

const pipe = (Transport) => new Transport({ command: lathe, args: ["-C", lab, "mcp"], stderr: "inherit" });
const options = (mode) => (mode ? { versionNegotiation: { mode } } : {});

async function connect(name, mode, transport) {
    const client = new Client({ name, version: "1" }, options(mode));
    await client.connect(transport);
    return client;
}

async function answer(client, name, args) {
    const r = await client.callTool({ name, arguments: args ?? {} });
    return r.isError ? { refused: r.content[0].text } : r.structuredContent;
}

// What every client must be able to do, whatever its era and its way here.
async function smoke(client, label, version) {
    if (version) result(client.getNegotiatedProtocolVersion() === version, `${label}: speaks ${version}`, client.getNegotiatedProtocolVersion());
    const { tools } = await client.listTools();
    result(tools.length > 15 && tools.every((t) => t.inputSchema.type === "object" && t.description), `${label}: lists ${tools.length} tools`);
    const status = await answer(client, "status");
    result(Number.isInteger(status.cursor) && typeof status.state === "string", `${label}: calls a tool`, status);
    const wrong = await answer(client, "curve", { run: "r1", points: 100000 });
    result(/whole number from 2 to 120/.test(wrong.refused), `${label}: is told what an argument may be`, wrong);
    let missing = "";
    await client.callTool({ name: "nope", arguments: {} }).catch((e) => (missing = e.message));
    result(/no tool 'nope'/.test(missing), `${label}: is told of a tool that there is not`, missing);
    const { resources } = await client.listResources();
    const read = await client.readResource({ uri: "lathe://status" });
    result(resources.length > 3 && JSON.parse(read.contents[0].text).cursor > 0, `${label}: reads a resource`, read);
    const { prompts } = await client.listPrompts();
    const prompt = await client.getPrompt({ name: "planner", arguments: { goal: "a better rate" } });
    result(prompts.length === 4 && /The goal: a better rate/.test(prompt.messages[0].content.text), `${label}: gets a prompt`);
}

async function pipes() {
    const first = new old.Client({ name: "sdk", version: "1" });
    await first.connect(pipe(oldStdio.StdioClientTransport));
    await smoke(first, "sdk on a pipe");
    await first.close();
    for (const [mode, version] of [[undefined, LEGACY], ["auto", MODERN], [{ pin: MODERN }, MODERN]]) {
        const label = `client (${JSON.stringify(mode) ?? "default"}) on a pipe`;
        const client = await connect("client", mode, pipe(StdioClientTransport));
        await smoke(client, label, version);
        await client.close();
    }
}

function raw(port, change) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
    const want = { host: "127.0.0.1", port, path: "/mcp", method: "POST", ...change, headers: { "content-type": "application/json", ...change.headers } };
    return new Promise((resolve, reject) => {
        const q = http.request(want, (r) => { r.resume(); r.on("end", () => resolve(r.statusCode)); });
        q.on("error", reject);
        q.end(want.method === "POST" ? body : undefined);
    });
}

async function overHttp() {
    const server = spawn(lathe, ["-C", lab, "mcp", "--http"], { stdio: ["ignore", "inherit", "pipe"] });
    const url = await new Promise((resolve) => {
        let said = "";
        server.stderr.on("data", (d) => { said += d; const m = /http:\S+mcp/.exec(said); if (m) resolve(new URL(m[0])); });
    });
    for (const [mode, version] of [[undefined, LEGACY], ["auto", MODERN], [{ pin: MODERN }, MODERN]]) {
        const client = await connect("client", mode, new StreamableHTTPClientTransport(url));
        await smoke(client, `client (${JSON.stringify(mode) ?? "default"}) over HTTP`, version);
        await client.close();
    }
    result((await raw(url.port, {})) === 200, "HTTP: a plain request is answered");
    result((await raw(url.port, { headers: { origin: "https://evil.example" } })) === 403, "HTTP: a web page elsewhere is refused");
    result((await raw(url.port, { headers: { origin: "http://127.0.0.1.evil.example" } })) === 403, "HTTP: so is a name that begins like this machine");
    result((await raw(url.port, { headers: { host: `evil.example:${url.port}` } })) === 403, "HTTP: a name that was pointed here is refused");
    result((await raw(url.port, { method: "GET" })) === 405, "HTTP: GET is not answered");
    result((await raw(url.port, { headers: { "content-type": "text/plain" } })) === 415, "HTTP: what a form can send is refused");
    result((await raw(url.port, { headers: { "mcp-protocol-version": MODERN } })) === 400, "HTTP: a header alone makes no request of the newer era");
    server.kill("SIGTERM");
    await new Promise((resolve) => server.on("exit", resolve));
}

const PROPOSAL = {
    title: "three times the rate", edits: [{ knob: "optim.lr", to: 0.003 }], predicted: 0.02, confidence: 0.6,
    why: "short runs bear high rates", refute: "no gain",
};

// The older SDK's own tasks, and the newer era's by its messages; who comes back finds them.
async function tasks(cursor) {
    const old1 = new old.Client({ name: "sdk", version: "1" }, { capabilities: { tasks: {} } });
    await old1.connect(pipe(oldStdio.StdioClientTransport));
    const { tools } = await old1.listTools();
    result(tools.filter((t) => t.execution?.taskSupport === "optional").map((t) => t.name).join() === "wait", "tasks: of the tools wait may be one");
    const seen = [];
    const stream = old1.experimental.tasks.callToolStream({ name: "wait", arguments: { cursor, until: "p1" } }, undefined, { task: {} });
    for await (const m of stream) {
        seen.push(m.type);
        if (m.type === "taskStatus" || m.type === "error") break;
    }
    result(seen.join().startsWith("taskCreated,taskStatus"), "tasks: the older SDK makes one and asks for it", seen);
    await old1.close();
}

async function tasksAgain() {
    const again = new old.Client({ name: "sdk", version: "1" }, { capabilities: { tasks: {} } });
    await again.connect(pipe(oldStdio.StdioClientTransport));
    const { tasks: all } = await again.experimental.tasks.listTasks();
    const done = await again.experimental.tasks.getTask(all[0].taskId);
    const got = await again.experimental.tasks.getTaskResult(all[0].taskId, oldTypes.CallToolResultSchema);
    result(done.status === "completed" && got.structuredContent?.over === true, "tasks: who comes back finds it completed, with the verdict", got);
    await again.close();
}

// Hands in a proposal, begins the work, waits for the first finished run, and leaves.
async function leaving() {
    const a = await connect("agent-a", { pin: MODERN }, pipe(StdioClientTransport));
    const queued = await answer(a, "propose", PROPOSAL);
    result(queued.answer === "queued" && queued.id === "p1", "agent: a proposal is queued", queued);
    const session = await answer(a, "research", { hours: 0.025, experiments: 4, goal: "a better rate" });
    result(session.session === "s1" && session.seconds_per_run > 0, "agent: research begins", session);
    let seen = await answer(a, "wait", { cursor: session.cursor, seconds: 5 });
    const during = Promise.all([answer(a, "wait", { cursor: seen.cursor, seconds: 5 }), answer(a, "status")]);
    const [later, status] = await during;
    result(status.state === "working" && later.cursor >= seen.cursor, "agent: a call that waits does not hold up another", status);
    await a.close();
    return session.cursor;
}

async function comingBack(cursor) {
    const b = await connect("agent-b", "auto", pipe(StdioClientTransport));
    const events = [];
    let at = { cursor, state: "working" };
    for (let i = 0; i < 8 && !events.some((e) => e.kind === "session_end"); i++) {
        at = await answer(b, "wait", { cursor: at.cursor, seconds: 50 });
        events.push(...at.events);
    }
    const proposal = events.find((e) => e.kind === "proposal");
    result(proposal?.author === "mcp:agent-a" && proposal.idea === "p1", "agent: the work went on while nobody was there", events);
    result(events.some((e) => e.kind === "verdict" && e.id === proposal?.id), "agent: who comes back is told the verdict", events);
    result(events.some((e) => e.kind === "session_end"), "agent: the session ends with a headline and a report", at);
    const again = await answer(b, "propose", PROPOSAL);
    result(again.answer === "repeat", "agent: what was tried is answered, not run", again);
    const calls = { experiment: { id: proposal?.id }, curve: { run: "r1" }, diagnose: { run: "r1" }, data_audit: { name: "words" }, compare: { runs: ["r1", "r2"] }, similar: { knob: "optim.lr" }, data_sample: { name: "words" },
        data_search: { name: "words", words: "a" }, sql: { query: "SELECT author, tool, tokens FROM tool_calls" }, propose: PROPOSAL, wait: { seconds: 0 }, plan: { hours: 0.01 },
        propose_patch: { ...PROPOSAL, edits: undefined, patch: "no patch" }, cancel: { id: "p1", reason: "done" }, note: { text: "seen" }, research: null };
    const { tools } = await b.listTools();
    for (const { name } of tools) {
        if (calls[name] === null) continue;
        const r = await answer(b, name, calls[name]);
        const fine = ["data_sample", "data_search"].includes(name) ? /not shared/.test(r.refused) : name === "propose_patch" ? Boolean(r.refused) : name === "fit" ? /no ladder/.test(r.refused) : name === "cancel" ? /no idea p1/.test(r.refused) : !r.refused;
        result(fine, `agent: ${name} answers`, r);
        if (name === "sql") result(r.rows.some((x) => x.author === "mcp:agent-a") && r.rows.every((x) => x.tokens === null), "agent: every call is in the ledger, its tokens unknown", r);
    }
    await b.close();
}

try {
    await pipes();
    await overHttp();
    const cursor = await leaving();
    await tasks(cursor);
    await comingBack(cursor);
    await tasksAgain();
} catch (error) {
    result(false, `no error on the way: ${error.stack}`);
}
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);

// llama_server.mjs MODEL.gguf PORT - llama.cpp behind OpenAI's chat completions.
//
// npm's prebuilt llama.cpp has no server of its own, so this is one: what is said and counted is
// llama.cpp's, loaded, tokenized and sampled under a grammar made from the tools that the client
// sends.  The model may be small and talk nonsense; the grammar makes calls of it.  Every other
// answer is held to the tools' own schemas only, which leaves room for knobs that there are not;
// those between may name the knobs of KNOBS and turn them within reason.  Prints its port.
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const here = createRequire(path.join(process.cwd(), "x.js"));
const { getLlama, LlamaGrammarEvaluationState } = await import(pathToFileURL(here.resolve("node-llama-cpp")));
const [file, port] = process.argv.slice(2);
const CONTEXT = 512, ANSWER = 380;
const KNOBS = { "optim.lr": ["0.002", "0.004", "0.006"], "train.batch": ["4", "16"], "optim.decay": ["0", "0.05"] };
const NAMES = ["propose", "status", "knobs", "note"];

const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error", progressLogs: false });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({ contextSize: CONTEXT, sequences: 1, threads: 1 });
const sequence = context.getSequence();
let answers = 0;

// The part of JSON Schema that the grammar understands, texts short enough to end.
function bounded(s) {
    if (s.type === "object") {
        const properties = Object.fromEntries(Object.entries(s.properties ?? {}).map(([k, v]) => [k, bounded(v)]));
        return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
    }
    if (s.type === "array") return { type: "array", items: bounded(s.items), minItems: 1, maxItems: 1 };
    if (s.enum) return { enum: s.enum };
    if (s.type === "string") return { type: "string", minLength: 1, maxLength: 12 };
    if (s.type === "number" || s.type === "integer") return { enum: [s.minimum ?? 0, 0.5, 1].filter((x) => s.type === "number" || Number.isInteger(x)) };
    return { type: s.type };
}

function sane(s) {
    const edits = Object.entries(KNOBS).map(([knob, to]) => ({ type: "object", properties: { knob: { const: knob }, to: { enum: to } }, required: ["knob", "to"], additionalProperties: false }));
    const out = bounded(s);
    out.properties.edits = { type: "array", items: { oneOf: edits }, minItems: 1, maxItems: 1 };
    out.properties.predicted = { enum: [0.01, 0.05] };
    out.properties.confidence = { enum: [0.2, 0.5] };
    return out;
}

function grammarOf(tools) {
    const loose = answers % 2 === 0, names = answers % 4 === 2 ? NAMES : ["propose"];
    answers++;
    const calls = tools.filter((t) => names.includes(t.function.name));
    return llama.createGrammarForJsonSchema({ oneOf: calls.map(({ function: f }) => ({
        type: "object",
        properties: { name: { const: f.name }, arguments: loose ? bounded(f.parameters) : sane(f.parameters) },
        required: ["name", "arguments"], additionalProperties: false })) });
}

async function sample(q) {
    const state = new LlamaGrammarEvaluationState({ model, grammar: await grammarOf(q.tools) });
    const prompt = model.tokenize(q.messages.map((m) => `${m.role}: ${m.content ?? ""}`).join("\n"));
    const seen = prompt.slice(-(CONTEXT - ANSWER - 8));
    const out = [];
    await sequence.clearHistory();
    for await (const token of sequence.evaluate(seen, { temperature: 0.8, seed: answers, grammarEvaluationState: state })) {
        if (model.isEogToken(token) || out.length >= Math.min(ANSWER, q.max_tokens ?? ANSWER)) break;
        out.push(token);
    }
    return { text: model.detokenize(out), usage: { prompt_tokens: seen.length, completion_tokens: out.length, total_tokens: seen.length + out.length } };
}

function chunks(q, text, usage) {
    const base = { id: `chatcmpl-${answers}`, object: "chat.completion.chunk", created: 0, model: q.model };
    const say = (delta, finish_reason = null) => ({ ...base, choices: [{ index: 0, delta, finish_reason }] });
    let call = null;
    try { call = JSON.parse(text); } catch { /* cut off: text then */ }
    if (!call) return [say({ role: "assistant", content: text }), say({}, "length"), { ...base, choices: [], usage }];
    const args = JSON.stringify(call.arguments), half = args.length >> 1;
    return [say({ role: "assistant", content: null, tool_calls: [{ index: 0, id: `call_${answers}`, type: "function", function: { name: call.name, arguments: "" } }] }),
        say({ tool_calls: [{ index: 0, function: { arguments: args.slice(0, half) } }] }), say({ tool_calls: [{ index: 0, function: { arguments: args.slice(half) } }] }),
        say({}, "tool_calls"), { ...base, choices: [], usage }];
}

let turn = Promise.resolve(); // one at a time
async function complete(body, res) {
    const q = JSON.parse(body);
    const { text, usage } = await sample(q);
    console.error(`${usage.prompt_tokens} + ${usage.completion_tokens}: ${text}`);
    res.writeHead(200, { "content-type": "text/event-stream" });
    for (const c of chunks(q, text, usage)) res.write(`data: ${JSON.stringify(c)}\n\n`);
    res.end("data: [DONE]\n\n");
}

http.createServer((req, res) => {
    let body = "";
    req.on("data", (d) => (body += d));
    req.on("end", () => {
        if (req.url.endsWith("/models")) return res.end(JSON.stringify({ object: "list", data: [{ id: path.basename(file), object: "model" }] }));
        if (!req.url.endsWith("/chat/completions")) return res.writeHead(404).end(JSON.stringify({ error: { message: "no such path" } }));
        turn = turn.then(() => complete(body, res)).catch((e) => { console.error(e.stack); if (!res.headersSent) res.writeHead(500); res.end(JSON.stringify({ error: { message: e.message } })); });
    });
}).listen(Number(port ?? 0), "127.0.0.1", function () { console.log(this.address().port); });

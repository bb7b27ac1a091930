// gguf.mjs LOGITS CASE... - llama.cpp (npm's node-llama-cpp) as the judge of exported models.
//
// A CASE is name=DIR,GGUF,TOKENIZER: a checkpoint folder, the file exported from it, and the file
// of its tokenizer.  For each: the same text becomes the same tokens, log-probabilities after every
// token agree with Lathe's, and both continue a prompt greedily with the same tokens.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const { getLlama } = await import(pathToFileURL(createRequire(path.join(process.cwd(), "x.js")).resolve("node-llama-cpp")));
const [logitsProgram, lathe, ...cases] = process.argv.slice(2);
const TOLERANCE = 1e-3, CONTINUED = 12;
const TEXT = "the king's 12 ships don't sail;\n\n  they wait -- na\u00efvely, \u4e16\u754c!";
let count = 0, failed = 0;

function result(ok, name) {
    count++;
    if (!ok) failed++;
    console.log(`${ok ? "ok" : "not ok"} ${count} - ${name}`);
}

function oursAfter(dir, ids) {
    return JSON.parse(execFileSync(logitsProgram, [dir, ...ids.map(String)], { maxBuffer: 1 << 30 }).toString());
}

function oursTokens(tokenizer, text) {
    const out = execFileSync(lathe, ["tokenizer", "encode", "--json", "--tokenizer", tokenizer], { input: text });
    return JSON.parse(out.toString()).ids;
}

async function theirsAfter(context, ids) {
    const sequence = context.getSequence();
    const wanted = ids.map((id) => [id, { generateNext: { probabilities: true } }]);
    const out = await sequence.controlledEvaluate(wanted);
    sequence.dispose();
    return out.map((o) => o.next.probabilities);
}

// The largest difference of log-probabilities, over the tokens that matter: below 1e-6 nothing is
// printed of a probability but rounding.
function largestDifference(ours, theirs) {
    let worst = 0, compared = 0;
    ours.forEach((row, i) => {
        for (const [id, p] of theirs[i]) {
            if (p < 1e-6) continue;
            worst = Math.max(worst, Math.abs(Math.log(p) - row[id]));
            compared++;
        }
    });
    return [worst, compared];
}

function best(row) {
    return row.indexOf(Math.max(...row));
}

async function greedy(context, ids) {
    const sequence = context.getSequence(), out = [];
    let input = ids;
    while (out.length < CONTINUED) {
        const last = [[input.at(-1), { generateNext: { probabilities: true } }]];
        const steps = await sequence.controlledEvaluate([...input.slice(0, -1), ...last]);
        const [id] = [...steps.at(-1).next.probabilities].reduce((a, b) => (b[1] > a[1] ? b : a));
        out.push(id);
        input = [id];
    }
    sequence.dispose();
    return out;
}

function oursGreedy(dir, ids) {
    const all = [...ids];
    for (let i = 0; i < CONTINUED; i++) all.push(best(oursAfter(dir, all).at(-1)));
    return all.slice(ids.length);
}

async function judge(llama, spec) {
    const [name, files] = spec.split("=");
    const [dir, gguf, tokenizer] = files.split(",");
    const model = await llama.loadModel({ modelPath: gguf });
    const context = await model.createContext({
        contextSize: 64, sequences: 2, flashAttention: false,
        experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32",
    });
    const ids = oursTokens(tokenizer, TEXT);
    result(JSON.stringify(model.tokenize(TEXT)) === JSON.stringify(ids), `${name}: the same ${ids.length} tokens`);
    const text = [model.tokens.bos, ...ids].slice(0, 40);
    const [worst, compared] = largestDifference(oursAfter(dir, text), await theirsAfter(context, text));
    result(worst < TOLERANCE && compared > 100,
        `${name}: ${compared} log-probabilities agree, the largest difference is ${worst.toExponential(1)}`);
    const prompt = text.slice(0, 6), ours = oursGreedy(dir, prompt), theirs = await greedy(context, prompt);
    result(JSON.stringify(ours) === JSON.stringify(theirs), `${name}: both continue alike: ${JSON.stringify(model.detokenize(theirs))}`);
    await context.dispose();
    await model.dispose();
}

const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error", progressLogs: false });
for (const spec of cases) {
    try {
        await judge(llama, spec);
    } catch (error) {
        result(false, `${spec}: ${error.message}`);
    }
}
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);

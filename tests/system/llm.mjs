// llm.mjs PORT - the providers' own clients talk to the fake; what they make of it proves its shapes.
import { createRequire } from 'node:module';
const require = createRequire(process.env.LATHE_NODE_MODULES + '/');
const Anthropic = require('@anthropic-ai/sdk').default, OpenAI = require('openai').default;
const at = `http://127.0.0.1:${process.argv[2]}`;
const claude = new Anthropic({ apiKey: 'sk-test', baseURL: at, maxRetries: 2 });
const openai = new OpenAI({ apiKey: 'sk-test', baseURL: at + '/v1', maxRetries: 2 });
const schema = { type: 'object', properties: { lr: { type: 'number' } }, required: ['lr'] };
const ask = { max_tokens: 64, messages: [{ role: 'user', content: 'go' }] };
const tools = [{ name: 'run', description: 'runs', input_schema: schema }];
const functions = [{ type: 'function', function: { name: 'run', parameters: schema } }];

let count = 0, failed = 0;
async function test(name, run) {
    let problem = '';
    try { await run(); } catch (e) { problem = e.stack ?? String(e); }
    if (problem) failed++, console.log('# ' + problem.split('\n').slice(0, 3).join('\n# '));
    console.log(`${problem ? 'not ok' : 'ok'} ${++count} - ${name}`);
}
function same(found, wanted) {
    if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`found ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}
async function fails(run, wanted) {
    try { await run(); } catch (e) { return same(wanted(e), true); }
    throw new Error('it did not fail');
}

await test('Anthropic: an answer in one piece', async () => {
    const m = await claude.messages.create({ model: 'whole', ...ask, tools });
    same([m.stop_reason, m.content.map(c => c.type), m.usage.output_tokens], ['tool_use', ['text', 'tool_use', 'tool_use'], 17]);
});
await test('Anthropic: thoughts, text and calls out of a stream', async () => {
    const m = await claude.messages.stream({ model: 'think', ...ask, tools }).finalMessage();
    same(m.content.map(c => c.type), ['thinking', 'text', 'tool_use', 'tool_use']);
    same([m.content[0].thinking, m.content[0].signature, m.content[1].text], ['Consider lr. é', 'c2ln+/=', 'I will run it.']);
    same([m.content[2].input, m.content[3].input], [{ lr: 0.0006, note: 'é"\\\'' }, {}]);
    same([m.usage.input_tokens, m.usage.cache_read_input_tokens, m.usage.output_tokens], [42, 1000, 17]);
});
await test('Anthropic: a refusal with its category', async () => {
    const m = await claude.messages.stream({ model: 'refuse', ...ask }).finalMessage();
    same([m.stop_reason, m.stop_details.category], ['refusal', 'frontier_llm']);
});
await test('Anthropic: a model and its abilities, and a count of tokens', async () => {
    const m = (await claude.models.list()).data[0];
    same([m.id, m.capabilities.thinking.types.adaptive.supported], ['play', true]);
    same((await claude.messages.countTokens({ model: 'play', messages: ask.messages })).input_tokens > 0, true);
});
for (const [model, ok] of [['fail-529-x1-after0.1', true], ['fail-429-x1-after0.1', true], ['fail-500-x2-after0.1', true]])
    await test(`Anthropic: ${model} passes`, async () => same((await claude.messages.create({ model, ...ask })).stop_reason, 'end_turn'));
for (const [status, name] of [[400, 'BadRequestError'], [401, 'AuthenticationError'], [403, 'PermissionDeniedError'], [404, 'NotFoundError']])
    await test(`Anthropic: ${status} is ${name}`, () => fails(() => claude.messages.create({ model: `fail-${status}-x9`, ...ask }),
        e => e.constructor.name === name && e.status === status && e.requestID === 'req_1'));
await test('Anthropic: an error in the middle of a stream is one', () =>
    fails(() => claude.messages.stream({ model: 'midstream-x1', ...ask }).finalMessage(), e => /overloaded/i.test(e.message)));
await test('Anthropic: a stream that is cut begins well and is an error', async () => {
    let events = 0;
    const stream = claude.messages.stream({ model: 'cut-x1', ...ask }).on('streamEvent', () => events++);
    await fails(() => stream.finalMessage(), () => events > 2);
});

await test('OpenAI: an answer in one piece', async () => {
    const c = await openai.chat.completions.create({ model: 'whole', messages: ask.messages, tools: functions });
    same([c.choices[0].finish_reason, JSON.parse(c.choices[0].message.tool_calls[0].function.arguments).lr], ['tool_calls', 0.0006]);
});
await test('OpenAI: text, calls and usage out of a stream', async () => {
    const c = await openai.chat.completions.stream({ model: 'tools', messages: ask.messages, tools: functions, stream_options: { include_usage: true } }).finalChatCompletion();
    same([c.choices[0].message.content, c.choices[0].finish_reason, c.usage.completion_tokens], ['I will run it.', 'tool_calls', 17]);
    same(c.choices[0].message.tool_calls.map(t => JSON.parse(t.function.arguments)), [{ lr: 0.0006, note: 'é"\\\'' }, {}]);
});
await test('OpenAI: what may pass passes, a wrong key does not', async () => {
    same((await openai.chat.completions.create({ model: 'fail-503-x1-after0.1', messages: ask.messages })).choices[0].finish_reason, 'stop');
    await fails(() => openai.chat.completions.create({ model: 'fail-401-x9', messages: ask.messages }), e => e.status === 401);
});
await test('OpenAI: a refusal is a filter, a list has the model', async () => {
    same((await openai.chat.completions.create({ model: 'refuse', messages: ask.messages })).choices[0].finish_reason, 'content_filter');
    same((await openai.models.list()).data[0].id, 'play');
});
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);

// parquet.mjs READ_DUMP FOLDER - Parquet written by two other programs, read by ours: hyparquet-writer
// and parquet-rs (as parquet-wasm), with and without dictionary, packed in each way, both page versions.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
const { pathToFileURL } = await import("node:url");
const arrow = require("apache-arrow");
const rust = require("parquet-wasm");
const { parquetWriteBuffer } = await import(pathToFileURL(require.resolve("hyparquet-writer")));
const [dump, folder] = process.argv.slice(2);

const few = ["first text", "zweiter: äöü €", null, "", "first text", "café\nline", "😀 " + "x".repeat(70000)];
const repeated = Array.from({ length: 40000 }, (_, i) => "word " + ((i * i) % 97));
const different = Array.from({ length: 40000 }, (_, i) => (i % 11 == 3 ? null : `${(i * i) % 39973} of ${i}`));
const files = [];
for (const [name, rows] of Object.entries({ few, repeated, different })) {
    const column = (options) =>
        Buffer.from(parquetWriteBuffer({ columnData: [{ name: "text", data: rows, type: "STRING" }], ...options }));
    files.push([`hyparquet_${name}_snappy`, rows, column({})]);
    files.push([`hyparquet_${name}_none`, rows, column({ codec: "UNCOMPRESSED" })]);
    const ipc = arrow.tableToIPC(new arrow.Table({ text: arrow.vectorFromArray(rows, new arrow.Utf8()) }), "stream");
    for (const codec of ["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"])
        for (const version of ["V1", "V2"])
            for (const dictionary of [true, false]) {
                const how = new rust.WriterPropertiesBuilder()
                    .setCompression(rust.Compression[codec])
                    .setWriterVersion(rust.WriterVersion[version])
                    .setDictionaryEnabled(dictionary)
                    .setEncoding(rust.Encoding.PLAIN)
                    .build();
                const bytes = rust.writeParquet(rust.Table.fromIPCStream(ipc), how);
                files.push([`rust_${name}_${codec}_${version}_${dictionary ? "dictionary" : "plain"}`, rows, bytes]);
            }
}
let failures = 0;
files.forEach(([name, rows, bytes], i) => {
    const path = `${folder}/${name}.parquet`;
    writeFileSync(path, bytes);
    let got = [];
    try {
        const out = execFileSync(dump, ["text", path], { maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });
        got = out.toString().trim().split("\n").map(JSON.parse);
    } catch (e) {
        console.log("# " + e.message);
    }
    const want = rows.map((text, offset) => ({ offset, text })).filter((row) => row.text !== null);
    const ok = JSON.stringify(got) === JSON.stringify(want);
    if (!ok) failures++;
    console.log(`${ok ? "ok" : "not ok"} ${i + 1} - parquet_of_${name}_has_the_rows_that_were_written`);
});
console.log(`1..${files.length}`);
process.exit(failures ? 1 : 0);

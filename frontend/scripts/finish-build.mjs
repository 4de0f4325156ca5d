// After the build: checks the size of the first load, and packs each file beside itself for servers that send it as it is.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url).pathname;
const FIRST_LOAD_BYTES = 250_000;
const PACKED = /\.(js|css|svg|html|json)$/;

const manifest = JSON.parse(readFileSync(join(DIST, ".vite/manifest.json"), "utf8"));

/** Scripts that the browser must have before a page is drawn: the entry, a page, and what both import. */
function scriptsOf(key, seen = new Set()) {
  const chunk = manifest[key];
  if (chunk === undefined || seen.has(chunk.file)) return seen;
  if (chunk.file.endsWith(".js")) seen.add(chunk.file);
  for (const imported of chunk.imports ?? []) scriptsOf(imported, seen);
  return seen;
}

const sizeOf = (file) => gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length;
const sum = (files) => [...files].reduce((total, file) => total + sizeOf(file), 0);
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
let failed = false;
for (const page of ["src/features/sensors/monitor-page.tsx", "src/app/pages/run-page.tsx"]) {
  const files = scriptsOf(entry);
  scriptsOf("src/app/shell/shell.tsx", files);
  scriptsOf(page, files);
  const bytes = sum(files);
  failed ||= bytes > FIRST_LOAD_BYTES;
  console.log(`${page}: ${(bytes / 1000).toFixed(1)} kB gzip in ${files.size} scripts (limit ${FIRST_LOAD_BYTES / 1000})`);
}
if (failed) {
  console.error("The first load is too large.");
  process.exit(1);
}

for (const entryOf of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
  if (!entryOf.isFile() || !PACKED.test(entryOf.name)) continue;
  const path = join(entryOf.parentPath, entryOf.name);
  const content = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import openapiTS, { astToString } from "openapi-typescript";
import { expect, it } from "vitest";

const at = (path: string): URL => new URL(path, import.meta.url);

it("the API's types are those of its document: npm run schema", async () => {
  const ast = await openapiTS(at("../../../docs/openapi.json"), { alphabetize: true, defaultNonNullable: false });
  const written = readFileSync(fileURLToPath(at("../../src/api/schema.d.ts")), "utf8");
  expect(written.endsWith(astToString(ast))).toBe(true);
}, 30_000);

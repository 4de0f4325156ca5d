/** Reads parameters as people type them: one `name = value` a line; numbers, true and false are taken as such. */

type Param = string | number | boolean;

export interface Params {
  readonly values: Record<string, Param>;
  /** Number of the first line that cannot be read. */
  readonly problem: number | null;
}

export function parseParams(text: string): Params {
  const values: Record<string, Param> = {};
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const match = /^\s*([^=:\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined || match[2] === "") return { values, problem: i + 1 };
    values[match[1]] = valueOf(match[2]);
  }
  return { values, problem: null };
}

function valueOf(text: string): Param {
  if (text === "true" || text === "false") return text === "true";
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

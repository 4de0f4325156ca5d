/** What a user agent names, in words that people know. */

export interface Device {
  /** "Firefox 128", or what a script calls itself. */
  readonly program: string;
  readonly system: string | null;
}

// The order matters: browsers name their ancestors as well.
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\/(\d+)/, "Edge"],
  [/\bOPR\/(\d+)/, "Opera"],
  [/\bYaBrowser\/(\d+)/, "Yandex Browser"],
  [/\bSamsungBrowser\/(\d+)/, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
  [/\b(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/, "Chrome"],
  [/\bVersion\/(\d+)[.\d]* (?:Mobile\/\w+ )?Safari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

/** Null where nothing is known. */
export function deviceOf(userAgent: string | null): Device | null {
  if (userAgent === null || userAgent.trim() === "") return null;
  const system = SYSTEMS.find(([sign]) => sign.test(userAgent))?.[1] ?? null;
  for (const [sign, name] of BROWSERS) {
    const version = sign.exec(userAgent)?.[1];
    if (version !== undefined) return { program: `${name} ${version}`, system };
  }
  const [first = ""] = userAgent.trim().split(/\s+/);
  return { program: first.replace("/", " ").slice(0, 40), system };
}

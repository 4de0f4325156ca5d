/** The colours that canvases draw with, read from the roles of the current scheme. */

export interface Palette {
  readonly bg: string;
  readonly ink: string;
  readonly ink2: string;
  readonly ink3: string;
  readonly grid: string;
  readonly axis: string;
  readonly physical: string;
  readonly raw: string;
  readonly okMark: string;
  readonly badMark: string;
  readonly ruleStrong: string;
  readonly noneMark: string;
  readonly runningBand: string;
  readonly finishedBand: string;
  readonly failedBand: string;
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const role = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    bg: role("bg"),
    ink: role("ink"),
    ink2: role("ink-2"),
    ink3: role("ink-3"),
    grid: role("chart-grid"),
    axis: role("chart-axis"),
    physical: role("physical"),
    raw: role("raw"),
    okMark: role("ok-mark"),
    badMark: role("bad-mark"),
    ruleStrong: role("rule-strong"),
    noneMark: role("none-mark"),
    runningBand: role("running-band"),
    finishedBand: `color-mix(in srgb, ${role("ink-3")} 6%, transparent)`,
    failedBand: `color-mix(in srgb, ${role("bad-mark")} 6%, transparent)`,
  };
}

export const CANVAS_FONT = '11px "Inter Variable", system-ui, sans-serif';

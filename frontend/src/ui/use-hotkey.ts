/** One key, one action; silent while a person types or a dialog is open. */

import { useEffect, useRef } from "react";

/** Whether the focus lies where a pointer left it; `:focus-visible` cannot tell, it turns with the very key in question. */
let pointing = true;
if (typeof window !== "undefined") {
  window.addEventListener("pointerdown", () => (pointing = true), true);
  window.addEventListener("keydown", (event) => (pointing &&= event.key !== "Tab" && !event.key.startsWith("Arrow")), true);
}

const busy = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
  !(target instanceof HTMLInputElement && (target.type === "radio" || target.type === "checkbox"));

interface Options {
  readonly ctrl?: boolean;
  readonly enabled?: boolean;
}

export function useHotkey(key: string, action: () => void, { ctrl = false, enabled = true }: Options = {}): void {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent): void => {
      const pressed = event.key === key || event.key.toLowerCase() === key || event.code === `Key${key.toUpperCase()}`;
      if (!pressed || event.repeat || event.altKey || (event.ctrlKey || event.metaKey) !== ctrl) return;
      if (!ctrl && (busy(event.target) || document.querySelector("dialog[open], [role=dialog], [role=menu]") !== null)) return;
      if (event.target instanceof HTMLElement && event.target !== document.body && key === " ") {
        // Whoever moves by keyboard presses what is focused; a focus that a click left behind is let go.
        if (!pointing) return;
        event.target.blur();
      }
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [key, ctrl, enabled]);
}

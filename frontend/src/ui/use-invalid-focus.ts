/** Takes the reader to the first field that was refused, here or by the hub. */

import { useEffect, useRef, type RefObject } from "react";

/** `refusal` is new with each refusal, a count of tries or an error say; null or 0 while there was none. */
export function useInvalidFocus(...refusal: readonly unknown[]): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  const key = refusal.filter((each) => each !== null && each !== 0);
  useEffect(() => {
    if (key.length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    // Each entry counts by itself; the list is made anew at each drawing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, refusal);
  return form;
}

/** The time, ticking with a component that shows it. */

import { useEffect, useState } from "react";

/** Seconds since 1970 of `nowS`, renewed every `everyMs`. */
export function useNow(nowS: () => number, everyMs = 1000): number {
  const [now, setNow] = useState(nowS);
  useEffect(() => {
    const timer = setInterval(() => setNow(nowS()), everyMs);
    return () => clearInterval(timer);
  }, [nowS, everyMs]);
  return now;
}

/** Brings the engine that draws curves beside the page, which stands with all charts' heads and places before it has come. */

import { useEffect, useState } from "react";

type EngineModule = typeof import("./plot-engine");

const load = (): Promise<EngineModule> => import("./plot-engine");
// On its way as soon as this module is; whoever needs it hears of a failure.
load().catch(() => undefined);

/** Null until it has come; a failure ends at the page's error boundary, as with everything that loads late. */
export function useEngineModule(): EngineModule | null {
  const [module, setModule] = useState<EngineModule | null>(null);
  const [failure, setFailure] = useState<{ readonly error: unknown } | null>(null);
  useEffect(() => {
    load().then(setModule, (error: unknown) => setFailure({ error }));
  }, []);
  if (failure !== null) throw failure.error;
  return module;
}

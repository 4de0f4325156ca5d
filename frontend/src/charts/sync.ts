/** The time under the pointer, shared by the charts of a page and its lanes; and the one loop that draws them. */

type Listener = (at: number | null) => void;

export class CursorTime {
  private readonly listeners = new Set<Listener>();
  private at: number | null = null;

  set(at: number | null): void {
    if (at === this.at) return;
    this.at = at;
    this.listeners.forEach((listener) => listener(at));
  }

  on(listener: Listener): () => void {
    this.listeners.add(listener);
    listener(this.at);
    return () => this.listeners.delete(listener);
  }
}

const steps = new Set<() => void>();
let running = false;

function frame(): void {
  for (const step of steps) step();
  if (steps.size > 0) requestAnimationFrame(frame);
  else running = false;
}

/** Call a step before each paint until the returned function is called. */
export function onFrame(step: () => void): () => void {
  steps.add(step);
  if (!running) {
    running = true;
    requestAnimationFrame(frame);
  }
  return () => steps.delete(step);
}

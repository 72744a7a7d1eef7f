// One listener for each signal, however many removals it may stop: Node warns of
// more than ten.

const watched = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `act` when `signal` aborts, at once where it has; what it returns undoes that. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal?.aborted) act();
  if (!signal || signal.aborted) return () => {};
  const acts = watched.get(signal) ?? watch(signal);
  acts.add(act);
  return () => acts.delete(act);
}

function watch(signal: AbortSignal): Set<() => void> {
  const acts = new Set<() => void>();
  watched.set(signal, acts);
  signal.addEventListener('abort', () => {
    for (const act of [...acts]) act();
    acts.clear();
  });
  return acts;
}

/** Aborts `controller` with the signal; what it returns undoes that. */
export function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  return onAbort(signal, () => controller.abort(signal?.reason));
}

/** What the promise comes to, unless the signal aborts before. */
export async function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  let forget = () => {};
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(signal?.reason));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    forget();
  }
}

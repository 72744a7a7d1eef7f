// One listener for each signal, however many removals it may stop: Node warns of
// more than ten.

interface Watch {
  acts: Set<() => void>;
  listener: () => void;
}

const watched = new WeakMap<AbortSignal, Watch>();

/** Calls `act` when `signal` aborts, at once where it has; what it returns undoes that. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal?.aborted) act();
  if (!signal || signal.aborted) return () => {};
  const entry = watched.get(signal) ?? watch(signal);
  entry.acts.add(act);
  return () => {
    entry.acts.delete(act);
    if (entry.acts.size === 0 && watched.get(signal) === entry) unwatch(signal, entry);
  };
}

function watch(signal: AbortSignal): Watch {
  const acts = new Set<() => void>();
  const listener = () => {
    for (const act of [...acts]) act();
    acts.clear();
  };
  const entry = { acts, listener };
  watched.set(signal, entry);
  signal.addEventListener('abort', listener);
  return entry;
}

/** A signal that is listened to is not collected, nor are those that it follows. */
function unwatch(signal: AbortSignal, { listener }: Watch): void {
  signal.removeEventListener('abort', listener);
  watched.delete(signal);
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

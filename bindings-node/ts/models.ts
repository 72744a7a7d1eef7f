import { unlessAborted } from './abort';
import { native } from './native';
import { perform, work } from './work';

/** The names of the models that can be asked for; the first is inside, the others are fetched. */
export const models: readonly string[] = Object.freeze(native.models());

/** How a model is fetched. */
export interface FetchOptions {
  /** Hears of bytes that came, and of how many there are. What it throws ends the download. */
  onProgress?: ((bytes: number, total: number) => unknown) | undefined;
  /** Ends the download; what came is kept for the next time. */
  signal?: AbortSignal | undefined;
}

/**
 * Fetches a model's weights, unless they are on this machine. A download that broke off goes on
 * where it ended. Warns first where the licence forbids commercial use.
 *
 * @returns the file's path; `undefined` for the model that is inside and has none.
 * @throws RembgError of kind `model`: no such model, or it could not be fetched.
 */
export async function fetchModel(name: string, options: FetchOptions = {}): Promise<string | undefined> {
  const { onProgress, signal } = options;
  const notice = native.notice(name);
  if (notice) process.emitWarning(notice);
  if (name === models[0]) return undefined;
  const tell = onProgress && (({ done, total }: { done: number; total: number }) => onProgress(done, total));
  return unlessAborted(
    signal,
    perform<string>((task, stop) => native.fetch(work, task, stop, name), signal, tell),
  );
}

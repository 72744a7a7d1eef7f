import { follow, onAbort } from './abort';

/** Pictures one after the other, as they come. */
export type Pictures<P> = Iterable<P> | AsyncIterable<P>;

/** What became of one picture of many. */
export type Outcome<P> =
  { picture: P; result: Buffer; error?: undefined } | { picture: P; result?: undefined; error: Error };

type Remove<P> = (picture: P, signal: AbortSignal) => Promise<Buffer>;

/** Works on `jobs` pictures at once, and yields in their order. */
export async function* many<P>(
  pictures: Pictures<P>,
  jobs: number,
  signal: AbortSignal | undefined,
  remove: Remove<P>,
): AsyncGenerator<Outcome<P>> {
  expectMany(pictures);
  if (!(Number.isInteger(jobs) && jobs > 0)) throw new TypeError(`jobs must be a whole number above 0, got: ${jobs}`);
  const stop = new AbortController();
  const forget = [follow(signal, stop)];
  const batch = new Batch(pictures, jobs, (picture) => outcome(picture, remove(picture, stop.signal)));
  const stopped = new Promise<never>((_, reject) => {
    forget.push(onAbort(signal, () => reject(signal?.reason)));
  });
  stopped.catch(() => {});
  try {
    signal?.throwIfAborted();
    for (;;) {
      const next = await Promise.race([batch.next(), stopped]);
      signal?.throwIfAborted();
      if (!next) break;
      yield next;
    }
  } finally {
    stop.abort();
    await batch.end();
    for (const undo of forget) undo();
  }
}

async function outcome<P>(picture: P, removed: Promise<Buffer>): Promise<Outcome<P>> {
  try {
    return { picture, result: await removed };
  } catch (error) {
    return { picture, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Bytes can be iterated over too, and are one picture. */
function expectMany(pictures: unknown): void {
  const isObject = typeof pictures === 'object' && pictures !== null;
  const isIterable = isObject && (Symbol.iterator in pictures || Symbol.asyncIterator in pictures);
  if (!isIterable || ArrayBuffer.isView(pictures)) {
    throw new TypeError('pictures must be an iterable of pictures, such as an array, and not one picture');
  }
}

/** Keeps `jobs` pictures at work, without holding back what is done for a source that is slow. */
class Batch<P> {
  readonly #source: Iterator<P> | AsyncIterator<P>;
  readonly #jobs: number;
  readonly #start: (picture: P) => Promise<Outcome<P>>;
  readonly #running: Promise<Outcome<P>>[] = [];
  #coming: Promise<void> | undefined;
  #exhausted = false;
  #failed: { error: unknown } | undefined;

  constructor(pictures: Pictures<P>, jobs: number, start: (picture: P) => Promise<Outcome<P>>) {
    this.#source = Symbol.asyncIterator in pictures ? pictures[Symbol.asyncIterator]() : pictures[Symbol.iterator]();
    this.#jobs = jobs;
    this.#start = start;
  }

  /** The next outcome; `undefined` after the last. */
  async next(): Promise<Outcome<P> | undefined> {
    for (;;) {
      if (!this.#exhausted && this.#running.length < this.#jobs) {
        this.#coming ??= this.#take().finally(() => {
          this.#coming = undefined;
        });
      }
      const [first] = this.#running;
      if (!first && !this.#coming) break;
      const done = await Promise.race([first, this.#coming].filter((promise) => promise !== undefined));
      if (done) {
        this.#running.shift();
        return done;
      }
    }
    if (this.#failed) throw this.#failed.error;
    return undefined;
  }

  async #take(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      if (done) this.#exhausted = true;
      else this.#running.push(this.#start(value));
    } catch (error) {
      this.#exhausted = true;
      this.#failed = { error };
    }
  }

  /** Waits for those at work, and lets the source go; one that is silent is not waited for. */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#exhausted) return;
    const gone = Promise.resolve(this.#source.return?.());
    if (this.#coming) gone.catch(() => {});
    else await gone;
  }
}

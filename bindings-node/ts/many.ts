import { follow, unlessAborted } from './abort';
import { isError } from './errors';
import type { Memory } from './native';
import { kind } from './pictures';

/** Pictures one after the other, as they come. */
export type Pictures<P> = Iterable<P> | AsyncIterable<P>;

/** What became of one picture of many. */
export type Outcome<P> =
  { picture: P; result: Memory; error?: undefined } | { picture: P; result?: undefined; error: Error };

type Remove<P> = (picture: P, signal: AbortSignal) => Promise<Memory>;

/** Works on `jobs` pictures at once, and yields in their order. */
export async function* many<P>(
  pictures: Pictures<P>,
  jobs: number,
  signal: AbortSignal | undefined,
  remove: Remove<P>,
): AsyncGenerator<Outcome<P>> {
  if (!(Number.isInteger(jobs) && jobs > 0)) throw new TypeError(`jobs must be a whole number above 0, got: ${jobs}`);
  const stop = new AbortController();
  const batch = new Batch(pictures, jobs, stop.signal, (picture) => outcome(picture, remove(picture, stop.signal)));
  const forget = follow(signal, stop);
  let thrown = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await unlessAborted(signal, batch.next());
      if (!next) break;
      yield next;
    }
  } catch (error) {
    thrown = true;
    throw error;
  } finally {
    forget();
    stop.abort();
    const ended = batch.end();
    // The first error tells why it ends, not one of a source that is let go.
    await (thrown ? ended.catch(() => {}) : ended);
  }
}

async function outcome<P>(picture: P, removed: Promise<Memory>): Promise<Outcome<P>> {
  try {
    return { picture, result: await removed };
  } catch (error) {
    return { picture, error: isError(error) ? error : new Error(String(error)) };
  }
}

/**
 * Keeps `jobs` pictures at work, and takes no more than twice as many that are not handed over, beside the one that is on
 * its way to the loop. It does not hold back what is done for a source that is slow.
 */
class Batch<P> {
  readonly #source: Iterator<P> | AsyncIterator<P>;
  readonly #jobs: number;
  readonly #stop: AbortSignal;
  readonly #start: (picture: P) => Promise<Outcome<P>>;
  readonly #taken: Promise<Outcome<P>>[] = [];
  #working = 0;
  #coming: Promise<void> | undefined;
  #exhausted = false;
  #failed: { error: unknown } | undefined;

  constructor(pictures: Pictures<P>, jobs: number, stop: AbortSignal, start: (picture: P) => Promise<Outcome<P>>) {
    this.#source = iterator(pictures);
    this.#jobs = jobs;
    this.#stop = stop;
    this.#start = start;
  }

  /** The next outcome; `undefined` after the last. */
  async next(): Promise<Outcome<P> | undefined> {
    for (;;) {
      this.#fill();
      const [first] = this.#taken;
      if (!first && !this.#coming) break;
      const done = await Promise.race([first, this.#coming].filter((promise) => promise !== undefined));
      if (done) {
        this.#taken.shift();
        this.#fill();
        return done;
      }
    }
    if (this.#failed) throw this.#failed.error;
    return undefined;
  }

  /** Takes pictures as long as there are jobs and room. */
  #fill(): void {
    const isFull = this.#working >= this.#jobs || this.#taken.length >= 2 * this.#jobs;
    if (isFull || this.#exhausted || this.#coming || this.#stop.aborted) return;
    this.#coming = this.#take().finally(() => {
      this.#coming = undefined;
      this.#fill();
    });
  }

  async #take(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      if (done) this.#exhausted = true;
      else this.#taken.push(this.#work(value));
    } catch (error) {
      this.#exhausted = true;
      this.#failed = { error };
    }
  }

  async #work(picture: P): Promise<Outcome<P>> {
    this.#working += 1;
    const outcome = await this.#start(picture);
    this.#working -= 1;
    this.#fill();
    return outcome;
  }

  /** Waits for those at work, and lets the source go. */
  async end(): Promise<void> {
    const open = !this.#exhausted;
    this.#exhausted = true;
    await Promise.all(this.#taken);
    const gone = open ? Promise.resolve(this.#source.return?.()) : undefined;
    // A source that is still waited for hears of it when it has its next picture.
    if (this.#coming) gone?.catch(() => {});
    else await gone;
  }
}

function iterator<P>(pictures: Pictures<P>): Iterator<P> | AsyncIterator<P> {
  if (typeof pictures === 'object' && pictures !== null && !ArrayBuffer.isView(pictures)) {
    if (Symbol.asyncIterator in pictures) return pictures[Symbol.asyncIterator]();
    if (Symbol.iterator in pictures) return pictures[Symbol.iterator]();
  }
  throw new TypeError(`pictures must be an iterable of pictures, not ${kind(pictures)}`);
}

import { turn } from './turn';
import { call } from './work';

/** An event as axios gives it to the callbacks of rembg.js, and as axios declares it: without `undefined`. */
export interface RembgProgressEvent {
  /** Bytes until now. */
  loaded: number;
  /** Bytes in all. */
  total?: number;
  /** `loaded` of `total`, 0 to 1. */
  progress?: number;
  /** Bytes since the last event. */
  bytes: number;
  /** Bytes per second, once it can be told. */
  rate?: number;
  /** Seconds to go, once they can be told. */
  estimated?: number;
  event: { lengthComputable: boolean; total: number | undefined; loaded: number };
  lengthComputable: boolean;
  /** Bytes that were read. */
  upload?: true;
  /** Bytes that were handed out. */
  download?: true;
}

/** As in axios: at most three events a second, and no rate before a quarter of one. */
const INTERVAL = 1000 / 3;
const WARM_UP = 250;

/** Counts bytes and tells of them: of the first, then now and then, and of the last. */
export class Meter {
  readonly #kind: 'upload' | 'download';
  /** Known when the first byte is counted. */
  total: number | undefined;
  readonly #callback: ((event: RembgProgressEvent) => unknown) | undefined;
  readonly #start = Date.now();
  #loaded = 0;
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #thrown: { error: unknown } | undefined;

  constructor(
    kind: 'upload' | 'download',
    total: number | undefined,
    callback?: (event: RembgProgressEvent) => unknown,
  ) {
    this.#kind = kind;
    this.total = total;
    this.#callback = callback;
  }

  /** Counts. What the callback throws, now or before, comes out of it. */
  add(bytes: number): void {
    this.#loaded += bytes;
    if (this.#loaded === this.total || Date.now() - this.#toldAt >= INTERVAL) this.#tell();
  }

  /** Tells of the last bytes, where that has not been done, and gives a callback that is asynchronous a turn to fail. */
  async end(): Promise<void> {
    if (this.#told < this.#loaded) this.#tell();
    await turn();
    this.#check();
  }

  #tell(): void {
    this.#check();
    const [loaded, total, bytes] = [this.#loaded, this.total, this.#loaded - this.#told];
    const lengthComputable = total !== undefined;
    const seconds = (Date.now() - this.#start) / 1000;
    const rate = seconds * 1000 >= WARM_UP ? Math.round(loaded / seconds) : undefined;
    this.#told = loaded;
    this.#toldAt = Date.now();
    const event = {
      loaded,
      total,
      progress: total ? loaded / total : undefined,
      bytes,
      rate,
      estimated: rate && total ? (total - loaded) / rate : undefined,
      event: { lengthComputable, total, loaded },
      lengthComputable,
      [this.#kind]: true,
    };
    call(
      () => this.#callback?.(event as RembgProgressEvent),
      (error) => {
        this.#thrown ??= { error };
      },
    );
    this.#check();
  }

  #check(): void {
    if (this.#thrown) throw this.#thrown.error;
  }
}

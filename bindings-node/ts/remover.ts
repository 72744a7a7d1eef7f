import { Duplex, PassThrough } from 'node:stream';

import { onAbort, unlessAborted } from './abort';
import { hints } from './engine';
import { RembgError } from './errors';
import { Gate } from './gate';
import { type Outcome, many, type Pictures } from './many';
import {
  type Kind,
  type Made,
  type Memory,
  native,
  type Pairs,
  type Picture as NativePicture,
  type Ready,
  type Remover as NativeRemover,
  type Step,
} from './native';
import {
  type Brought,
  type Controls,
  checked,
  type Found,
  named,
  type Options,
  type Progress,
  pairs,
  type RemoveOptions,
  type Settings,
  task,
} from './options';
import { type Picture, type Source, source, streams } from './pictures';
import { perform, work } from './work';

/** What a remover runs. */
export interface EngineInfo {
  /** The model's name, or the path of its file. */
  model: string;
  /** `native` or `rten`, which are inside, or `onnxruntime`. */
  name: string;
  version: string;
  /** The execution provider. */
  provider: string;
  /** The path of ONNX Runtime's library. */
  library: string | undefined;
  /** Threads of one inference. */
  threads: number;
  /** Why a preferred engine or provider is not used. */
  fallback: string | undefined;
}

/** Pixels that `sharp(data, { raw: info })` takes. */
export interface RawResult {
  /** Rows from the top without gaps, 8 bits a channel. */
  data: Memory;
  /** `channels`: 4 is RGBA with straight alpha, 3 RGB, 1 a mask. */
  info: { width: number; height: number; channels: 1 | 3 | 4; premultiplied: false; size: number };
}

/** What a model makes of a picture: 1 is subject, 0 is background. */
export interface Matte {
  /** Rows from the top. */
  data: Float32Array;
  /** As the model saw the upright picture, over which it is to be stretched. */
  width: number;
  height: number;
}

/** What a removal can be told when there are many. */
export interface ManyOptions<P = Picture> extends Options, Brought, Pick<Controls, 'signal'> {
  /** Hears how far each picture has come. What it throws ends the removal of that picture, as its error. */
  onProgress?: ((progress: Progress, picture: P) => unknown) | undefined;
  /** Hears what was found in each picture, and is waited for. What it throws is the error of that picture. */
  onFound?: ((found: Found, picture: P) => unknown) | undefined;
  /**
   * Pictures that are worked on at once. Default: as many as the remover holds in memory, `in_flight`. Up to twice as
   * many are taken, or done, before the loop asks for them.
   */
  jobs?: number | undefined;
}

/** What the model's own matte depends on, and how its making is followed and stopped. */
export type MatteOptions = Pick<RemoveOptions, 'preset' | 'refine' | keyof Omit<Controls, 'onFound'>>;

/** A model that is loaded. */
interface Loaded {
  remover: NativeRemover;
  ready: Ready;
  /** Lets in as many removals as may be in memory at once. */
  gate: Gate;
}

/** One removal, inside the package. */
export interface Removal {
  picture: Source;
  options: RemoveOptions;
  mask?: Source | undefined;
  kind?: Kind;
  /** Whether GIF and TIFF are read too. */
  moreFormats?: boolean;
  /** Hears of the bytes that were read. */
  heard?: (bytes: number) => void;
}

/**
 * A model on an engine: made once, used for many pictures.
 *
 * All work is done on other threads than JavaScript's. One inference runs at a time, on `threads`
 * threads; decoding and encoding of other pictures go on beside it. No more than `in_flight`
 * pictures are worked on at once, within `memory`; other calls wait for their turn, and hear a signal while they do.
 */
export class Remover {
  readonly #settings: Pairs;
  #shared = false;
  #loading: Promise<Loaded> | undefined;

  /**
   * Takes the settings. The model is loaded by `load()` or the first removal.
   *
   * @throws RembgError of kind `validation`, `model` or `engine`: a setting is wrong, or there is none of that name.
   */
  constructor(settings?: Settings | null) {
    this.#settings = pairs(named('settings', settings ?? {}));
    const refused = native.refusedSettings(this.#settings);
    if (refused) throw new RembgError(refused);
  }

  /** @internal The model inside, which all threads of the process share. */
  static shared(): Remover {
    const remover = new Remover();
    remover.#shared = true;
    return remover;
  }

  /**
   * Loads the model, in tens to hundreds of milliseconds, and tells what it runs on.
   *
   * @throws RembgError of kind `model` or `io`: it is not on this machine, or damaged; of kind
   *   `engine`: the engine that was asked for is not to be had.
   */
  async load(): Promise<EngineInfo> {
    const { model, name, version, provider, library, threads, fallback } = (await this.#loaded()).ready;
    return { model, name, version, provider, library, threads, fallback };
  }

  /**
   * Removes the background of a picture.
   *
   * @returns the encoded result: WebP, or what `format` says.
   * @throws RembgError of kind `validation`: an option or the picture is refused; of kind `io`: the
   *   file cannot be read; of kind `engine`: inference failed.
   * @throws the signal's reason, what `onProgress` throws, and the error of a stream that fails.
   * @throws TypeError: `picture` is of another type.
   */
  async remove(picture: Picture, options?: RemoveOptions | null): Promise<Memory> {
    const given = checked(options ?? {});
    return (await this.made({ picture: source(picture), options: given })).data;
  }

  /** As `remove`, and gives pixels. `format`, `quality` and `compression` have no say. */
  async removeRaw(picture: Picture, options?: RemoveOptions | null): Promise<RawResult> {
    const given = checked(options ?? {});
    const made = await this.made({ picture: source(picture), options: given, kind: 'pixels' });
    const { data, width, height } = made;
    const channels = made.channels as 1 | 3 | 4;
    return { data, info: { width, height, channels, premultiplied: false, size: data.length } };
  }

  /**
   * Runs the model alone, and gives what it makes of the picture. Of the options `preset` and `refine`
   * have a say: the model sees the picture as they ask.
   */
  async matte(picture: Picture, options?: MatteOptions | null): Promise<Matte> {
    const { mask_from: _, ...given } = checked<RemoveOptions>(options ?? {});
    const { data, width, height } = await this.made({ picture: source(picture), options: given, kind: 'matte' });
    return { data: new Float32Array(data.buffer, data.byteOffset, width * height), width, height };
  }

  /**
   * Removes the backgrounds of many pictures and yields an outcome for each, in order, as soon as
   * it is there. What is wrong with one picture spoils no other. Leaving the loop ends the work.
   *
   * @throws what the source of pictures throws, after the pictures that it gave; the signal's reason.
   */
  async *removeMany<P extends Picture>(
    pictures: Pictures<P>,
    options?: ManyOptions<P> | null,
  ): AsyncGenerator<Outcome<P>> {
    const { jobs, onProgress, onFound, ...others } = checked(options ?? {});
    const places = jobs ?? (await this.#loaded()).ready.inFlight;
    yield* many(pictures, places, others.signal, (picture, signal) => {
      const tell = onProgress && ((progress: Progress) => onProgress(progress, picture));
      const hear = onFound && ((found: Found) => onFound(found, picture));
      return this.remove(picture, { ...others, signal, onProgress: tell, onFound: hear });
    });
  }

  /**
   * A stream that takes the bytes of a file, up to their end, and gives those of the result. It
   * begins when it is read. What is refused is an error of the stream: to answer an HTTP request with
   * the hosted API's status and JSON, give the request to `remove`.
   */
  removeStream(options?: RemoveOptions | null): Duplex {
    const given = checked(options ?? {});
    return removing((bytes, signal) => this.remove(bytes, { ...given, signal }), given.signal);
  }

  /** @internal */
  async made(removal: Removal): Promise<Made> {
    let { mask } = removal;
    try {
      const { mask_from } = removal.options;
      if (mask_from !== undefined && mask_from !== null) mask ??= source(mask_from);
      const made = await this.#made({ ...removal, mask });
      await unlessAborted(removal.options.signal, tell(made, removal.options.onFound));
      return made;
    } catch (error) {
      removal.picture.discard();
      mask?.discard();
      throw error;
    }
  }

  async #made({ picture, options, mask, kind = 'file', moreFormats = false, heard }: Removal): Promise<Made> {
    const { signal, onProgress } = options;
    const wanted = task(options, kind, moreFormats);
    signal?.throwIfAborted();
    const { remover, gate } = await unlessAborted(signal, this.#loaded());
    const read = (from: Source) => from.read(remover.maxBytes, signal, heard);
    const early = async (from?: Source) => (from?.streamed ? read(from) : undefined);
    const run = async (first?: NativePicture, second?: NativePicture) =>
      gate.pass(signal, async () => {
        const image = first ?? (await read(picture));
        const its = second ?? (mask && (await read(mask)));
        const step = onProgress && (({ stage, done }: Step) => onProgress({ stage, fraction: done }));
        return perform<Made>((number, stop) => remover.remove(work, number, stop, image, its, wanted), signal, step);
      });
    if (!picture.streamed && !mask?.streamed) return run();
    await unlessAborted(signal, Promise.all([picture.begun(), mask?.begun()]));
    return streams.pass(signal, async () => run(await early(picture), await early(mask)));
  }

  #loaded(): Promise<Loaded> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<Loaded> {
    try {
      const remover = new native.Remover(work, this.#settings, hints(), this.#shared);
      const ready = await perform<Ready>((number, stop) => remover.load(work, number, stop));
      return { remover, ready, gate: new Gate(ready.inFlight) };
    } catch (error) {
      // The next call tries again: the model may have been fetched meanwhile.
      this.#loading = undefined;
      throw error;
    }
  }
}

/** Tells what was found, and warns where that is nothing and nobody wants to hear. */
async function tell({ found }: Made, hear: Controls['onFound']): Promise<void> {
  if (!found) return;
  const { coverage, confidence, bounds: sides } = found;
  if (!sides && !hear)
    process.emitWarning(native.NOTHING_FOUND, { type: 'NothingFoundWarning', code: 'REMREMBG_NOTHING_FOUND' });
  const [left = 0, top = 0, right = 0, bottom = 0] = sides ?? [];
  await hear?.({ coverage, bounds: sides && { left, top, right, bottom }, confidence });
}

let shared: Remover | undefined;

/** The remover that all calls share which name none. */
export function defaultRemover(): Remover {
  shared ??= Remover.shared();
  return shared;
}

/**
 * Removes the background of a picture, with the model inside and a remover that all calls share.
 *
 * @returns the encoded result: WebP, or what `format` says.
 * @throws RembgError of kind `validation`: an option or the picture is refused; of kind `io`: the
 *   file cannot be read; of kind `engine`: inference failed.
 * @throws the signal's reason, what `onProgress` throws, and the error of a stream that fails.
 * @throws TypeError: `picture` is of another type.
 */
export async function remove(picture: Picture, options?: RemoveOptions | null): Promise<Memory> {
  return defaultRemover().remove(picture, options);
}

/** As `remove`, and gives pixels. `format`, `quality` and `compression` have no say. */
export async function removeRaw(picture: Picture, options?: RemoveOptions | null): Promise<RawResult> {
  return defaultRemover().removeRaw(picture, options);
}

/** As `Remover.matte`, with a remover that all calls share. */
export async function matte(picture: Picture, options?: MatteOptions | null): Promise<Matte> {
  return defaultRemover().matte(picture, options);
}

/**
 * Removes the backgrounds of many pictures and yields an outcome for each, in order, as soon as it
 * is there. What is wrong with one picture spoils no other. Leaving the loop ends the work.
 */
export function removeMany<P extends Picture>(
  pictures: Pictures<P>,
  options?: ManyOptions<P> | null,
): AsyncGenerator<Outcome<P>> {
  return defaultRemover().removeMany(pictures, options);
}

/** As `Remover.removeStream`, with a remover that all calls share. */
export function removeStream(options?: RemoveOptions | null): Duplex {
  return defaultRemover().removeStream(options);
}

/** Not `Duplex.from`, which tells its function nothing when the stream is destroyed. */
function removing(remove: (bytes: Duplex, signal: AbortSignal) => Promise<Buffer>, signal?: AbortSignal): Duplex {
  const [bytes, gone] = [new PassThrough(), new AbortController()];
  let begun = false;
  let forget = () => {};
  const begin = async () => {
    try {
      stream.push(await remove(bytes, gone.signal));
      stream.push(null);
    } catch (error) {
      stream.destroy(error as Error);
    }
  };
  const stream = new Duplex({
    // Bytes that are not wanted any more go nowhere: the removal tells why.
    write: (piece, _, done) => void bytes.write(piece, () => done()),
    final: (done) => void bytes.end(() => done()),
    read() {
      if (!begun) begin();
      begun = true;
    },
    destroy(error, done) {
      forget();
      gone.abort(error ?? undefined);
      // A removal that is not to be lets go of its mask.
      if (!begun) remove(bytes, gone.signal).catch(() => {});
      done(error);
    },
  });
  // A tick later: a stream that is destroyed already cannot be part of a pipeline.
  forget = onAbort(signal, () => process.nextTick(() => stream.destroy(signal?.reason ?? AbortSignal.abort().reason)));
  return stream;
}

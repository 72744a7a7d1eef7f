// Pictures on their way in: what JavaScript has, and what the native module takes.

import { open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';

import { unlessAborted } from './abort';
import { Gate } from './gate';
import { native, type Picture as NativePicture } from './native';
import { PIECE, turn } from './turn';

/** Rows of pixels, 8 bits a channel, from the top. */
export interface RawPixels {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
  /** 1 is grey, 2 grey and alpha, 3 RGB, 4 RGBA; alpha is straight. Default: 4, as in `ImageData`. */
  channels?: number | undefined;
  /** Bytes from one row to the next. Default: as many as a row has. */
  stride?: number | undefined;
}

/** Pixels as `sharp(…).raw().toBuffer({ resolveWithObject: true })` gives them. */
export interface RawWithInfo {
  data: Uint8Array | Uint8ClampedArray;
  info: { width: number; height: number; channels: number };
}

/** Pixels as the package `ndarray` holds them: height, width, channels. */
export interface RawArray {
  data: Uint8Array | Uint8ClampedArray;
  shape: number[];
  /** Bytes from one row, one column and one channel to the next: the latter two without gaps. */
  stride?: number[] | undefined;
  /** Where the first pixel is. */
  offset?: number | undefined;
}

/** A stream of the bytes of a file, of Node's or of the Web's kind, or anything that yields them. */
export type ByteStream =
  NodeJS.ReadableStream | AsyncIterable<Uint8Array> | WebStream<Uint8Array> | ReadableStream<Uint8Array>;

/**
 * A picture: a path or a `file:` URL; the bytes of a WebP, PNG, JPEG or BMP file, also as a `Blob`
 * or as a stream; or pixels. The bytes tell what a file is, not its name. Memory must not change until the promise is
 * settled.
 */
export type Picture =
  string | URL | ArrayBufferLike | ArrayBufferView | Blob | ByteStream | RawPixels | RawWithInfo | RawArray;

/** Reads a picture of the caller's into memory of ours. */
export interface Source {
  /** Whether its bytes are still to come, so that it is not known when it ends. */
  readonly streamed: boolean;
  /** Comes once there is something to read, an error or the end too. */
  begun(): Promise<void>;
  /** `maxBytes`: above it a file is refused, and no more of it is stored. */
  read(maxBytes: number, signal: AbortSignal | undefined, heard?: (bytes: number) => void): Promise<NativePicture>;
  /** Lets go of what was not read. */
  discard(): void;
}

const nothing = () => {};
const atOnce = async () => {};

/** Streams that have begun and are read, or were read and wait for their turn: so they cannot fill the memory. */
export const streams = new Gate(32);

/** @throws TypeError for what is no picture at all. */
export function source(picture: unknown): Source {
  if (picture === undefined || picture === null) return known(() => native.Picture.missing());
  if (isAddress(picture))
    throw new TypeError(`nothing is fetched here: \`removeBackground\` takes addresses, got: ${picture}`);
  if (typeof picture === 'string') return known(() => native.Picture.path(picture));
  if (picture instanceof URL) return known(() => native.Picture.path(fileURLToPath(picture)));
  if (ArrayBuffer.isView(picture) || types.isAnyArrayBuffer(picture)) return bytes(picture);
  if (picture instanceof Blob) return blob(picture);
  const stream = readable(picture);
  if (stream) return streamed(stream);
  return raw(picture);
}

/** What names a picture on another machine. */
function isAddress(picture: unknown): picture is string | URL {
  return (typeof picture === 'string' || picture instanceof URL) && /^https?:/i.test(String(picture));
}

function known(make: () => NativePicture): Source {
  return { streamed: false, begun: atOnce, read: async () => make(), discard: nothing };
}

/** The bytes of a file, which are copied when their turn comes. */
export function bytes(memory: ArrayBufferLike | ArrayBufferView, name?: string): Source {
  const length = memory.byteLength;
  return {
    streamed: false,
    begun: atOnce,
    async read(maxBytes, _, heard) {
      expectUnchanged(memory, length);
      const picture = native.Picture.pieces(name, maxBytes, length);
      // Of what is too large only the size is taken.
      if (length > maxBytes) picture.push(view(memory));
      else await pour(memory, length, picture);
      heard?.(length);
      return picture;
    },
    discard: nothing,
  };
}

function view(memory: ArrayBufferLike | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(memory)) return new Uint8Array(memory);
  return new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
}

/** Memory that is transferred to another thread is gone here. */
function expectUnchanged(memory: { byteLength: number }, length: number): void {
  if (memory.byteLength !== length) {
    throw new TypeError(
      `the picture's memory changed before it was read: it had ${length} bytes and has ${memory.byteLength}`,
    );
  }
}

/** Copies memory of the caller's into a picture. Answers whether more is wanted. */
async function pour(
  memory: ArrayBufferLike | ArrayBufferView,
  length: number,
  picture: NativePicture,
): Promise<boolean> {
  let more = true;
  for (let at = 0; more && at < length; at += PIECE) {
    if (at > 0) await turn();
    expectUnchanged(memory, length);
    more = picture.push(view(memory).subarray(at, at + PIECE));
  }
  return more;
}

function blob(picture: Blob): Source {
  return {
    streamed: false,
    begun: atOnce,
    async read(maxBytes, signal, heard) {
      const made = native.Picture.pieces(undefined, maxBytes, picture.size);
      return collect(streamOf(picture), made, signal, heard);
    },
    discard: nothing,
  };
}

function streamOf(blob: Blob): Readable {
  return Readable.from(piecesOf(blob), { objectMode: false });
}

/** Its own stream gives all that came from one buffer at once. */
async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += PIECE) {
    yield new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer());
  }
}

/** The bytes of a file as they come, and the name that it has as an upload. */
export function streamed(stream: Readable, name?: string): Source {
  // It may fail before its turn comes: then reading it tells.
  stream.on('error', nothing);
  return {
    streamed: true,
    begun: () => begun(stream),
    read: async (maxBytes, signal, heard) => collect(stream, native.Picture.pieces(name, maxBytes), signal, heard),
    discard: () => release(stream),
  };
}

/**
 * A file that is opened when its turn comes, and the name that it has as an upload. `found` hears its
 * size. One that changes meanwhile is refused: half of it would be one picture, half another.
 */
export function file(path: string | URL, name?: string, found: (size: number) => void = nothing): Source {
  return {
    streamed: false,
    begun: atOnce,
    async read(maxBytes, signal, heard) {
      await expectFile(path);
      const handle = await open(path);
      try {
        const before = await handle.stat();
        found(before.size);
        const stream = handle.createReadStream({ autoClose: false });
        const made = native.Picture.pieces(name, maxBytes, before.size);
        const picture = await collect(stream, made, signal, heard);
        const { size, mtimeMs } = await handle.stat();
        if (size === before.size && mtimeMs === before.mtimeMs) return picture;
        throw unreadable(`${path} changed while it was read`);
      } finally {
        await handle.close();
      }
    },
    discard: nothing,
  };
}

/** A pipe may never end and a device may never begin: neither is opened. A folder tells what it is when it is read. */
async function expectFile(path: string | URL): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isFile() && !found.isDirectory()) throw unreadable(`${path} is not a regular file`);
}

/** As the errors of node:fs are. */
function unreadable(message: string): Error {
  return Object.assign(new Error(message), { syscall: 'read' });
}

async function collect(
  stream: Readable,
  picture: NativePicture,
  signal: AbortSignal | undefined,
  heard: ((bytes: number) => void) | undefined,
): Promise<NativePicture> {
  try {
    // A source that is silent may never hear that its stream is destroyed.
    await unlessAborted(signal, fill(picture, stream, signal, heard));
    return picture;
  } catch (error) {
    release(stream);
    // Until it is collected as garbage, nobody would know how large it is.
    picture.discard();
    throw error;
  }
}

/** Who waits for a stream that is silent, perhaps for another one that waits for a place, has no place meanwhile. */
function begun(stream: Readable): Promise<void> {
  if (stream.readableLength > 0 || stream.readableEnded || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'error', 'close'];
    const heard = () => {
      for (const event of events) stream.off(event, heard);
      resolve();
    };
    for (const event of events) stream.on(event, heard);
  });
}

/** Lets go of a stream. A request to a server stays open for its answer, and what is left of it goes nowhere. */
function release(stream: Readable): void {
  if ('method' in stream && typeof stream.method === 'string') stream.resume();
  else stream.destroy();
}

async function fill(
  picture: NativePicture,
  stream: Readable,
  signal: AbortSignal | undefined,
  heard: ((bytes: number) => void) | undefined,
) {
  let since = 0;
  let more = true;
  for await (const piece of stream.iterator({ destroyOnReturn: false })) {
    if (!types.isUint8Array(piece)) throw new TypeError('a stream of a picture must give bytes');
    heard?.(piece.length);
    more = !signal?.aborted && (await pour(piece, piece.length, picture));
    if (!more) break;
    since += piece.length;
    // What is in memory already comes without a pause.
    if (since >= PIECE) {
      since = 0;
      await turn();
    }
  }
  if (!more) release(stream);
}

/** As a stream of Node's, where it is one of any kind. */
function readable(value: unknown): Readable | undefined {
  if (value instanceof Readable) return value;
  if (isReadable(value)) return wrapped(value);
  if (typeof ReadableStream !== 'undefined' && value instanceof ReadableStream)
    return Readable.fromWeb(value as WebStream);
  const iterable = typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
  return iterable ? Readable.from(value as AsyncIterable<Uint8Array>) : undefined;
}

/** A stream of another library that is like Node's. */
function isReadable(value: unknown): value is NodeJS.ReadableStream & { destroy?: () => void } {
  const { on, pipe, pause, resume } = Object(value) as Partial<NodeJS.ReadableStream>;
  return [on, pipe, pause, resume].every((method) => typeof method === 'function');
}

function wrapped(stream: NodeJS.ReadableStream & { destroy?: () => void }): Readable {
  const made = new Readable().wrap(stream);
  // What wraps it hears of its errors, but does not end it.
  made.once('close', () => stream.destroy?.());
  return made;
}

function raw(picture: unknown): Source {
  const { data, ...shape } = described(picture);
  const length = data.byteLength;
  return {
    streamed: false,
    begun: atOnce,
    async read() {
      const copy = room(shape, length);
      await pour(data, length, copy);
      return copy;
    },
    discard: nothing,
  };
}

/** Pixels without gaps, as bytes of a Blob. */
export function pixelBlob(blob: Blob, width: number, height: number, channels: number): Source {
  const shape = checkedShape({ width, height, channels });
  return {
    streamed: false,
    begun: atOnce,
    read: async (_, signal, heard) => collect(streamOf(blob), room(shape, blob.size), signal, heard),
    discard: nothing,
  };
}

/** How pixels lie in memory. */
interface Shape {
  width: number;
  height: number;
  channels: number;
  stride: number;
}

function room({ width, height, channels, stride }: Shape, length: number): NativePicture {
  return native.Picture.pixels(width, height, channels, stride, length);
}

function described(picture: unknown): Shape & { data: Uint8Array | Uint8ClampedArray } {
  const given = (typeof picture === 'object' ? picture : {}) as Partial<RawPixels & RawWithInfo> & Partial<RawArray>;
  const { data, info = given, offset = 0 } = given;
  if (!(types.isUint8Array(data) || types.isUint8ClampedArray(data))) {
    if (data === undefined) throw new TypeError(notAPicture(picture));
    throw new TypeError(`data of pixels must be a Uint8Array or a Uint8ClampedArray, not ${kind(data)}`);
  }
  const [height, width, channels = 1] = given.shape ?? [info.height, info.width, info.channels ?? 4];
  const [stride, column = channels, byte = 1] = [given.stride ?? []].flat();
  const shape = checkedShape({ width, height, channels, stride });
  expectWhole('offset', offset);
  if (column !== channels || byte !== 1) throw new TypeError('the pixels of a row must have no gaps between them');
  return { ...shape, data: data.subarray(offset) };
}

/** As a caller gives it; without a stride there are no gaps. */
type GivenShape = { [name in keyof Shape]?: Shape[name] | undefined };

function checkedShape({ width, height, channels, stride }: GivenShape): Shape {
  expectWhole('width', width);
  expectWhole('height', height);
  expectWhole('channels', channels);
  if (channels < 1 || channels > 4) throw new TypeError(`channels of pixels must be 1 to 4, got: ${channels}`);
  if (stride !== undefined) expectWhole('stride', stride);
  return { width, height, channels, stride: stride ?? width * channels };
}

function expectWhole(name: string, size: number | undefined): asserts size is number {
  if (Number.isInteger(size) && Number(size) >= 0 && Number(size) < 2 ** 32) return;
  throw new TypeError(`${name} of pixels must be a whole number, got: ${String(size)}`);
}

function notAPicture(value: unknown): string {
  const kinds = 'a path, a URL, a Buffer, an ArrayBuffer, a Blob, a stream, or pixels with data, width and height';
  return `a picture must be ${kinds}, not ${kind(value)}`;
}

/** What a value is called in an error. */
export function kind(value: unknown): string {
  return typeof value === 'object' ? (value?.constructor?.name ?? 'an object') : typeof value;
}

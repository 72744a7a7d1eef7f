// In place of @remove-background-ai/rembg.js: its arguments, its results, its words.

import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { types } from 'node:util';

import { RembgError } from './errors';
import type { Made } from './native';
import type { Flag, Integer, RemoveOptions } from './options';
import { bytes, type Source, source, streamed } from './pictures';
import { Meter, type RembgProgressEvent } from './progress';
import { defaultRemover } from './remover';

/** A picture as rembg.js takes it; a `Uint8Array` and a `Blob` too. */
export type RembgInput = string | Buffer | Uint8Array | Blob | { base64: string };

/** The options of rembg.js, and values as the hosted API takes them. */
export interface RembgOptions {
  /** Return the mask alone. */
  returnMask?: Flag | undefined;
  /** Return base64 instead of a temporary file. */
  returnBase64?: boolean | undefined;
  /** Width of the result in pixels; keeps the aspect ratio. */
  w?: Integer | undefined;
  /** Height of the result in pixels; keeps the aspect ratio. */
  h?: Integer | undefined;
  /** Make the result exactly `w` × `h`. */
  exact_resize?: Flag | undefined;
  /** webp, png, jpeg (or jpg) or bmp, in any case; the file's suffix is as it is written here. Default: WEBP. */
  format?: string | undefined;
  /** Degrees, counter-clockwise. */
  angle?: number | string | undefined;
  /** Let a turned result grow. Default: true. */
  expand?: Flag | undefined;
  /** Hex, or a CSS colour name. */
  bg_color?: string | undefined;
}

/** The arguments of `rembg`. */
export interface RembgParameters {
  /** Any text will do: it is not looked at, and nothing leaves this machine. */
  apiKey: string;
  inputImage: RembgInput;
  options?: RembgOptions | undefined;
  /** Hears of the bytes that are read. */
  onUploadProgress?: ((event: RembgProgressEvent) => unknown) | undefined;
  /** Hears of the bytes that are handed out. */
  onDownloadProgress?: ((event: RembgProgressEvent) => unknown) | undefined;
}

/** With `returnBase64`. */
export interface Base64Result {
  /** A data URL that says `image/png` whatever the format is, as rembg.js does. */
  base64Image: string;
  /** What it is in truth, such as `image/webp`. */
  mimeType: string;
  outputImagePath?: undefined;
  cleanup?: undefined;
}

/** Without `returnBase64`. */
export interface FileResult {
  /** A temporary file that only this user can read. It stays until it is cleaned up. */
  outputImagePath: string;
  /** Deletes the file. */
  cleanup: () => Promise<void>;
  base64Image?: undefined;
  mimeType?: undefined;
}

const NO_KEY = ' ⚠️⚠️⚠️ WARNING ⚠️⚠️⚠️: API key not provided, trials will be very limited.';
const NO_PICTURE = 'Invalid input type. Must be a file path, Buffer, or an object with a base64 property.';
const DEFAULT_FORMAT = 'WEBP';
/** Bytes that are written before the next event. */
const PIECE = 1 << 20;

/**
 * Removes the background of a picture, as rembg.js does, on this machine.
 *
 * @throws Error without an `apiKey`, or with an `inputImage` of another type.
 * @throws RembgError whose message is rembg.js's, `❌ 400 {"error":…,"status":400}`.
 * @throws Error whose message begins with `❌` where a file cannot be read or written.
 */
export function rembg(parameters: RembgParameters & { options: { returnBase64: true } }): Promise<Base64Result>;
export function rembg(
  parameters: RembgParameters & { options?: { returnBase64?: false | undefined } | undefined },
): Promise<FileResult>;
export function rembg(parameters: RembgParameters): Promise<Base64Result | FileResult>;
export async function rembg(parameters: RembgParameters): Promise<Base64Result | FileResult> {
  const { apiKey, inputImage, onUploadProgress, onDownloadProgress } = parameters;
  const options: RembgOptions = parameters.options || {};
  if (!apiKey) throw new Error(NO_KEY);
  const upload = await picture(inputImage);
  const made = await removed(upload, options, onUploadProgress);
  const meter = new Meter('download', made.data.length, onDownloadProgress);
  return options.returnBase64 ? base64(made, meter) : file(made, meter, options.format || DEFAULT_FORMAT);
}

interface Upload {
  source: Source;
  size: number | undefined;
}

async function picture(input: unknown): Promise<Upload> {
  if (typeof input === 'string') return fromPath(input);
  if (types.isUint8Array(input)) return { source: bytes(input), size: input.length };
  if (input instanceof Blob) return { source: source(new Blob([input])), size: input.size };
  if (typeof input === 'object' && input !== null && 'base64' in input) {
    const decoded = fromBase64(String(input.base64));
    return { source: bytes(decoded), size: decoded.length };
  }
  throw new Error(NO_PICTURE);
}

async function fromPath(path: string): Promise<Upload> {
  const handle = await open(path).catch((error) => Promise.reject(told(error, '')));
  const found = await handle.stat();
  const stream = Readable.from(pieces(handle, found, path), { objectMode: false });
  // Also where the stream is let go of before it began.
  stream.once('close', () => handle.close().catch(() => {}));
  return { source: streamed(stream, basename(path)), size: found.isFile() ? found.size : undefined };
}

/** The bytes of a file. One that changes meanwhile is refused: half of it would be one picture, half another. */
async function* pieces(handle: FileHandle, found: Stats, path: string): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const piece of handle.createReadStream({ autoClose: false })) {
    count += piece.length;
    yield piece;
  }
  const { size, mtimeMs } = await handle.stat();
  const same = size === count && size === found.size && mtimeMs === found.mtimeMs;
  if (found.isFile() && !same) throw new Error(`❌ ${path} changed while it was read`);
}

function fromBase64(text: string): Buffer {
  const data = text.startsWith('data:') ? (text.split(',')[1] ?? '') : text;
  return Buffer.from(data, 'base64');
}

async function removed(
  upload: Upload,
  options: RembgOptions,
  callback: RembgParameters['onUploadProgress'],
): Promise<Made> {
  const { returnMask, returnBase64: _, ...others } = options;
  const wanted: RemoveOptions = returnMask === undefined ? others : { ...others, mask: returnMask };
  const meter = new Meter('upload', upload.size, callback);
  try {
    const made = await defaultRemover().made({
      picture: upload.source,
      options: wanted,
      heard: (count) => meter.add(count),
    });
    await meter.end();
    return made;
  } catch (error) {
    throw told(error, '');
  }
}

/** An error in the words of rembg.js. */
function told(error: unknown, before: string): unknown {
  if (error instanceof RembgError) return error.reworded(`❌ ${error.status} ${error.body}`);
  if (!(error instanceof Error && 'syscall' in error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  return Object.assign(new Error(`❌ ${before}${error.message}`, { cause: error }), { code });
}

async function base64({ data, mime }: Made, meter: Meter): Promise<Base64Result> {
  const base64Image = `data:image/png;base64,${data.toString('base64')}`;
  meter.add(data.length);
  await meter.end();
  return { base64Image, mimeType: mime as string };
}

async function file({ data }: Made, meter: Meter, format: string): Promise<FileResult> {
  let path: string | undefined;
  try {
    const made = await temporary(format);
    path = made.path;
    await write(made.handle, data, meter);
  } catch (error) {
    if (path) await remove(path);
    throw told(error, 'Request failed ');
  }
  const outputImagePath = path;
  return { outputImagePath, cleanup: () => remove(outputImagePath) };
}

/** A new file with a name like that of rembg.js, which nobody else can open. */
async function temporary(format: string): Promise<{ path: string; handle: FileHandle }> {
  const random = randomBytes(9).toString('base64url').replace(/[-_]/g, '0');
  const path = join(await realpath(tmpdir()), `rembg--${process.pid}-${random}-.${format}`);
  return { path, handle: await open(path, 'wx', 0o600) };
}

async function write(handle: FileHandle, data: Buffer, meter: Meter): Promise<void> {
  try {
    for (let at = 0; at < data.length; at += PIECE) {
      const piece = data.subarray(at, at + PIECE);
      await handle.writeFile(piece);
      meter.add(piece.length);
    }
    await meter.end();
  } finally {
    await handle.close();
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true });
}

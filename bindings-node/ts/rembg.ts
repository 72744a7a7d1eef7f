// In place of @remove-background-ai/rembg.js: its arguments, its results, its words.

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { types } from 'node:util';

import { isError, RembgError } from './errors';
import type { Made } from './native';
import type { Flag, RemoveOptions } from './options';
import { bytes, file as fileSource, type Source, source } from './pictures';
import { Meter, type RembgProgressEvent } from './progress';
import { defaultRemover } from './remover';
import { PIECE } from './turn';

/** A picture as rembg.js takes it; a `Uint8Array` and a `Blob` too. */
export type RembgInput = string | Buffer | Uint8Array | Blob | { base64: string };

/** The options of rembg.js, and all those of `remove`. The file's suffix is `format` as it is written; default: WEBP. */
export interface RembgOptions extends RemoveOptions {
  /** Return the mask alone. */
  returnMask?: Flag | null | undefined;
  /** Return base64 instead of a temporary file. */
  returnBase64?: boolean | null | undefined;
}

/** The arguments of `rembg`. */
export interface RembgParameters {
  /** Any text will do: it is not looked at, and nothing leaves this machine. */
  apiKey: string;
  /** A path, the bytes of a file, or base64 with or without a `data:…,` before it. */
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

/** A result of which it is known which it is. What only the other has may still be asked for, as with rembg.js. */
export type Known<Result extends Base64Result | FileResult> = {
  [Key in keyof Result]: undefined extends Result[Key] ? Either[Key & keyof Either] | undefined : Result[Key];
};

interface Either {
  base64Image: string;
  mimeType: string;
  outputImagePath: string;
  cleanup: () => Promise<void>;
}

const NO_KEY = ' ⚠️⚠️⚠️ WARNING ⚠️⚠️⚠️: API key not provided, trials will be very limited.';
const NO_PICTURE = 'Invalid input type. Must be a file path, Buffer, or an object with a base64 property.';
const DEFAULT_FORMAT = 'WEBP';

/**
 * Removes the background of a picture, as rembg.js does, on this machine.
 *
 * @throws Error without an `apiKey`, or with an `inputImage` of another type.
 * @throws RembgError whose message is rembg.js's, `❌ 400 {"error":…,"status":400}`.
 * @throws Error whose message begins with `❌` where a file cannot be read or written.
 */
export function rembg(parameters: RembgParameters & { options: { returnBase64: true } }): Promise<Known<Base64Result>>;
export function rembg(
  parameters: RembgParameters & { options?: { returnBase64?: false | null | undefined } | undefined },
): Promise<Known<FileResult>>;
export function rembg(parameters: RembgParameters): Promise<Base64Result | FileResult>;
export async function rembg(parameters: RembgParameters): Promise<Known<Base64Result> | Known<FileResult>> {
  const { apiKey, inputImage, onUploadProgress, onDownloadProgress } = parameters;
  if (!apiKey) throw new Error(NO_KEY);
  const options: RembgOptions = { ...(parameters.options || {}) };
  // Once: what is made and what the file is called must be the same.
  if (options.format) options.format = String(options.format);
  const upload = new Meter('upload', undefined, onUploadProgress);
  const made = await removed(picture(inputImage, upload), options, upload);
  const download = new Meter('download', made.data.length, onDownloadProgress);
  return options.returnBase64 ? base64(made, download, options) : file(made, download, options);
}

function picture(input: unknown, upload: Meter): Source {
  const sized = (size: number) => {
    upload.total = size;
  };
  if (typeof input === 'string') return fileSource(input, basename(input), sized);
  if (input instanceof Blob) {
    sized(input.size);
    return source(new Blob([input]));
  }
  const memory = types.isUint8Array(input) ? input : decoded(input);
  sized(memory.length);
  return bytes(memory);
}

function decoded(input: unknown): Uint8Array {
  if (typeof input === 'object' && input !== null && 'base64' in input) return fromBase64(String(input.base64));
  throw new Error(NO_PICTURE);
}

function fromBase64(text: string): Buffer {
  if (!text.startsWith('data:')) return Buffer.from(text, 'base64');
  const comma = text.indexOf(',');
  return comma < 0 ? Buffer.alloc(0) : Buffer.from(text.slice(comma + 1), 'base64');
}

async function removed(picture: Source, options: RembgOptions, upload: Meter): Promise<Made> {
  const { returnMask, returnBase64: _, ...others } = options;
  const wanted: RemoveOptions = returnMask === undefined ? others : { ...others, mask: returnMask };
  try {
    const made = await defaultRemover().made({ picture, options: wanted, heard: (count) => upload.add(count) });
    await upload.end();
    return made;
  } catch (error) {
    throw told(error);
  }
}

/** An error in the words of rembg.js. */
function told(error: unknown, before = ''): unknown {
  if (error instanceof RembgError) return error.reworded(`❌ ${error.status} ${error.body}`);
  if (!(isError(error) && 'syscall' in error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  return Object.assign(new Error(`❌ ${before}${error.message}`, { cause: error }), { code });
}

async function base64({ data, mime }: Made, meter: Meter, { signal }: RembgOptions): Promise<Base64Result> {
  const base64Image = `data:image/png;base64,${data.toString('base64')}`;
  meter.add(data.length);
  await meter.end();
  signal?.throwIfAborted();
  return { base64Image, mimeType: mime as string };
}

async function file({ data }: Made, meter: Meter, { format, signal }: RembgOptions): Promise<FileResult> {
  let path: string | undefined;
  try {
    const made = await temporary(format || DEFAULT_FORMAT);
    path = made.path;
    await write(made.handle, data, meter);
    signal?.throwIfAborted();
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

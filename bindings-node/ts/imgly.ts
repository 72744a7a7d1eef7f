// In place of @imgly/background-removal-node: its functions, with Blob in and out.

import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';

import type { Made } from './native';
import type { RemoveOptions } from './options';
import { file, type RawArray, type RawPixels, pixelBlob, type Source, source, streamed } from './pictures';
import { defaultRemover, Remover } from './remover';
import { PIECE, turn } from './turn';

/** A picture: its bytes, a path, a URL (`http:` and `https:` are fetched), or an ndarray. */
export type ImageSource = ArrayBuffer | Uint8Array | Blob | URL | string | RawArray | RawPixels;

/** What the functions of imgly's package can be told. */
export interface Config {
  /** `small`, `medium` and `large` are all the model inside; other names are those of `models`. */
  model?: string | undefined;
  /** Hears `compute:decode`, `compute:inference`, `compute:mask` and `compute:encode`, each from 0 to 1 of 1. */
  progress?: ((key: string, current: number, total: number) => unknown) | undefined;
  output?:
    | {
        /** Default: image/png. */
        format?: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/x-rgba8' | 'image/x-alpha8' | undefined;
        /** Of JPEG and WebP, 0 to 1. Default: 0.8. */
        quality?: number | undefined;
      }
    | undefined;
  /** Ends the work, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Not used: the model is inside. */
  publicPath?: string | undefined;
  /** Not used. */
  debug?: boolean | undefined;
  /** Not used: no picture is computed on JavaScript's thread. */
  proxyToWorker?: boolean | undefined;
  /** Passed to `fetch` for a picture that is a URL. */
  fetchArgs?: RequestInit | undefined;
}

/** Removes the background of a picture. */
export async function removeBackground(image: ImageSource, configuration?: Config): Promise<Blob> {
  return made(image, configuration ?? {}, {});
}

/** Removes the foreground, and leaves the background. */
export async function removeForeground(image: ImageSource, configuration?: Config): Promise<Blob> {
  return made(image, configuration ?? {}, { invert_mask: true });
}

/** Gives the mask: white subject, black background. */
export async function segmentForeground(image: ImageSource, configuration?: Config): Promise<Blob> {
  return made(image, configuration ?? {}, { mask: true });
}

/** Makes a mask the alpha of a picture, as large as the picture where it is not. No model runs. */
export async function applySegmentationMask(image: ImageSource, mask: ImageSource, config?: Config): Promise<Blob> {
  return made(image, config ?? {}, { refine: false }, { mask });
}

/** The stages as imgly's progress names them. */
const KEYS: Record<string, string> = { decode: 'decode', segment: 'inference', refine: 'mask', encode: 'encode' };
const FORMATS: Record<string, string> = { 'image/png': 'png', 'image/jpeg': 'jpeg', 'image/webp': 'webp' };
const RGBA = 'image/x-rgba8';
const ALPHA = 'image/x-alpha8';
const QUALITY = 0.8;

async function made(image: ImageSource, config: Config, options: RemoveOptions, by?: By): Promise<Blob> {
  const type = config.output?.format ?? 'image/png';
  const pixels = type === RGBA || type === ALPHA;
  const format = pixels || !Object.hasOwn(FORMATS, type) ? undefined : FORMATS[type];
  if (!pixels && !format)
    throw new TypeError(`output.format must be ${[...Object.keys(FORMATS), RGBA, ALPHA].join(', ')}, got: ${type}`);
  const wanted: RemoveOptions = { ...options, ...controls(config), format, quality: percent(config) };
  if (type === ALPHA) wanted.mask = true;
  const model = remover(config.model);
  const [picture, mask] = await both(image, by, config);
  const kind = pixels ? 'pixels' : 'file';
  const result = await model.made({ picture, options: wanted, mask, kind, moreFormats: true });
  return pixels ? rawBlob(result, type) : new Blob([result.data], { type });
}

interface By {
  mask: ImageSource;
}

/** A picture and its mask; where one cannot be had, the other is let go. */
async function both(image: ImageSource, by: By | undefined, config: Config): Promise<[Source, Source?]> {
  const picture = await given(image, config);
  if (!by) return [picture];
  try {
    return [picture, await given(by.mask, config)];
  } catch (error) {
    picture.discard();
    throw error;
  }
}

function controls({ progress, signal }: Config): Pick<RemoveOptions, 'onProgress' | 'signal'> {
  if (!progress) return { signal };
  const onProgress: RemoveOptions['onProgress'] = ({ stage, fraction }) => {
    const key = KEYS[stage];
    return key && progress(`compute:${key}`, fraction, 1);
  };
  return { signal, onProgress };
}

function percent({ output }: Config): number {
  const quality = output?.quality ?? QUALITY;
  if (!(quality >= 0 && quality <= 1)) throw new TypeError(`output.quality must be 0 to 1, got: ${String(quality)}`);
  return Math.max(1, Math.round(quality * 100));
}

async function rawBlob({ data, width, height, channels }: Made, type: string): Promise<Blob> {
  const spreads = type === RGBA && channels === 1;
  const piece = spreads ? PIECE / 4 : PIECE;
  const parts: Blob[] = [];
  for (let at = 0; at < data.length; at += piece) {
    const part = data.subarray(at, at + piece);
    parts.push(new Blob([spreads ? rgba(part) : part]));
    await turn();
  }
  return new Blob(parts, { type: `${type};width=${width};height=${height}` });
}

/** Grey as opaque RGBA. */
function rgba(grey: Uint8Array): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(grey.length * 4);
  for (let at = 0; at < grey.length; at++) {
    const value = grey[at] as number;
    pixels[4 * at] = pixels[4 * at + 1] = pixels[4 * at + 2] = value;
    pixels[4 * at + 3] = 255;
  }
  return pixels;
}

async function given(image: ImageSource, config: Config): Promise<Source> {
  if (typeof image === 'string' && /^(https?|data|blob):/i.test(image)) return fetched(image, config);
  if (typeof image === 'string' && !/^file:/i.test(image)) return file(image);
  if (typeof image === 'string' || image instanceof URL) {
    const url = new URL(image);
    return url.protocol === 'file:' ? file(url) : fetched(url.href, config);
  }
  const raw = image instanceof Blob ? /^image\/x-(rgba|alpha)8;/.exec(image.type) : null;
  if (raw) return pixelsOf(image as Blob, raw[1] === 'rgba' ? 4 : 1);
  if (image instanceof Blob) return source(new Blob([image]));
  return source(image);
}

async function fetched(url: string, { fetchArgs, signal }: Config): Promise<Source> {
  // A data: URL is the picture itself, and no name of one.
  const name = url.length > 200 ? `${url.slice(0, 200)}…` : url;
  const response = await fetch(url, { ...fetchArgs, ...(signal && { signal }) }).catch((error) => {
    signal?.throwIfAborted();
    throw new Error(`cannot fetch ${name}: ${error.cause?.message || error.cause?.code || error.message}`, {
      cause: error,
    });
  });
  if (!response.ok) await response.body?.cancel();
  if (!(response.ok && response.body))
    throw new Error(`cannot fetch ${name}: ${response.status} ${response.statusText}`);
  return streamed(Readable.fromWeb(response.body as WebStream));
}

function pixelsOf(blob: Blob, channels: number): Source {
  const size = (name: string) => Number(new RegExp(`;\\s*${name}=(\\d+)`).exec(blob.type)?.[1]);
  return pixelBlob(blob, size('width'), size('height'), channels);
}

const removers = new Map<string, Remover>();

function remover(model: string | undefined): Remover {
  if (model === undefined || ['small', 'medium', 'large'].includes(model)) return defaultRemover();
  const known = removers.get(model) ?? new Remover({ model });
  removers.set(model, known);
  return known;
}

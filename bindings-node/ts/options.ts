// What a removal and a remover can be told, and its way into the text that core reads.

import type { Matting as NativeMatting, Pairs, Task } from './native';

/** A whole number, or text that Python's `int()` reads. */
export type Integer = number | string;
/** `true`, or the text `true`, `1`, `yes` or `on`. */
export type Flag = boolean | number | string;

/**
 * The options of the hosted API, by its names. Values may be text, as in its form, or numbers and
 * booleans; `undefined` and `null` are not given.
 */
export interface Options {
  // options: generated
  /** Width of the result in pixels, before rotation. Alone it keeps the aspect ratio; with h the result fits inside w × h. Accepted: 1 to 10000; 0 is unset. Default: unset. */
  w?: Integer | null | undefined;
  /** Height of the result in pixels, before rotation. Alone it keeps the aspect ratio; with w the result fits inside w × h. Accepted: 1 to 10000; 0 is unset. Default: unset. */
  h?: Integer | null | undefined;
  /** With both w and h, make the result exactly w × h, even where that distorts it. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  exact_resize?: Flag | null | undefined;
  /** Turn the result by this many degrees, counter-clockwise, after resizing it. Accepted: -360 to 360. Default: 0. */
  angle?: number | string | null | undefined;
  /** Let a turned result grow until nothing of it is cropped. Without it the size stays and the corners are cut off. Accepted: true, 1, yes or on is true, anything else false. Default: true. */
  expand?: Flag | null | undefined;
  /** Format of the result. JPEG has no transparency and is put on white unless bg_color is given. Accepted: webp, png, jpeg (or jpg), bmp. Default: webp. */
  format?: string | null | undefined;
  /** Return only the mask: white subject, black background, soft edges. Not together with bg_color. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  mask?: Flag | null | undefined;
  /** Fill the background with this colour, the corners that rotation opened too. Not together with mask. Accepted: #RGB, #RGBA, #RRGGBB, #RRGGBBAA or a CSS colour name. Default: unset. */
  bg_color?: string | null | undefined;
  // end of options
}

/** From which mask values (0 to 255) matting starts; whole numbers. */
export interface Matting {
  /** Sure subject is where the mask is greater than this. Default: 240. */
  foreground_threshold?: number;
  /** Sure background is where the mask is less than this. Default: 10. */
  background_threshold?: number;
  /** By how many pixels both are eroded; the band between is solved. Default: 10. */
  erode_size?: number;
}

/** How the subject is cut out, beyond the hosted API's options. */
export interface CutOutOptions {
  /** Solve for the alpha and the subject's own colours along the edge (closed-form matting): seconds for a large picture. */
  matting?: boolean | Matting | null | undefined;
  /** Make the mask hard with smooth outlines: every pixel 0 or 255. */
  smooth_mask?: boolean | null | undefined;
  /** Take the old background out of the colours of soft edges. Matting does so anyway. */
  decontaminate?: boolean | null | undefined;
  /** Keep the colours also where the result is fully transparent. Without it they are black there. */
  keep_colors?: boolean | null | undefined;
  /** Keep an alpha channel, 255 throughout, also on an opaque `bg_color`. */
  keep_alpha?: boolean | null | undefined;
  /** Keep the background, and cut the subject out of it. */
  invert_mask?: boolean | null | undefined;
  /** Quality of JPEG and of WebP, 1 to 100; PNG and BMP have none. Default: 90 for JPEG, 80 for WebP. */
  quality?: number | null | undefined;
}

/** How far a removal has come. */
export interface Progress {
  /** The stage: decode, upright, segment, refine, cut_out, resize, rotate, background or encode. */
  stage: string;
  /** How much of this stage is done, 0 to 1. */
  fraction: number;
}

/** How a removal is followed and stopped. */
export interface Controls {
  /** Ends the removal, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Hears how far it has come. What it throws ends the removal, which then rejects with that. */
  onProgress?: ((progress: Progress) => unknown) | undefined;
}

/** What a removal can be told. */
export interface RemoveOptions extends Options, CutOutOptions, Controls {}

/** What a `Remover` is made from, as numbers or text. */
export interface Settings {
  // settings: generated
  /** The model that finds the subject. Other models than the default are fetched beforehand. Accepted: a model's name, or the path of an ONNX file. Default: u2netp. */
  model?: string | null | undefined;
  /** How to feed an ONNX file of your own. Accepted: pairs as `size=320x320 mean=0.485,0.456,0.406 std=1 scale=max output=minmax`. Default: that of the model. */
  model_recipe?: string | null | undefined;
  /** What runs the model: ONNX Runtime where one is found, or the engine inside. Accepted: auto, onnxruntime, rten. Default: auto. */
  engine?: string | null | undefined;
  /** What ONNX Runtime computes on, by preference; auto is CUDA, ROCm or OpenVINO where it can be had, else the CPU. Accepted: auto, or names of cpu, cuda, rocm, openvino, coreml and directml with commas between them. Default: auto. */
  providers?: string | string[] | null | undefined;
  /** An ONNX Runtime library, or a folder that holds one. Accepted: a path. Default: looked for. */
  onnxruntime?: string | null | undefined;
  /** Threads of one inference. Accepted: 0 to 1024. Default: 0, one for each core. */
  threads?: Integer | null | undefined;
  /** Removals that may hold a picture in memory at once; others wait for their turn. Accepted: 0 to 1024. Default: 0, one more than there are threads. */
  in_flight?: Integer | null | undefined;
  /** Size of an encoded picture in bytes, above which it is refused. Accepted: 1 to 1099511627776. Default: 52428800. */
  max_bytes?: Integer | null | undefined;
  /** Width and height of a picture as stored in pixels, above which it is refused. Accepted: 1 to 10000. Default: 10000. */
  max_side?: Integer | null | undefined;
  /** Memory in bytes that one decoder may take for its output and its own tables. Accepted: 1 to 1099511627776. Default: 1073741824. */
  decode_memory?: Integer | null | undefined;
  // end of settings
}

/** The keys of `CutOutOptions` and `Controls`, which are not options of core's table. */
const OWN = new Set<string>([
  'matting',
  'smooth_mask',
  'decontaminate',
  'keep_colors',
  'keep_alpha',
  'invert_mask',
  'quality',
  'signal',
  'onProgress',
]);

/** What is given, as text. */
export function pairs(values: object): Pairs {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => [key, Array.isArray(value) ? value.join(',') : String(value)]);
}

/** @throws TypeError for what is no object of options, or no signal. */
export function checked<T extends Pick<Controls, 'signal'>>(options: T): T {
  const { signal } = named('options', options);
  if (signal && typeof signal.addEventListener !== 'function') throw new TypeError('signal must be an AbortSignal');
  return options;
}

/** @throws TypeError for what has no names. */
export function named<T extends object>(what: string, values: T): T {
  if (typeof values === 'object' && !Array.isArray(values)) return values;
  throw new TypeError(`${what} must be an object, not ${Array.isArray(values) ? 'an array' : typeof values}`);
}

/** Options as the native module takes them. */
export function task(options: RemoveOptions, pixels: boolean): Task {
  const given = pairs(options).filter(([key]) => !OWN.has(key));
  const { matting, quality } = options;
  const finish: Task['finish'] = {
    smoothMask: flag('smooth_mask', options.smooth_mask),
    decontaminate: flag('decontaminate', options.decontaminate),
    keepColors: flag('keep_colors', options.keep_colors),
    keepAlpha: flag('keep_alpha', options.keep_alpha),
    invertMask: flag('invert_mask', options.invert_mask),
  };
  if (matting) finish.matting = thresholds(matting === true ? {} : named('matting', matting));
  const wanted: Task = { options: given, pixels, finish };
  if (quality !== undefined && quality !== null) wanted.quality = whole('quality', quality);
  return wanted;
}

function thresholds(matting: Matting): NativeMatting {
  const given: NativeMatting = {};
  const { foreground_threshold, background_threshold, erode_size, ...others } = matting;
  for (const name of Object.keys(others)) throw new TypeError(`Unknown option 'matting.${name}'`);
  if (foreground_threshold !== undefined)
    given.foregroundThreshold = whole('foreground_threshold', foreground_threshold);
  if (background_threshold !== undefined)
    given.backgroundThreshold = whole('background_threshold', background_threshold);
  if (erode_size !== undefined) given.erodeSize = whole('erode_size', erode_size);
  return given;
}

function flag(name: string, value: boolean | null | undefined): boolean {
  if (typeof value === 'boolean' || value === undefined || value === null) return Boolean(value);
  throw new TypeError(`${name} must be true or false, got: ${String(value)}`);
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new TypeError(`${name} must be a whole number, got: ${String(value)}`);
}

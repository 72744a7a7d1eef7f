// What a removal and a remover can be told, and its way into the text that core reads.

import type { Kind, Pairs, Task } from './native';
import type { Picture } from './pictures';

/** A whole number, or text that Python's `int()` reads. */
export type Integer = number | string;
/** A point, `[x, y]`, or a box, `[left, top, right, bottom]`, in pixels of the upright picture. */
export type Region = readonly [number, number] | readonly [number, number, number, number];
/** `true`, or the text `true`, `1`, `yes` or `on`. */
export type Flag = boolean | number | string;

/**
 * The options of the hosted API, by its names, and those that it does not have. Values may be text, as in
 * its form, or numbers and booleans; `undefined` and `null` are not given.
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
  /** Fill the background with this colour of sRGB, the corners that rotation opened too. Not together with mask. Accepted: #RGB, #RGBA, #RRGGBB, #RRGGBBAA or a CSS colour name. Default: unset. */
  bg_color?: string | null | undefined;
  /** How true JPEG and WebP are to the colours: 1 is the smallest file, 100 the truest. Unset, it is 90 for JPEG and 80 for WebP. Accepted: 1 to 100. Default: unset. */
  quality?: Integer | null | undefined;
  /** How long PNG and WebP work for a smaller file. Accepted: fast, default, small. Default: default. */
  compression?: string | null | undefined;
  /** How much work goes into the subject and its edges, where refine is on. The model sees the picture once with fast; with balanced the bundled one sees it in two ways, and a third time where the subject is small or in doubt; with best any model sees it up to eight times. Accepted: fast, balanced, best. Default: balanced. */
  preset?: string | null | undefined;
  /** Lay the mask's edge onto the picture's own. Without it the mask is the model's, as rembg has it, and a mask that is brought is taken as it is. Accepted: true, 1, yes or on is true, anything else false. Default: true. */
  refine?: Flag | null | undefined;
  /** Where the picture's border has one colour, let the alpha follow from the distance to that colour, and cut out holes. auto does so for logos, icons and line drawings, on for any picture, such as a product on white. Not of a mask that is brought, or without refine. Accepted: auto, on, off. Default: auto. */
  flat?: string | null | undefined;
  /** Take the old background's colour out of soft edges, so that no fringe of it shows on a new one. Accepted: true, 1, yes or on is true, anything else false. Default: true. */
  decontaminate?: Flag | null | undefined;
  /** Solve for the alpha and the subject's colours along the edge (closed-form matting): seconds for a large picture. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  matting?: Flag | null | undefined;
  /** With matting, surely subject is where the mask is greater than this. Accepted: a whole number; 0 to 254 is useful. Default: 240. */
  matting_foreground_threshold?: Integer | null | undefined;
  /** With matting, surely background is where the mask is less than this. Accepted: a whole number; 1 to 255 is useful. Default: 10. */
  matting_background_threshold?: Integer | null | undefined;
  /** With matting, side in pixels of the square by which both are eroded; what lies between is solved. Accepted: a whole number. Default: 10. */
  matting_erode_size?: Integer | null | undefined;
  /** The mask that is brought is a trimap: black is background, white is subject, and between them the alpha is solved as by matting. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  trimap?: Flag | null | undefined;
  /** Remove small stray islands from the mask and fill its pinholes. A second subject stays, and so does a hole through which the background is seen. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  clean_mask?: Flag | null | undefined;
  /** What to keep. Of what is found the things at points and in boxes stay; a point on background, or where a thing is found but faintly, makes the thing around it subject. With boxes the model sees what is around them alone. Accepted: points as x,y and boxes as left,top,right,bottom, in pixels of the upright picture, with spaces between them. Default: unset. */
  keep?: Region | readonly Region[] | string | null | undefined;
  /** What to drop: things at points, and all in boxes. A thing with points of both kinds is divided halfway between them, along edges where there are any; more points make the cut surer. Accepted: points as x,y and boxes as left,top,right,bottom, in pixels of the upright picture, with spaces between them. Default: unset. */
  drop?: Region | readonly Region[] | string | null | undefined;
  /** Make the mask hard with smooth outlines: every pixel subject or background, before it is resized or turned. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  smooth_mask?: Flag | null | undefined;
  /** Keep the background, and cut the subject out of it. keep and drop tell what that subject is. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  invert_mask?: Flag | null | undefined;
  /** Keep the picture's colours also where the result is fully transparent. Without it they are black there, but for a few pixels beyond the edge, which have the subject's colour. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  keep_colors?: Flag | null | undefined;
  /** Keep an alpha channel, 255 throughout, also on an opaque bg_color. JPEG has none, and WebP leaves out one that is opaque. Accepted: true, 1, yes or on is true, anything else false. Default: false. */
  keep_alpha?: Flag | null | undefined;
  // end of options
}

/** How far a removal has come. */
export interface Progress {
  /** The stage: decode, upright, segment, refine, cut_out, resize, rotate, background or encode. */
  stage: string;
  /** How much of this stage is done, 0 to 1. */
  fraction: number;
}

/** What a removal can be given besides the picture. */
export interface Brought {
  /**
   * A mask to take in place of the model's, any picture that can be removed from: white is subject; of
   * one with transparency its alpha counts. With `trimap` it tells what is known. A stream serves one removal.
   */
  mask_from?: Picture | null | undefined;
}

/** How a removal is followed and stopped. */
export interface Controls {
  /** Ends the removal, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Hears how far it has come. What it throws ends the removal, which then rejects with that. */
  onProgress?: ((progress: Progress) => unknown) | undefined;
  /** Hears once what was found, when the removal is done, and is waited for. Without it, a warning of the process tells where nothing was found. What it throws is what the removal rejects with. */
  onFound?: ((found: Found) => unknown) | undefined;
}

/** What was found in the upright picture, before it is resized and turned; with `invert_mask` what is kept of it. */
export interface Found {
  /** How much of the picture the subject is: the mean of the alpha, 0 to 1. */
  coverage: number;
  /** Where it is, in pixels: around all that is more than faint. `undefined` where nothing was found. */
  bounds: { left: number; top: number; right: number; bottom: number } | undefined;
  /** How sure the model is, 0 to 1: the mean of its mask, each pixel counted as often as it is subject. */
  confidence: number;
}

/** What a removal can be told. */
export interface RemoveOptions extends Options, Brought, Controls {}

/** What a `Remover` is made from, as numbers or text. */
export interface Settings {
  // settings: generated
  /** The model that finds the subject. Other models than the default are fetched beforehand. Accepted: a model's name, or the path of an ONNX file. Default: u2netp. */
  model?: string | null | undefined;
  /** How to feed an ONNX file of your own. Accepted: pairs as `size=320x320 mean=0.485,0.456,0.406 std=1 scale=max output=minmax`. Default: that of the model. */
  model_recipe?: string | null | undefined;
  /** What runs the model: native, our own, for the bundled one; for others ONNX Runtime where one is found, else rten. native and rten are inside. Accepted: auto, onnxruntime, rten, native. Default: auto. */
  engine?: string | null | undefined;
  /** What ONNX Runtime computes on, by preference; auto is CUDA, ROCm or OpenVINO where it can be had, else the CPU. Accepted: auto, or names of cpu, cuda, rocm, openvino, coreml and directml with commas between them. Default: auto. */
  providers?: string | string[] | null | undefined;
  /** An ONNX Runtime library, or a folder that holds one. Accepted: a path. Default: looked for. */
  onnxruntime?: string | null | undefined;
  /** Threads that work on one picture. Accepted: 0 to 1024. Default: 0, one for each core. */
  threads?: Integer | null | undefined;
  /** Removals that may run at once, from decoding to encoding; others wait for their turn. Accepted: 0 to 1024. Default: 0, one more than there are threads. */
  in_flight?: Integer | null | undefined;
  /** Memory in bytes that the running removals may take together, beside what the model takes; others wait, and one that needs more by itself is refused. Accepted: 0 to 1099511627776. Default: 0, without a bound. */
  memory?: Integer | null | undefined;
  /** Size of an encoded picture in bytes, above which it is refused. Accepted: 1 to 1099511627776. Default: 52428800. */
  max_bytes?: Integer | null | undefined;
  /** Width and height of a picture as stored in pixels, above which it is refused. Accepted: 1 to 10000. Default: 10000. */
  max_side?: Integer | null | undefined;
  /** Memory in bytes that one decoder may take for its output and its own tables. Accepted: 1 to 1099511627776. Default: 1073741824. */
  decode_memory?: Integer | null | undefined;
  // end of settings
}

/** The keys of `Brought` and `Controls`, which are not options of core's table. */
const OWN = new Set<string>(['mask_from', 'signal', 'onProgress', 'onFound']);

/** What is given, as text. */
export function pairs(values: object): Pairs {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => [key, Array.isArray(value) ? listed(value) : String(value)]);
}

/** Lists, and text that has commas of its own, with spaces between them, all else with commas. */
function listed(values: unknown[]): string {
  const texts = values.map(String);
  return texts.join(texts.some((text) => text.includes(',')) ? ' ' : ',');
}

/** @throws TypeError for what is no object of options, or no signal. */
export function checked<T extends Pick<Controls, 'signal'>>(options: T): T {
  const { signal } = named('options', options);
  const isSignal =
    !signal || [signal.addEventListener, signal.throwIfAborted].every((one) => typeof one === 'function');
  if (!isSignal) throw new TypeError('signal must be an AbortSignal');
  return options;
}

/** @throws TypeError for what has no names. */
export function named<T extends object>(what: string, values: T): T {
  if (typeof values === 'object' && !Array.isArray(values)) return values;
  throw new TypeError(`${what} must be an object, not ${Array.isArray(values) ? 'an array' : typeof values}`);
}

/** Options as the native module takes them. */
export function task(options: RemoveOptions, kind: Kind, moreFormats: boolean): Task {
  return { options: pairs(options).filter(([key]) => !OWN.has(key)), kind, moreFormats };
}

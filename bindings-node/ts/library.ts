/**
 * Background removal that runs wholly on this machine.
 *
 * `rembg` takes the place of rembg.js; `remove` and `Remover` are the library; `removeBackground`
 * and its kin take the place of imgly's package. The default export is `rembg` and `removeBackground` in one.
 */

import { types } from 'node:util';

import { type Config, type ImageSource, removeBackground } from './imgly';
import { native } from './native';
import { type RembgParameters, rembg } from './rembg';

export { type ErrorBody, type ErrorKind, type Problem, RembgError } from './errors';
export {
  applySegmentationMask,
  type Config,
  type ImageSource,
  removeBackground,
  removeForeground,
  segmentForeground,
} from './imgly';
export type { Outcome, Pictures } from './many';
export { type FetchOptions, fetchModel, models } from './models';
export type {
  Brought,
  Controls,
  Flag,
  Found,
  Integer,
  Options,
  Progress,
  Region,
  RemoveOptions,
  Settings,
} from './options';
export type { ByteStream, Picture, RawArray, RawPixels, RawWithInfo } from './pictures';
export type { RembgProgressEvent } from './progress';
export type { Base64Result, FileResult, Known, RembgInput, RembgOptions, RembgParameters } from './rembg';
export {
  type EngineInfo,
  type ManyOptions,
  type Matte,
  type MatteOptions,
  matte,
  type RawResult,
  Remover,
  remove,
  removeMany,
  removeRaw,
  removeStream,
} from './remover';
export { rembg };

/** The version of this package. */
export const version: string = native.VERSION;

/** What rembg.js and imgly's package export by default, and itself by the names under which an ES module finds it there. */
type Both = typeof rembg & typeof removeBackground;

/** `removeBackground` of a picture, `rembg` of anything else: that takes one object of arguments. */
const both = Object.assign(
  ((first: RembgParameters | ImageSource, configuration?: Config) =>
    isPicture(first) ? removeBackground(first, configuration) : rembg(first)) as Both,
  { rembg },
);
const itself: Both & { rembg: typeof rembg; default: Both } = Object.assign(both, { default: both });
export default itself;

/** Of plain objects only raw pixels are pictures, which have `data`. */
function isPicture(first: RembgParameters | ImageSource): first is ImageSource {
  if (typeof first !== 'object' || first === null) return typeof first === 'string';
  return (
    first instanceof Blob ||
    first instanceof URL ||
    types.isAnyArrayBuffer(first) ||
    ArrayBuffer.isView(first) ||
    'data' in first
  );
}

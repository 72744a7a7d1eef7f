/**
 * Background removal that runs wholly on this machine.
 *
 * `rembg` takes the place of rembg.js; `remove` and `Remover` are the library; `removeBackground`
 * and its kin take the place of imgly's package.
 */

import { native } from './native';
import { rembg } from './rembg';

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
export type { Brought, Controls, Flag, Integer, Options, Progress, Region, RemoveOptions, Settings } from './options';
export type { ByteStream, Picture, RawArray, RawPixels, RawWithInfo } from './pictures';
export type { RembgProgressEvent } from './progress';
export type { Base64Result, FileResult, RembgInput, RembgOptions, RembgParameters } from './rembg';
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

/** `rembg`, and itself by the names under which an ES module finds it in rembg.js. */
const rembgItself: typeof rembg & { rembg: typeof rembg; default: typeof rembg } = Object.assign(rembg, {
  rembg,
  default: rembg,
});
export default rembgItself;

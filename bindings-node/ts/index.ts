/** What `require` gives: plain properties, so that tests of programs can replace them, as they replace rembg.js's. */

import library = require('./library');

export const {
  RembgError,
  applySegmentationMask,
  removeBackground,
  removeForeground,
  segmentForeground,
  fetchModel,
  models,
  matte,
  Remover,
  remove,
  removeMany,
  removeRaw,
  removeStream,
  rembg,
  version,
} = library;
export default library.default;

// The smallest ONNX model, so that a removal takes less than a millisecond. Field numbers are those of onnx.proto.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FLOAT = 1;

/** Settings of a remover to which red is subject, 255 all of it and 0 none. */
export function tinySettings(folder) {
  const model = join(folder, 'tiny.onnx');
  writeFileSync(model, tinyModel());
  return { model, model_recipe: 'size=8', engine: 'rten' };
}

/** `y = Identity(x)` of 1×3×8×8: the first channel is the matte. */
export function tinyModel() {
  const node = [field(1, 'in'), field(2, 'out'), field(4, 'Identity')];
  const graph = [field(1, node), field(2, 'graph'), field(11, value('in')), field(12, value('out'))];
  return Buffer.concat([field(1, 8), field(7, graph), field(8, field(2, 13))]);
}

function value(name) {
  const shape = [1, 3, 8, 8].map((size) => field(1, field(1, size)));
  return [field(1, name), field(2, field(1, [field(1, FLOAT), field(2, shape)]))];
}

function field(number, content) {
  if (typeof content === 'number') return Buffer.from([number << 3, content]);
  const bytes = flat(content);
  const count = bytes.length;
  const length = count < 128 ? [count] : [(count & 127) | 128, count >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

function flat(content) {
  return Array.isArray(content) ? Buffer.concat(content.map(flat)) : Buffer.from(content);
}

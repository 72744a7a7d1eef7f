// The vectors of testdata/, replayed through `Remover.remove`.
//
// Not replayed: errors.json, which refuses accounts and keys; there are none here. Of options.json
// the duplicates within one case are: as in any object, the last value counts.

import assert from 'node:assert/strict';
import { File } from 'node:buffer';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';

import { decoded, format, halves, ROOT, remrembg, sharp, temporary, tiny } from './support.mjs';

const EMPTY = '{"error":"Uploaded file is empty (0 bytes).","status":400}';
/** No text is refused as true or false. */
const BOOLEANS = [
  'exact_resize',
  'expand',
  'mask',
  'refine',
  'decontaminate',
  'matting',
  'trimap',
  'clean_mask',
].concat(['smooth_mask', 'invert_mask', 'keep_colors', 'keep_alpha']);
const OPTIONS = BOOLEANS.concat(
  ['w', 'h', 'angle', 'format', 'bg_color', 'quality', 'compression', 'preset', 'flat', 'keep', 'drop'],
  ['foreground_threshold', 'background_threshold', 'erode_size'].map((name) => `matting_${name}`),
);
/** Results of more pixels than this are left out: they would take the time of all others. */
const LARGEST = 2_000_000;

const vectors = (name) => JSON.parse(readFileSync(join(ROOT, 'testdata', name), 'utf8'));
const remover = tiny();

async function refusal(promise, name) {
  const error = await promise.then(
    () => assert.fail(`${name}: it is not refused`),
    (caught) => caught,
  );
  assert.ok(error instanceof remrembg.RembgError, `${name}: ${error}`);
  assert.equal(error.kind, 'validation', name);
  assert.equal(JSON.stringify(error), error.body, name);
  const { status, code, body, details } = error;
  if (details.length === 1) assert.equal(details[0].message, error.message, name);
  else assert.deepEqual(JSON.parse(body).details, details, name);
  return { status, code, body, problems: details.length };
}

function expected({ codes, status, body }) {
  return { status, code: codes.length === 1 ? codes[0] : 'multiple', body, problems: codes.length };
}

test('text is refused in the very words of the vectors', async () => {
  const cases = vectors('options.json').filter(({ error }) => error);
  assert.ok(cases.length > 200);
  for (const { name, pairs, error } of cases) {
    const got = await refusal(remover.remove(halves(8, 8), Object.fromEntries(pairs)), name);
    assert.deepEqual(got, expected(error), name);
  }
  const refused = keys(cases);
  for (const key of OPTIONS) assert.ok(BOOLEANS.includes(key) || refused.includes(key), `${key} is refused once`);
});

/** The options of these cases, sorted. */
function keys(cases) {
  return [...new Set(cases.flatMap(({ pairs }) => pairs.map(([key]) => key)))].sort();
}

test('text is taken for what the vectors say', async () => {
  const cases = vectors('options.json').filter(({ options }) => options);
  assert.ok(cases.length > 200);
  let made = 0;
  for (const { name, pairs, options } of cases) {
    const given = Object.fromEntries(pairs);
    if (options.own) given.mask_from = halves(8, 8);
    // That all of it is taken shows in the empty file being the only problem.
    assert.equal((await refusal(remover.remove(Buffer.alloc(0), given), name)).body, EMPTY, name);
    const [w, h] = [options.w ?? 1, options.h ?? 1];
    if (w * h > 1000 || Math.max(w, h) > 1000) continue;
    const file = await remover.remove(halves(8, 8), given);
    made += 1;
    assert.equal(format(file), options.format, name);
    if (!options.own) await checkCorner(file, options, name);
  }
  assert.ok(made > 100);
  assert.deepEqual(keys(cases), [...OPTIONS].sort());
});

/** The pixel at the lower right is background, where nothing was turned. */
async function checkCorner(file, { angle, format: kind, mask, bg_color }, name) {
  const { data, width, height } = await decoded(file);
  if (angle % 360 !== 0 || Math.min(width, height) < 4) return;
  const got = [...data.subarray(-4)];
  const opaque = kind === 'jpeg';
  let wanted = bg_color;
  if (mask) wanted = [0, 0, 0, 255];
  else if (opaque) wanted = onWhite(bg_color ?? [0, 0, 0, 0]);
  if (!wanted || wanted[3] === 0) wanted = [...got.slice(0, 3), 0];
  const far = Math.max(...got.map((value, at) => Math.abs(value - wanted[at])));
  assert.ok(far <= (opaque || kind === 'webp' ? 24 : 1), `${name}: ${got} is not ${wanted}`);
}

function onWhite([red, green, blue, alpha]) {
  return [...[red, green, blue].map((value) => Math.round((value * alpha) / 255 + 255 - alpha)), 255];
}

test('results have the size of the vectors', async () => {
  const few = ([width, height]) => width * height <= LARGEST;
  const cases = vectors('geometry.json').filter(({ input, output }) => few(input) && few(output));
  assert.ok(cases.length > 160);
  for (const { name, input, pairs, output } of cases) {
    const file = await remover.remove(halves(...input), { format: 'bmp', ...Object.fromEntries(pairs) });
    assert.deepEqual(await size(file), output, name);
    if (output[0] * output[1] > 10_000) continue;
    const { info } = await remover.removeRaw(halves(...input), Object.fromEntries(pairs));
    assert.deepEqual([info.width, info.height], output, name);
  }
});

/** Of a picture in any format, without its pixels. */
async function size(file) {
  if (format(file) === 'bmp') return [file.readInt32LE(18), Math.abs(file.readInt32LE(22))];
  const { width, height } = await sharp(file).metadata();
  return [width, height];
}

test('pictures are taken or refused as the vectors say', async () => {
  const folder = temporary();
  // Names count where a picture stands in for an upload alone: in `rembg`, whose tests show it.
  const byName = ({ input }) => input.file_name !== undefined || input.path_suffix !== undefined;
  const cases = vectors('files.json').filter((each) => !(each.error && byName(each)));
  for (const { name, input, limits = {}, ok, error } of cases) {
    const its = tiny(limits);
    for (const make of given(input, folder)) {
      if (error) assert.deepEqual(await refusal(its.remove(make()), name), expected(error), name);
      else {
        const made = await size(await its.remove(make(), { format: 'bmp' }));
        assert.deepEqual([...made].sort(), [ok.width, ok.height].sort(), name);
      }
    }
  }
});

/** Every way in which JavaScript can hand it over. */
function given({ missing, pixels, parts, file_name, path_suffix }, folder) {
  if (missing) return [() => undefined, () => null];
  if (pixels) {
    const { layout, length, ...sizes } = pixels;
    const channels = { rgb8: 3, rgba8: 4 }[layout];
    return [() => ({ data: Buffer.alloc(length), channels, ...sizes })];
  }
  const data = Buffer.concat(
    parts.map(({ hex, fill, count }) => (fill ? Buffer.alloc(count, fill, 'hex') : Buffer.from(hex, 'hex'))),
  );
  if (path_suffix !== undefined) {
    const path = join(mkdtempSync(join(folder, 'file-')), `photo${path_suffix}`);
    writeFileSync(path, data);
    return [() => path];
  }
  if (file_name !== undefined) return [() => new File([data], file_name)];
  return [() => data, () => Readable.from([data]), () => new Blob([data])];
}

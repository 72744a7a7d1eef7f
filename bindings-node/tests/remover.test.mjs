// A remover: its options, its results and its refusals.

import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { test } from 'node:test';

import { decoded, format, halves, PHOTO, png, raw, rejected, remrembg, sharp, tiny, withPhoto } from './support.mjs';

const { Remover, RembgError } = remrembg;
const remover = tiny();
const photo = await png();

/** Red, green, blue and alpha at a place of a file. */
async function pixel(file, x, y) {
  const { data, width } = await decoded(file);
  return [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
}

test('formats are as asked for, and WebP without a word', async () => {
  for (const wanted of ['webp', 'png', 'jpeg', 'bmp']) {
    assert.equal(format(await remover.remove(photo, { format: wanted })), wanted);
    assert.equal(format(await remover.remove(photo, { format: ` ${wanted.toUpperCase()} ` })), wanted);
  }
  assert.equal(format(await remover.remove(photo, { format: 'jpg' })), 'jpeg');
  for (const unset of [undefined, null, '']) {
    assert.equal(format(await remover.remove(photo, { format: unset })), 'webp');
  }
});

test('options are taken as text and as values', async () => {
  const size = async (options) => {
    const { width, height } = await decoded(await remover.remove(photo, { format: 'png', ...options }));
    return [width, height];
  };
  assert.deepEqual(await size({}), [24, 16]);
  assert.deepEqual(await size({ w: 48 }), [48, 32]);
  assert.deepEqual(await size({ w: '48', h: null }), [48, 32]);
  assert.deepEqual(await size({ w: 48n, h: 64, exact_resize: true }), [48, 64]);
  assert.deepEqual(await size({ w: 48, h: 64, exact_resize: 'false' }), [48, 32]);
  assert.deepEqual(await size({ w: 0, h: 0 }), [24, 16]);
  assert.deepEqual(await size({ angle: 90 }), [16, 24]);
  assert.deepEqual(await size({ angle: '-45.5', expand: false }), [24, 16]);
});

test('the subject stays and the background goes', async () => {
  const file = await remover.remove(halves(16, 8), { format: 'png' });
  assert.deepEqual(await pixel(file, 0, 4), [255, 0, 0, 255]);
  assert.deepEqual(await pixel(file, 15, 4), [0, 0, 0, 0]);
  const mask = await remover.remove(halves(16, 8), { format: 'png', mask: true });
  assert.deepEqual(await pixel(mask, 0, 4), [255, 255, 255, 255]);
  assert.deepEqual(await pixel(mask, 15, 4), [0, 0, 0, 255]);
  const teal = await remover.remove(halves(16, 8), { format: 'bmp', bg_color: 'teal' });
  assert.deepEqual(await pixel(teal, 0, 4), [255, 0, 0, 255]);
  assert.deepEqual(await pixel(teal, 15, 4), [0, 128, 128, 255]);
  const turned = await remover.remove(halves(16, 8), { format: 'png', angle: 90 });
  assert.deepEqual(await pixel(turned, 4, 15), [255, 0, 0, 255]);
});

test('a smooth mask is hard, and colours are kept where asked for', async () => {
  const soft = raw(64, 48);
  const alphas = async (options) => {
    const { data } = await remover.removeRaw(soft, { mask: true, ...options });
    return new Set(data);
  };
  assert.ok((await alphas({ refine: false })).size > 20);
  assert.deepEqual(
    [...(await alphas({ smooth_mask: true }))].sort((a, b) => a - b),
    [0, 255],
  );
  const blue = { ...halves(16, 8), data: halves(16, 8).data.map((value, at) => (at % 3 === 2 ? 200 : value)) };
  assert.deepEqual(await pixel(await remover.remove(blue, { format: 'png' }), 15, 4), [0, 0, 0, 0]);
  assert.deepEqual(
    await pixel(await remover.remove(blue, { format: 'png', keep_colors: true }), 15, 4),
    [0, 0, 200, 0],
  );
});

test('an opaque result has no alpha channel, unless it is kept', async () => {
  const channels = async (options) => (await remover.removeRaw(photo, options)).info.channels;
  assert.equal(await channels({}), 4);
  assert.equal(await channels({ bg_color: '#ff0000' }), 3);
  assert.equal(await channels({ bg_color: '#ff0000', keep_alpha: true }), 4);
  assert.equal(await channels({ mask: true }), 1);
});

test('refinement, colours and matting change soft edges, and thresholds change matting', withPhoto, async () => {
  const inside = new Remover();
  const small = await sharp(PHOTO).resize(160, 120).png().toBuffer();
  const made = (options) => inside.remove(small, { format: 'png', ...options });
  const plain = { refine: false, decontaminate: false };
  const usual = { ...plain, matting: true };
  const ways = [plain, usual, { refine: false }, { decontaminate: false }, {}, { preset: 'best' }];
  const files = await Promise.all(ways.map(made));
  assert.equal(new Set(files.map((file) => file.toString('base64'))).size, ways.length, 'each differs from the others');
  const thresholds = { foreground_threshold: 240, background_threshold: 10, erode_size: 10 };
  for (const [name, value] of Object.entries(thresholds)) {
    const [key, other] = [
      `matting_${name}`,
      { foreground_threshold: 150, background_threshold: 90, erode_size: 1 }[name],
    ];
    assert.ok((await made({ ...usual, [key]: value })).equals(files[1]), `${name} is ${value}`);
    assert.ok(!(await made({ ...usual, [key]: other })).equals(files[1]), name);
    assert.ok((await made({ ...plain, [key]: other })).equals(files[0]), `${name} counts with matting alone`);
  }
  const error = await rejected(made({ matting_erode_size: 1.5 }));
  assert.equal(error.message, "'matting_erode_size' must be an integer, got: '1.5'");
});

test('the edge of a coarse mask comes to lie on the picture, and soft edges have its colours', async () => {
  const side = 96;
  const alpha = (x) => Math.min(1, Math.max(0, (60 - x) / 12));
  const [red, blue] = [
    [220, 30, 30],
    [20, 40, 210],
  ];
  const pixelOf = (x) => red.map((value, c) => Math.round(value * alpha(x) + blue[c] * (1 - alpha(x))));
  const data = Uint8Array.from({ length: side * side }, (_, at) => at % side).reduce(
    (bytes, x, at) => (bytes.set(pixelOf(x), at * 3), bytes),
    new Uint8Array(side * side * 3),
  );
  const picture = { data, width: side, height: side, channels: 3 };
  const off = async (options) => {
    const { data: made } = await remover.removeRaw(picture, options);
    let [alphas, colors, soft] = [0, 0, 0];
    for (let x = 0; x < side; x += 1) {
      const [r, g, b, a] = made.subarray(48 * side * 4 + x * 4);
      alphas += Math.abs(a - 255 * alpha(x)) / side;
      if (alpha(x) > 0.25 && alpha(x) < 0.75) {
        colors += Math.abs(r - red[0]) + Math.abs(g - red[1]) + Math.abs(b - red[2]);
        soft += 1;
      }
    }
    return [alphas, colors / soft];
  };
  const [plain, refined, mixed] = [await off({ refine: false }), await off({}), await off({ decontaminate: false })];
  assert.ok(refined[0] < 0.5 * plain[0], `alpha is off by ${refined[0]} of 255, and ${plain[0]} without`);
  assert.ok(refined[1] < 0.5 * mixed[1], `colours are off by ${refined[1]}, and ${mixed[1]} without`);
});

test('a mask can be brought, and a trimap is solved', async () => {
  const ramp = {
    data: Uint8Array.from({ length: 16 * 8 }, (_, at) => (at % 16) * 17),
    width: 16,
    height: 8,
    channels: 1,
  };
  const options = { mask: true, mask_from: ramp, refine: false };
  assert.deepEqual([...(await remover.removeRaw(halves(16, 8), options)).data], [...ramp.data]);
  const file = await sharp(ramp.data, { raw: { width: 16, height: 8, channels: 1 } })
    .png()
    .toBuffer();
  assert.deepEqual([...(await remover.removeRaw(photo, { ...options, mask_from: file, w: 24 })).data].length, 24 * 16);
  const trimap = { ...ramp, data: ramp.data.map((value) => (value < 60 ? 0 : value > 190 ? 255 : 128)) };
  const swapped = await remover.removeRaw(halves(16, 8), { mask: true, mask_from: trimap, trimap: true });
  assert.deepEqual(
    [...swapped.data.subarray(0, 16)].map((value) => value > 127),
    [...Array(16).keys()].map((x) => x > 8),
  );
  const error = await rejected(remover.remove(photo, { trimap: true }));
  assert.deepEqual([error.details[0].field, error.code], ['mask', 'no_image']);
  const broken = await rejected(remover.remove(photo, { mask_from: Buffer.from('GIF89a') }));
  assert.deepEqual([broken.details[0].field, broken.code], ['mask', 'corrupt_image']);
  await assert.rejects(remover.remove(createReadStream(PHOTO), { mask_from: 42 }), TypeError);
});

test('points and boxes choose among subjects', async () => {
  const data = Uint8Array.from({ length: 96 * 32 * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % 96, Math.floor(at / 3 / 96)];
    return at % 3 === 0 && y >= 8 && y < 24 && x % 48 >= 8 && x % 48 < 40 ? 255 : 0;
  });
  const kept = async (options) => {
    const both = { data, width: 96, height: 32, channels: 3 };
    const made = await remover.removeRaw(both, { mask: true, refine: false, ...options });
    return [24, 72].map((x) => made.data[16 * 96 + x] > 127);
  };
  assert.deepEqual(await kept({}), [true, true]);
  for (const keep of [[24, 16], [[24, 16]], '24,16', ['24,16', '30,16'], [0, 0, 48, 32]]) {
    assert.deepEqual(await kept({ keep }), [true, false], String(keep));
  }
  const both = [
    [24, 16],
    [50, 0, 90, 32],
  ];
  assert.deepEqual(await kept({ drop: both }), [false, false]);
  const outside = await rejected(kept({ drop: [96, 0] }));
  assert.equal(outside.message, "'drop' must lie in the picture of 96×32 pixels, got: '96,0'");
});

test('the matte is what the model says, in floats', async () => {
  const { data, width, height } = await remover.matte(halves(32, 8), { refine: false });
  assert.deepEqual([data.constructor, data.length, width, height], [Float32Array, 64, 8, 8]);
  assert.deepEqual([data[0], data[7]], [1, 0]);
  const seen = await remover.matte(halves(32, 8));
  assert.deepEqual([seen.width, seen.height, seen.data], [8, 8, data], 'one look, as rembg has it');
  assert.equal((await rejected(remover.matte(Buffer.alloc(0)))).code, 'empty_file');
});

test('an address is told from a path', async () => {
  for (const address of ['http://localhost/photo.jpg', 'HTTPS://localhost/a', new URL('https://localhost/b')]) {
    const error = await rejected(remover.remove(address));
    assert.equal(error.constructor, TypeError);
    assert.equal(error.message, `nothing is fetched here: \`removeBackground\` takes addresses, got: ${address}`);
  }
});

test('keeping the background cuts the subject out of it', async () => {
  const file = await remover.remove(halves(16, 8), { format: 'png', invert_mask: true, keep_colors: true });
  assert.equal((await pixel(file, 0, 4))[3], 0);
  assert.deepEqual(await pixel(file, 15, 4), [0, 0, 0, 255]);
  const [mask, inverse] = await Promise.all(
    [false, true].map(async (invert_mask) => (await remover.removeRaw(raw(40, 30), { mask: true, invert_mask })).data),
  );
  assert.deepEqual(
    [...inverse],
    [...mask].map((value) => 255 - value),
  );
});

test('quality is that of JPEG and of lossy WebP', withPhoto, async () => {
  const size = async (options) => (await remover.remove(PHOTO, { w: 400, ...options })).length;
  for (const [lossy, usual] of [
    ['jpeg', 90],
    ['webp', 80],
  ]) {
    const [small, medium, large] = [20, usual, 100].map((quality) => size({ format: lossy, quality }));
    assert.ok((await small) < 0.9 * (await medium) && (await medium) < 0.9 * (await large), lossy);
    assert.equal(await size({ format: lossy }), await medium, `${usual} is the default of ${lossy}`);
  }
  assert.equal(await size({ format: 'png', quality: 1 }), await size({ format: 'png' }));
});

test('compression is that of PNG and of WebP', withPhoto, async () => {
  const size = async (options) => (await remover.remove(PHOTO, { w: 400, ...options })).length;
  for (const format of ['png', 'webp']) {
    const [fast, usual, small] = ['fast', 'default', 'small'].map((compression) => size({ format, compression }));
    assert.ok((await small) < (await usual) && (await usual) < (await fast), format);
    assert.equal(await size({ format }), await usual);
  }
  assert.equal(await size({ format: 'bmp', compression: 'small' }), await size({ format: 'bmp' }));
});

test('a quality out of its range is refused, with all that is wrong besides', async () => {
  const error = await rejected(remover.remove(photo, { w: 'abc', quality: 101 }));
  assert.deepEqual([error.name, error.status, error.code], ['RembgError', 400, 'multiple']);
  assert.deepEqual(error.details[0], { field: 'w', message: "'w' must be an integer, got: 'abc'" });
  assert.deepEqual(error.details[1], { field: 'quality', message: "'quality' must be at most 100, got: 101" });
  assert.equal((await rejected(remover.remove(photo, { quality: 0 }))).message, "'quality' must be at least 1, got: 0");
  const number = "'quality' must be an integer, got: '80.5'";
  assert.equal((await rejected(remover.remove(photo, { quality: 80.5 }))).message, number);
  const word = "'preset' must be one of fast, balanced, best, got: 'good'";
  assert.equal((await rejected(remover.remove(photo, { preset: 'good' }))).message, word);
});

test('what was found is told to who wants to hear', async () => {
  const heard = [];
  const onFound = (found) => heard.push(found);
  const picture = halves(64, 32);
  await remover.remove(picture, { refine: false, onFound });
  await remover.removeRaw(picture, { refine: false, onFound });
  const [found, again] = heard;
  assert.deepEqual(found, again);
  assert.ok(found.coverage > 0.4 && found.coverage < 0.6, `${found.coverage}`);
  assert.ok(found.confidence > 0.8 && found.confidence <= 1, `${found.confidence}`);
  assert.deepEqual([found.bounds.left, found.bounds.top, found.bounds.bottom], [0, 0, 32]);
  assert.ok(found.bounds.right >= 30 && found.bounds.right <= 40);
  const pictures = [];
  const options = { refine: false, onFound: (one, its) => pictures.push([one, its]) };
  for await (const { error } of remover.removeMany([picture], options)) assert.ifError(error);
  assert.deepEqual(pictures, [[found, picture]]);
});

test('a picture in which nothing is found is warned of', async () => {
  const warned = new Promise((resolve) => process.once('warning', resolve));
  const heard = [];
  const black = { data: new Uint8Array(8 * 8 * 3), width: 8, height: 8, channels: 3 };
  await remover.remove(black, { onFound: (found) => heard.push(found) });
  assert.deepEqual(heard, [{ coverage: 0, bounds: undefined, confidence: 0 }]);
  await remover.remove(black);
  const warning = await warned;
  assert.deepEqual([warning.name, warning.code], ['NothingFoundWarning', 'REMREMBG_NOTHING_FOUND']);
});

test('a refusal tells why beside the words of the hosted API', async () => {
  const gif = await rejected(remover.remove(Buffer.from('GIF89a')));
  assert.equal(gif.message, 'File does not appear to be a valid image (invalid file signature)');
  assert.equal(gif.reason, 'this is a GIF picture');
  assert.equal(
    (await rejected(remover.remove(photo.subarray(0, photo.length - 20)))).reason,
    'the file ends too early',
  );
  assert.equal((await rejected(remover.remove(photo, { w: 'abc' }))).reason, undefined);
});

test('an unknown option is refused by its name', async () => {
  const error = await rejected(remover.remove(photo, { width: 800 }));
  assert.deepEqual([error.kind, error.code], ['validation', 'unknown_option']);
  assert.match(error.message, /^Unknown option 'width'/);
});

test('pixels go to sharp and come from it without being encoded', async () => {
  for (const [options, channels] of [
    [{}, 4],
    [{ mask: true }, 1],
    [{ bg_color: 'teal' }, 3],
  ]) {
    const { data, info } = await remover.removeRaw(photo, { ...options, format: 'jpeg', quality: 1 });
    assert.deepEqual(info, { width: 24, height: 16, channels, premultiplied: false, size: data.length });
    assert.equal(data.length, 24 * 16 * channels);
    const theirs = await sharp(data, { raw: info }).png().toBuffer();
    const ours = await remover.remove(photo, { ...options, format: 'png' });
    assert.deepEqual((await decoded(theirs)).data, (await decoded(ours)).data);
  }
  const pixels = await sharp(photo).raw().toBuffer({ resolveWithObject: true });
  const once = await remover.removeRaw(pixels);
  assert.deepEqual(once, await remover.removeRaw(photo));
  assert.ok((await remover.removeRaw(once)).info.size, 'a result is a picture');
});

test('a result holds no more memory than it shows', async () => {
  for (const wanted of ['webp', 'png', 'jpeg', 'bmp']) {
    const made = await remover.remove(raw(300, 200), { format: wanted });
    assert.equal(made.buffer.byteLength, made.length, wanted);
  }
  const { data } = await remover.removeRaw(raw(300, 200));
  assert.equal(data.buffer.byteLength, data.length);
  data.fill(1);
});

test('an error tells what the hosted API would', async () => {
  const error = await rejected(remover.remove(Buffer.alloc(0), { w: 'abc', angle: 500 }));
  assert.ok(error instanceof RembgError && error instanceof Error);
  assert.deepEqual([error.name, error.status, error.code, error.kind], ['RembgError', 400, 'multiple', 'validation']);
  assert.deepEqual(error.details, [
    { field: 'image', message: 'Uploaded file is empty (0 bytes).' },
    { field: 'w', message: "'w' must be an integer, got: 'abc'" },
    { field: 'angle', message: "'angle' must be between -360 and 360 degrees, got: 500.0" },
  ]);
  assert.equal(JSON.stringify(error), error.body);
  assert.deepEqual(error.toJSON(), { error: 'Multiple validation errors', details: error.details, status: 400 });
  assert.equal(
    error.message,
    ['Multiple validation errors:', ...error.details.map((d) => `  ${d.field}: ${d.message}`)].join('\n'),
  );
  assert.ok(!('errno' in error));

  const single = await rejected(remover.remove(Buffer.alloc(0)));
  assert.equal(single.message, 'Uploaded file is empty (0 bytes).');
  assert.equal(single.body, '{"error":"Uploaded file is empty (0 bytes).","status":400}');
  assert.equal(JSON.stringify({ single }), `{"single":${single.body}}`);
  assert.equal(String(single), `RembgError: ${single.message}`);
});

test('the functions use the model inside, and give what a remover of it gives', withPhoto, async () => {
  const options = { w: 64, format: 'png' };
  const [one, two] = [await remrembg.remove(PHOTO, options), await new Remover().remove(PHOTO, options)];
  assert.ok(one.equals(two));
  const { data, info } = await remrembg.removeRaw(PHOTO, options);
  assert.deepEqual([info.width, data.length], [64, info.width * info.height * 4]);
  const outcomes = [];
  for await (const outcome of remrembg.removeMany([PHOTO, PHOTO], options)) outcomes.push(outcome.result);
  assert.deepEqual(
    outcomes.map((result) => result.equals(one)),
    [true, true],
  );
  const alpha = (await decoded(one)).data.filter((_, at) => at % 4 === 3);
  assert.ok(alpha.some((value) => value > 250) && alpha.some((value) => value < 5), 'there is subject and background');
});

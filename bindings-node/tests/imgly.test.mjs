// In the place of imgly's background-removal-node: its functions, with Blob in and out.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import {
  ball,
  channel,
  farthest,
  NO_PHOTO,
  noise,
  openFiles,
  opened,
  photo,
  rejected,
  required,
  sharp,
  temporary,
  written,
} from './help.mjs';

const { applySegmentationMask, RembgError, removeBackground, removeForeground, segmentForeground } =
  required('remrembg');

const png = await ball(24).png().toBuffer();
const [WIDTH, HEIGHT] = [48, 24];
const PIXELS = WIDTH * HEIGHT;

async function bytes(blob) {
  assert.ok(blob instanceof Blob);
  return Buffer.from(await blob.arrayBuffer());
}

/** Pixels of a picture, as RGBA. */
async function rgba(data) {
  return (await sharp(data).ensureAlpha().raw().toBuffer({ resolveWithObject: true })).data;
}

/** Pixels of a mask, one byte each. */
async function grey(data) {
  return sharp(data).extractChannel(0).raw().toBuffer();
}

const cutout = await bytes(await removeBackground(png));
const mask = await bytes(await segmentForeground(png));
const matte = await grey(mask);

/** Sends pictures: `/photo.png` and, never whole, `/endless.png`. */
const server = createServer(({ url, headers }, response) => {
  if (url === '/photo.png') response.end(png);
  else if (url === '/key.png') response.writeHead(headers.key === 'open' ? 200 : 403).end(png);
  else if (url === '/endless.png') response.write(png.subarray(0, 100));
  else if (url === '/broken.png')
    response.writeHead(200, { 'content-length': 10 ** 6 }).write(png, () => response.destroy());
  else response.writeHead(404).end('nothing here');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${server.address().port}`;
after(() => {
  server.close();
  server.closeAllConnections();
});

// What goes in, and what comes out.

test('the subject is kept, as PNG', async () => {
  const blob = await removeBackground(png);
  assert.equal(blob.type, 'image/png');
  const { data, info } = await opened(await bytes(blob));
  assert.deepEqual([info.format ?? 'raw', info.width, info.height, info.channels], ['raw', WIDTH, HEIGHT, 4]);
  const middle = 4 * (12 * WIDTH + 24);
  assert.ok(farthest(data.subarray(middle, middle + 4), [0xe8, 0x73, 0x1c, 255]) <= 3);
  assert.equal(data[3], 0, 'a corner is clear');
});

test('every way to hand over a picture gives the same', async (t) => {
  const path = written(temporary(), 'a picture.png', png);
  const plain = written(temporary(), 'picture', png);
  const { data, info } = await ball(24).raw().toBuffer({ resolveWithObject: true });
  const withAlpha = await rgba(png);
  const blobUrl = URL.createObjectURL(new Blob([png]));
  t.after(() => URL.revokeObjectURL(blobUrl));
  const ways = {
    path,
    'path without a suffix': plain,
    'file: URL': pathToFileURL(path),
    'file: URL as text': pathToFileURL(path).href,
    'http: URL': new URL('/photo.png', base),
    'http: URL as text': `${base}/photo.png`,
    'http: URL in capitals': `${base}/photo.png`.replace('http', 'HTTP'),
    'data: URL': `data:image/png;base64,${png.toString('base64')}`,
    'data: URL as URL': new URL(`data:image/png;base64,${png.toString('base64')}`),
    'blob: URL': blobUrl,
    Buffer: png,
    Uint8Array: new Uint8Array(png),
    ArrayBuffer: new Uint8Array(png).buffer,
    Blob: new Blob([png]),
    'Blob that says otherwise': new Blob([png], { type: 'image/jpeg' }),
    ndarray: { data: new Uint8Array(data), shape: [info.height, info.width, 3] },
    'ndarray with alpha': { data: withAlpha, shape: [HEIGHT, WIDTH, 4], stride: undefined },
    ImageData: { data: new Uint8ClampedArray(withAlpha), width: WIDTH, height: HEIGHT, colorSpace: 'srgb' },
  };
  for (const [way, image] of Object.entries(ways)) {
    assert.deepEqual(await rgba(await bytes(await removeBackground(image))), await rgba(cutout), way);
  }
});

test('an array of the package ndarray is read where it stands', async () => {
  const { data } = await ball(24).raw().toBuffer({ resolveWithObject: true });
  const whole = { data, shape: [HEIGHT, WIDTH, 3], stride: [WIDTH * 3, 3, 1], offset: 0 };
  assert.deepEqual(await bytes(await removeBackground(whole)), cutout);
  // The middle of a wider one, as its lo() and hi() give it.
  const row = (WIDTH + 4) * 3;
  const wide = Buffer.alloc(row * HEIGHT, 77);
  for (let y = 0; y < HEIGHT; y++) data.copy(wide, y * row + 6, y * WIDTH * 3, (y + 1) * WIDTH * 3);
  const middle = { data: wide, shape: [HEIGHT, WIDTH, 3], stride: [row, 3, 1], offset: 6 };
  assert.deepEqual(await bytes(await removeBackground(middle)), cutout);
});

test('a mask comes in every one of these ways too', async () => {
  const path = written(temporary(), 'mask.png', mask);
  const expected = await bytes(await applySegmentationMask(png, mask));
  const ways = {
    path,
    'file: URL': pathToFileURL(path),
    'data: URL': `data:image/png;base64,${mask.toString('base64')}`,
    Blob: new Blob([mask]),
    ArrayBuffer: new Uint8Array(mask).buffer,
    ndarray: { data: matte, shape: [HEIGHT, WIDTH, 1] },
    'x-alpha8': await segmentForeground(png, { output: { format: 'image/x-alpha8' } }),
    'x-rgba8': await segmentForeground(png, { output: { format: 'image/x-rgba8' } }),
  };
  for (const [way, given] of Object.entries(ways)) {
    assert.deepEqual(await bytes(await applySegmentationMask(png, given)), expected, way);
  }
});

for (const [format, kind] of [
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/webp', 'webp'],
]) {
  test(`${format} is made by every function`, async () => {
    const output = { format };
    for (const [name, made] of Object.entries({
      removeBackground: await removeBackground(png, { output }),
      removeForeground: await removeForeground(png, { output }),
      segmentForeground: await segmentForeground(png, { output }),
      applySegmentationMask: await applySegmentationMask(png, mask, { output }),
    })) {
      assert.equal(made.type, format, name);
      const found = await sharp(await bytes(made)).metadata();
      assert.deepEqual([found.format, found.width, found.height], [kind, WIDTH, HEIGHT], name);
    }
  });
}

test('image/x-rgba8 is pixels with their size in the type', async () => {
  const output = { format: 'image/x-rgba8' };
  const type = `image/x-rgba8;width=${WIDTH};height=${HEIGHT}`;
  const blob = await removeBackground(png, { output });
  assert.deepEqual([blob.type, blob.size], [type, 4 * PIXELS]);
  const pixels = await bytes(blob);
  assert.deepEqual(pixels, await rgba(cutout));
  const opaque = await segmentForeground(png, { output });
  assert.deepEqual([opaque.type, opaque.size], [type, 4 * PIXELS]);
  const spread = await bytes(opaque);
  for (const colour of [0, 1, 2]) assert.equal(farthest(channel(spread, 4, colour), matte), 0);
  assert.equal(farthest(channel(spread, 4, 3), new Uint8Array(PIXELS).fill(255)), 0);
});

test('image/x-alpha8 is the alpha with its size in the type', async () => {
  const output = { format: 'image/x-alpha8' };
  const type = `image/x-alpha8;width=${WIDTH};height=${HEIGHT}`;
  for (const [name, made] of Object.entries({
    removeBackground: await removeBackground(png, { output }),
    segmentForeground: await segmentForeground(png, { output }),
    applySegmentationMask: await applySegmentationMask(png, mask, { output }),
  })) {
    assert.deepEqual([made.type, made.size], [type, PIXELS], name);
    assert.equal(farthest(await bytes(made), matte), 0, name);
  }
  const rest = await removeForeground(png, { output });
  assert.deepEqual([rest.type, rest.size], [type, PIXELS]);
  assert.ok(
    farthest(
      (await bytes(rest)).map((value) => 255 - value),
      matte,
    ) <= 1,
    'removeForeground',
  );
});

test('pixels that came out go in again', async () => {
  const output = { format: 'image/x-rgba8' };
  const picture = new Blob([await rgba(png)], { type: `image/x-rgba8;width=${WIDTH};height=${HEIGHT}` });
  const made = await bytes(await removeBackground(picture, { output }));
  assert.deepEqual(made, await rgba(cutout));
  const spaced = new Blob([await rgba(png)], { type: `image/x-rgba8; height=${HEIGHT}; width=${WIDTH}` });
  assert.deepEqual(await bytes(await removeBackground(spaced, { output })), made);
  const alpha = await segmentForeground(picture, { output: { format: 'image/x-alpha8' } });
  const applied = await applySegmentationMask(picture, alpha, { output });
  assert.ok(farthest(await bytes(applied), made) <= 1);
});

test('the quality of JPEG and WebP acts on their size, that of PNG does not', async () => {
  const picture = await noise(64, 64).png().toBuffer();
  const alpha = new Blob([new Uint8Array(64 * 64).fill(255)], { type: 'image/x-alpha8;width=64;height=64' });
  const size = async (format, quality) =>
    (await applySegmentationMask(picture, alpha, { output: { format, quality } })).size;
  for (const format of ['image/jpeg', 'image/webp']) {
    const [low, middle, usual, high] = [
      await size(format, 0.1),
      await size(format, 0.8),
      await size(format, undefined),
      await size(format, 1),
    ];
    assert.ok(low * 1.3 < middle && middle * 1.05 < high, `${format}: ${low}, ${middle}, ${high}`);
    assert.equal(usual, middle, `${format}: 0.8 is the default`);
    assert.ok((await size(format, 0)) <= low, 'and 0 is the least');
  }
  assert.equal(await size('image/png', 0.1), await size('image/png', 1));
});

test('a JPEG has no transparency, and is white there', async () => {
  const { data, info } = await opened(await bytes(await removeBackground(png, { output: { format: 'image/jpeg' } })));
  assert.equal(info.channels, 3);
  assert.ok(farthest(data.subarray(0, 3), [255, 255, 255]) <= 4);
});

// The functions together.

for (const [name, picture, skip] of [
  ['a drawing', async () => png, false],
  ['a photo', () => photo(120), NO_PHOTO],
]) {
  test(`of ${name}: the mask of one function is that of the others`, { skip }, async () => {
    const given = await picture();
    const alpha = await grey(await bytes(await segmentForeground(given)));
    const whole = await rgba(given);
    const kept = await rgba(await bytes(await removeBackground(given)));
    const applied = await rgba(await bytes(await applySegmentationMask(given, await segmentForeground(given))));
    const rest = await rgba(await bytes(await removeForeground(given)));

    assert.ok(farthest(channel(kept, 4, 3), alpha) <= 1, 'alpha is the mask');
    assert.ok(farthest(applied, kept) <= 1, 'the mask applied is the background removed');
    const complement = channel(rest, 4, 3).map((value) => 255 - value);
    assert.ok(farthest(complement, alpha) <= 1, 'without the foreground is what is left');
    for (const [result, words] of [
      [kept, 'the subject'],
      [rest, 'the background'],
    ]) {
      const opaque = Array.from(alpha.keys()).filter((at) => result[4 * at + 3] === 255);
      assert.ok(opaque.length > 10, `${words} is there`);
      for (const at of opaque) {
        assert.ok(farthest(result.subarray(4 * at, 4 * at + 3), whole.subarray(4 * at, 4 * at + 3)) <= 1, words);
      }
    }
  });
}

test('a mask of another size is made as large as the picture', async () => {
  const picture = await ball(40).png().toBuffer();
  for (const [width, height] of [
    [8, 4],
    [400, 200],
    [7, 90],
  ]) {
    // The left half is subject.
    const values = Buffer.alloc(width * height).map((_, at) => (at % width < width / 2 ? 255 : 0));
    const half = { data: values, shape: [height, width, 1] };
    const { data, info } = await opened(await bytes(await applySegmentationMask(picture, half)));
    assert.deepEqual([info.width, info.height, info.channels], [80, 40, 4]);
    for (const y of [0, 20, 39]) {
      assert.ok(data[4 * (80 * y + 5) + 3] >= 254, `${width} × ${height}: the left is kept`);
      assert.ok(data[4 * (80 * y + 75) + 3] <= 1, `${width} × ${height}: the right is not`);
    }
  }
});

test('no model runs where there is a mask', async () => {
  const keys = [];
  await applySegmentationMask(png, mask, { progress: (key) => keys.push(key) });
  assert.ok(keys.includes('compute:decode') && keys.includes('compute:encode'), keys.join());
  assert.ok(!keys.includes('compute:inference'), keys.join());
});

test('a mask that is one colour keeps all of it, or nothing', async () => {
  for (const value of [0, 128, 255]) {
    const one = { data: new Uint8Array(PIXELS).fill(value), shape: [HEIGHT, WIDTH, 1] };
    const made = await rgba(await bytes(await applySegmentationMask(png, one)));
    assert.ok(channel(made, 4, 3).every((alpha) => alpha === value));
  }
});

// What it can be told.

test('progress is told of by key, from 0 to 1, and never after the end', async () => {
  const events = [];
  await removeBackground(png, { progress: (...event) => events.push(event) });
  const count = events.length;
  const keys = [...new Set(events.map(([key]) => key))];
  assert.deepEqual(keys, ['compute:decode', 'compute:inference', 'compute:mask', 'compute:encode']);
  for (const key of keys) {
    const told = events.filter(([name]) => name === key);
    assert.ok(
      told.every(([, current, total]) => total === 1 && current >= 0 && current <= 1),
      key,
    );
    const currents = told.map(([, current]) => current);
    assert.deepEqual(
      currents,
      [...currents].sort((one, other) => one - other),
      `${key} goes up`,
    );
    assert.equal(currents[0], 0, `${key} begins`);
    assert.equal(currents[currents.length - 1], 1, `${key} ends`);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(events.length, count);
});

test('what progress throws comes out', async () => {
  const thrown = new Error('of the caller');
  const progress = () => {
    throw thrown;
  };
  const later = async () => {
    throw thrown;
  };
  assert.equal(await rejected(removeBackground(png, { progress })), thrown);
  assert.equal(await rejected(segmentForeground(png, { progress: later })), thrown);
});

test('small, medium and large are the model inside', async () => {
  for (const model of ['small', 'medium', 'large', 'u2netp', undefined]) {
    assert.deepEqual(await bytes(await removeBackground(png, { model })), cutout, model);
  }
});

test('a model that does not exist is told of', async () => {
  const error = await rejected(removeBackground(png, { model: 'isnet_fp16' }));
  assert.ok(error instanceof RembgError);
  assert.match(error.message, /isnet_fp16/);
});

test('the default export removes the background of a picture, and is rembg for its arguments', async () => {
  const { default: itself } = required('remrembg');
  const folder = temporary();
  const path = written(folder, 'photo.png', png);
  const pictures = [png, new Uint8Array(png), new Uint8Array(png).buffer, new Blob([png]), path, pathToFileURL(path)];
  for (const picture of pictures) assert.deepEqual(await bytes(await itself(picture)), cutout);
  const jpeg = await itself(png, { output: { format: 'image/jpeg' } });
  assert.equal(jpeg.type, 'image/jpeg');
  const raw = { data: await rgba(png), width: WIDTH, height: HEIGHT, channels: 4 };
  assert.equal((await itself(raw)).type, 'image/png');
  const { base64Image } = await itself({ apiKey: 'any', inputImage: png, options: { returnBase64: true } });
  assert.match(base64Image, /^data:image\/png;base64,/);
  for (const nothing of [{}, { inputImage: png }])
    assert.match((await rejected(itself(nothing))).message, /API key not provided/);
});

test("imgly's other words are taken and change nothing", async () => {
  const config = { publicPath: 'file:///nowhere/', debug: true, proxyToWorker: false, device: 'cpu', rescale: true };
  assert.deepEqual(await bytes(await removeBackground(png, config)), cutout);
});

test('fetchArgs go to fetch', async () => {
  const image = `${base}/key.png`;
  const opens = { fetchArgs: { headers: { key: 'open' } } };
  assert.deepEqual(await bytes(await removeBackground(image, opens)), cutout);
  assert.match((await rejected(removeBackground(image))).message, /403/);
});

test('a signal ends it, and its reason comes out', { timeout: 20000 }, async () => {
  const reason = new Error('no longer wanted');
  const aborted = AbortSignal.abort(reason);
  for (const image of [png, `${base}/photo.png`]) {
    assert.equal(await rejected(removeBackground(image, { signal: aborted })), reason);
  }
  const controller = new AbortController();
  const promise = removeBackground(`${base}/endless.png`, { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 100);
  assert.equal(await rejected(promise), reason);
});

// Refusals.

test('a format that does not exist is told of, with those that do', async () => {
  for (const format of ['image/gif', 'png', 'image/x-rgb8']) {
    for (const call of [removeBackground, removeForeground, segmentForeground]) {
      const error = await rejected(call(png, { output: { format } }));
      assert.ok(error instanceof TypeError);
      for (const word of [format, 'image/png', 'image/jpeg', 'image/webp', 'image/x-rgba8', 'image/x-alpha8']) {
        assert.ok(error.message.includes(word), `${error.message}: ${word}`);
      }
    }
  }
});

test('a quality that cannot be is told of', async () => {
  for (const quality of [1.5, 80, Number.NaN, 'high']) {
    const error = await rejected(removeBackground(png, { output: { format: 'image/jpeg', quality } }));
    assert.match(error.message, /quality/);
    assert.match(error.message, new RegExp(String(quality)), 'it tells what was given');
  }
});

test('a URL that leads nowhere is told of, with the reason', async () => {
  const missing = await rejected(removeBackground(`${base}/none.png`));
  assert.match(missing.message, /404/);
  assert.ok(missing.message.includes(`${base}/none.png`), missing.message);
  const closed = createServer();
  await new Promise((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address();
  await new Promise((resolve) => closed.close(resolve));
  const unreachable = await rejected(removeBackground(`http://127.0.0.1:${port}/photo.png`));
  assert.ok(unreachable.message.includes(`http://127.0.0.1:${port}/photo.png`), unreachable.message);
  assert.match(unreachable.message, /ECONNREFUSED/);
});

test('a download that breaks off is an error', async () => {
  const error = await rejected(removeBackground(`${base}/broken.png`));
  assert.ok(error instanceof Error);
});

test('a file that is not there is told of', async () => {
  for (const image of ['/no/such.png', 'file:///no/such.png', new URL('file:///no/such.png')]) {
    const error = await rejected(removeBackground(image));
    assert.equal(error.code, 'ENOENT');
    assert.match(error.message, /no such file or directory/);
    assert.match(error.message, /\/no\/such\.png/);
  }
});

test('a picture that is broken is refused as the hosted API does, and so is a mask', async () => {
  const broken = new Blob(['no picture'], { type: 'image/png' });
  for (const call of [
    () => removeBackground(broken),
    () => segmentForeground(broken),
    () => applySegmentationMask(broken, mask),
    () => applySegmentationMask(png, broken),
    () => applySegmentationMask(png, mask.subarray(0, 60)),
  ]) {
    const error = await rejected(call());
    assert.ok(error instanceof RembgError);
    assert.equal(error.message, 'File does not appear to be a valid image (invalid file signature)');
    assert.equal(error.status, 400);
  }
});

test('what is no picture is told of', async () => {
  for (const image of [5, {}, [], true]) {
    assert.match((await rejected(removeBackground(image))).message, /^a picture must be a path, /);
  }
  for (const image of [null, undefined]) {
    assert.match((await rejected(removeBackground(image))).message, /No image file provided/);
    assert.ok(await rejected(applySegmentationMask(png, image)));
  }
});

test('pixels whose size is not told, or is another, are refused', async () => {
  const data = await rgba(png);
  for (const type of [
    'image/x-rgba8;width=48',
    'image/x-rgba8;width=48;height=25',
    'image/x-rgba8;width=a;height=24',
  ]) {
    const error = await rejected(removeBackground(new Blob([data], { type })));
    assert.match(error.message, /height|width|pixel/, type);
  }
});

test('what is refused leaves no file open', { skip: !existsSync('/proc/self/fd') }, async () => {
  const folder = temporary();
  const [picture, given] = [written(folder, 'picture.png', png), written(folder, 'mask.png', mask)];
  await rejected(applySegmentationMask(join(folder, 'none.png'), given));
  const before = openFiles();
  for (let count = 0; count < 3; count++) {
    await rejected(removeBackground(picture, { output: { format: 'image/gif' } }));
    await rejected(applySegmentationMask(picture, given, { output: { format: 'image/gif' } }));
    await rejected(applySegmentationMask({}, given));
    await rejected(applySegmentationMask(join(folder, 'none.png'), given));
    await rejected(removeBackground(picture, { output: { quality: Number.NaN } }));
  }
  for (let wait = 0; wait < 3000 && openFiles() > before; wait++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(openFiles() <= before, `${openFiles() - before} more than before`);
});

test('several at once have each their own result', async () => {
  const other = await ball(20).png().toBuffer();
  const calls = [png, other, png, other, png];
  const made = await Promise.all(calls.map((image) => removeBackground(image)));
  const alone = { [png.length]: cutout, [other.length]: await bytes(await removeBackground(other)) };
  for (const [at, blob] of made.entries()) assert.deepEqual(await bytes(blob), alone[calls[at].length]);
});

// In the place of imgly's background-removal-node: its functions, with Blob in and out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { ball, channel, farthest, NO_PHOTO, noise, opened, photo, sharp, temporary, written } from './help.mjs';
import {
  applySegmentationMask,
  removeBackground,
  removeForeground,
  segmentForeground,
  png,
  WIDTH,
  HEIGHT,
  PIXELS,
  bytes,
  rgba,
  grey,
  cutout,
  mask,
  matte,
  base,
} from './imgly.mjs';

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

test('GIF and TIFF are read too, as a picture and as a mask', async () => {
  for (const [format, options] of [['gif'], ['tiff', { compression: 'lzw' }]]) {
    const path = written(temporary(), `a.${format}`, await sharp(png).toFormat(format, options).toBuffer());
    for (const blob of [await removeBackground(path), await applySegmentationMask(png, path)]) {
      assert.equal((await opened(await bytes(blob))).info.width, WIDTH);
    }
  }
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

// In the place of imgly's background-removal-node: what its functions can be told, and what they refuse.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { ball, openFiles, rejected, required, temporary, written } from './help.mjs';
import {
  applySegmentationMask,
  RembgError,
  removeBackground,
  removeForeground,
  segmentForeground,
  png,
  WIDTH,
  HEIGHT,
  bytes,
  rgba,
  cutout,
  mask,
  base,
} from './imgly.mjs';

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

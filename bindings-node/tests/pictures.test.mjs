// Every kind of picture that a removal takes, and what it does not take.

import assert from 'node:assert/strict';
import { File } from 'node:buffer';
import { createReadStream, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';

import { decoded, format, png, raw, remrembg, sharp, sleep, temporary, tiny, within } from './support.mjs';

const { RembgError } = remrembg;
const remover = tiny();
const folder = temporary();
const photo = await png();
const path = join(folder, 'ä photo #1 %20.png');
writeFileSync(path, photo);
const expected = await remover.remove(path, { format: 'png' });

/** In the middle of a larger buffer. */
const view = Buffer.concat([Buffer.alloc(100, 1), photo, Buffer.alloc(100, 2)]).subarray(100, 100 + photo.length);
const memory = Uint8Array.from(photo).buffer;
const shared = new SharedArrayBuffer(photo.length);
new Uint8Array(shared).set(photo);

async function* pieces(size = 100) {
  for (let at = 0; at < photo.length; at += size) {
    await sleep(0);
    yield photo.subarray(at, at + size);
  }
}

function web(chunks, more = {}) {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
    ...more,
  });
}

const kinds = {
  'a path': () => path,
  'a file: URL': () => pathToFileURL(path),
  'a Buffer': () => photo,
  'a view into a larger buffer': () => view,
  'a Uint8Array': () => Uint8Array.from(photo),
  'a DataView': () => new DataView(view.buffer, view.byteOffset, view.length),
  'an ArrayBuffer': () => memory,
  'a SharedArrayBuffer': () => shared,
  'a view of a SharedArrayBuffer': () => new Uint8Array(shared),
  'an ArrayBuffer of another realm': () =>
    Object.assign(runInNewContext(`new Uint8Array(${photo.length})`), photo).buffer,
  'a Blob': () => new Blob([photo.subarray(0, 50), photo.subarray(50)]),
  'a File': () => new File([photo], 'PHOTO.Png', { type: 'text/plain' }),
  'a stream of a file': () => createReadStream(path),
  'a stream of small pieces of a file': () => createReadStream(path, { highWaterMark: 7 }),
  'a PassThrough': () => new PassThrough().end(photo),
  'a Readable of pieces': () => Readable.from([photo.subarray(0, 9), photo.subarray(9)]),
  'a web stream': () => web([photo.subarray(0, 9), photo.subarray(9)]),
  'a web stream of bytes': () => web([Uint8Array.from(photo)], { type: 'bytes' }),
  "a response's body": () => new Response(photo).body,
  'an async generator': () => pieces(),
  'an async iterable': () => ({ [Symbol.asyncIterator]: () => pieces(33) }),
};

for (const [kind, make] of Object.entries(kinds)) {
  test(`${kind} is taken`, async () => {
    const made = await within(remover.remove(make(), { format: 'png' }));
    assert.ok(made instanceof Buffer);
    assert.ok(made.equals(expected), 'the result is that of the path');
  });
}

test('a file handle and its stream are taken', async () => {
  const handle = await open(path);
  assert.ok((await remover.remove(handle.createReadStream(), { format: 'png' })).equals(expected));
});

const padded = (rows, stride) => {
  const { data, width, height, channels } = rows;
  const wide = Buffer.alloc(height * stride, 0x55);
  for (let y = 0; y < height; y += 1) data.copy(wide, y * stride, y * width * channels, (y + 1) * width * channels);
  return { ...rows, data: wide, stride };
};

for (const channels of [1, 2, 3, 4]) {
  const plain = raw(24, 16, channels);
  const { data, width, height } = plain;
  const info = { width, height, channels };
  const row = width * channels;
  const shapes = {
    flat: plain,
    'with info': { data, info },
    "with sharp's info": { data, info: { format: 'raw', ...info, premultiplied: false, size: data.length } },
    'as an array': { data, shape: [height, width, channels] },
    "as ndarray's array": { data, shape: [height, width, channels], stride: [row, channels, 1], offset: 0 },
    'with a stride': padded(plain, row + 4 * channels),
    'with an odd stride': padded(plain, row + 1),
    'with more bytes than needed': { ...plain, data: Buffer.concat([data, Buffer.alloc(99)]) },
    'as clamped bytes': { ...plain, data: Uint8ClampedArray.from(data) },
    'as bytes of another realm': {
      ...plain,
      data: Object.assign(runInNewContext(`new Uint8Array(${data.length})`), data),
    },
  };
  if (channels === 1) shapes['as an array of two dimensions'] = { data, shape: [height, width] };
  if (channels === 4) shapes['as ImageData'] = { data: Uint8ClampedArray.from(data), width, height };
  for (const [shape, picture] of Object.entries(shapes)) {
    test(`pixels of ${channels} are taken ${shape}`, async () => {
      const file = await remover.remove(await png(24, 16, channels), { format: 'png' });
      assert.ok((await remover.remove(picture, { format: 'png' })).equals(file), 'the result is that of the file');
    });
  }
}

test('an ndarray whose pixels are in another order is refused, or read in its order', async () => {
  const { data, width, height } = raw(24, 16, 3);
  const mirrored = { data, shape: [height, width, 3], stride: [width * 3, -3, 1], offset: (width - 1) * 3 };
  const flopped = await sharp(data, { raw: { width, height, channels: 3 } })
    .flop()
    .png()
    .toBuffer();
  const right = await remover.remove(flopped, { format: 'png' });
  try {
    assert.ok((await remover.remove(mirrored, { format: 'png' })).equals(right));
  } catch (error) {
    assert.ok(error instanceof TypeError, error);
  }
});

test('pixels that are not there are refused', async () => {
  const refused = async (picture, message) => {
    const error = await remover.remove(picture).catch((caught) => caught);
    assert.ok(error instanceof RembgError, String(error));
    assert.deepEqual([error.kind, error.status, error.code], ['validation', 400, 'bad_pixels']);
    assert.equal(error.message, message);
  };
  const { data } = raw(4, 4, 4);
  await refused({ data, width: 4, height: 5 }, 'The pixel buffer has 64 bytes, but the picture needs 80');
  await refused({ data, width: 4, height: 4, stride: 15 }, 'A row of 4 pixels has 16 bytes, but the stride is 15');
  await refused({ data, width: 0, height: 4 }, 'A picture has at least one pixel, got: 0×4');
  await refused({ data, width: 8, height: 5, channels: 2 }, 'The pixel buffer has 64 bytes, but the picture needs 80');
});

test('pixels that are described wrongly are a TypeError that says how', async () => {
  const { data } = raw(4, 4, 4);
  const wrong = [
    [{ data }, /width|height/],
    [{ data, width: '4', height: 4 }, /width of pixels must be a whole number, got: 4/],
    [{ data, width: 4, height: 4.5 }, /height of pixels must be a whole number, got: 4.5/],
    [{ data, width: -4, height: 4 }, /width of pixels must be a whole number, got: -4/],
    [{ data, width: 4, height: 4, channels: 5 }, /channels of pixels must be 1 to 4, got: 5/],
    [{ data, width: 4, height: 4, stride: Number.NaN }, /stride of pixels must be a whole number, got: NaN/],
    [{ data: new Uint16Array(64), width: 4, height: 4 }, /Uint16Array/],
    [{ data: [...data], width: 4, height: 4 }, /Array/],
  ];
  for (const [picture, message] of wrong)
    await assert.rejects(remover.remove(picture), (error) => {
      assert.ok(error instanceof TypeError && !(error instanceof RembgError), String(error));
      assert.match(error.message, message);
      return true;
    });
});

test('what is no picture is a TypeError that names its kind', async () => {
  const wrong = [
    [42, 'number'],
    [true, 'boolean'],
    [10n, 'bigint'],
    [Symbol('photo'), 'symbol'],
    [() => photo, 'function'],
    [{}, 'Object'],
    [[photo], 'Array'],
    [new Date(), 'Date'],
    [Object.create(null), 'an object'],
    [Promise.resolve(photo), 'Promise'],
  ];
  for (const [picture, kind] of wrong) {
    for (const call of ['remove', 'removeRaw']) {
      await assert.rejects(remover[call](picture), {
        name: 'TypeError',
        message: new RegExp(`^a picture must be .*, not ${kind}$`),
      });
    }
  }
});

test('a URL of another kind is a TypeError', async () => {
  await assert.rejects(remover.remove(new URL('ftp://example.com/photo.png')), {
    name: 'TypeError',
    message: /file/,
  });
});

for (const missing of [undefined, null]) {
  test(`${missing} is a missing picture`, async () => {
    await assert.rejects(remover.remove(missing), {
      name: 'RembgError',
      code: 'no_image',
      message: "No image file provided. Please include an 'image' field in your form data.",
    });
  });
}

test('a file that is not there is told with its number', async () => {
  const gone = join(folder, 'gone.png');
  await assert.rejects(remover.remove(gone), {
    name: 'RembgError',
    kind: 'io',
    status: 500,
    code: 'cannot_read',
    errno: 2,
  });
  await assert.rejects(remover.remove(gone), new RegExp(gone));
  await assert.rejects(remover.remove(createReadStream(gone)), { code: 'ENOENT' });
});

test('the bytes tell what a file is, not its name', async () => {
  const text = join(folder, 'photo.txt');
  writeFileSync(text, photo);
  const named = [text, pathToFileURL(text), createReadStream(text), new File([photo], 'photo.txt')];
  for (const picture of named) assert.equal(format(await remover.remove(picture)), 'webp');
  writeFileSync(text, 'text');
  await assert.rejects(remover.remove(text), { name: 'RembgError', code: 'corrupt_image' });
});

test('text is no stream of bytes', async () => {
  const text = createReadStream(path).setEncoding('latin1');
  await assert.rejects(remover.remove(text), { name: 'TypeError', message: /must give bytes/ });
  await assert.rejects(remover.remove(Readable.from(['text'])), { name: 'TypeError', message: /must give bytes/ });
  assert.ok(text.destroyed);
});

test('pixels decoded by sharp and its raw results fit each other', async () => {
  const { data, info } = await sharp(photo).raw().toBuffer({ resolveWithObject: true });
  assert.ok((await remover.remove({ data, info }, { format: 'png' })).equals(expected));
  const { width, height } = await decoded(expected);
  assert.deepEqual([width, height], [24, 16]);
});

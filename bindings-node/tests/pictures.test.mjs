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

import { busy, decoded, format, png, raw, remrembg, sharp, sleep, temporary, tiny, turn, within } from './support.mjs';

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

test('a buffer that is written to before its turn gives a whole result', async () => {
  const [red, grey] = [raw(64, 64), { ...raw(64, 64), data: Buffer.alloc(64 * 64 * 3, 99) }];
  const results = await Promise.all([red, grey].map((picture) => remover.remove(picture, { format: 'png' })));
  const changing = { ...red, data: Buffer.from(red.data) };
  const { remover: its, first, letGo } = busy(photo);
  const made = its.remove(changing, { format: 'png' });
  changing.data.set(grey.data);
  letGo();
  await first;
  const result = await made;
  assert.ok(
    results.some((whole) => whole.equals(result)),
    'it is the one picture or the other',
  );
});

test('memory that is transferred before its turn is told of', async () => {
  for (const make of [(memory) => memory, (memory) => new Uint8Array(memory), (memory) => Buffer.from(memory)]) {
    const { remover: its, first, letGo } = busy(photo);
    const memory = Uint8Array.from(photo).buffer;
    const second = its.remove(make(memory), { format: 'png' });
    structuredClone(memory, { transfer: [memory] });
    letGo();
    await assert.rejects(second, {
      name: 'TypeError',
      message: `the picture's memory changed before it was read: it had ${photo.length} bytes and has 0`,
    });
    await first;
  }
  const pixels = { ...raw(64, 64), data: Uint8Array.from(raw(64, 64).data) };
  const { remover: its, first, letGo } = busy(photo);
  const second = its.remove(pixels);
  structuredClone(pixels.data.buffer, { transfer: [pixels.data.buffer] });
  letGo();
  await assert.rejects(second, { name: 'TypeError', message: /memory changed before it was read/ });
  await first;
  assert.ok((await its.remove(photo, { format: 'png' })).equals(expected));
});

test('a file that is written while it is read gives a whole result or an error', async () => {
  const changing = join(folder, 'changing.png');
  const files = [await png(300, 233, 3), await png(233, 300, 4), photo];
  const whole = await Promise.all(files.map((file) => remover.remove(file, { format: 'png' })));
  const counts = { whole: 0, refused: 0 };
  let done = false;
  const writing = (async () => {
    for (let turn = 0; !done; turn += 1) {
      const handle = await open(changing, 'w');
      const file = files[turn % files.length];
      for (let at = 0; at < file.length; at += 100) await handle.write(file.subarray(at, at + 100));
      await handle.close();
      if (turn % 4 === 3) writeFileSync(changing, file.subarray(0, file.length / 2));
      await sleep(turn % 3);
    }
  })();
  await sleep(20);
  for (let turn = 0; turn < 60 || (counts.refused === 0 && turn < 2000); turn += 1) {
    const picture = turn % 3 === 0 ? createReadStream(changing) : changing;
    try {
      const made = await within(remover.remove(picture, { format: 'png' }));
      assert.ok(
        whole.some((result) => result.equals(made)),
        'a result is that of one of the files',
      );
      counts.whole += 1;
    } catch (error) {
      assert.ok(error instanceof RembgError, String(error));
      assert.ok(['corrupt_image', 'empty_file', 'cannot_read'].includes(error.code), error.code);
      counts.refused += 1;
    }
  }
  done = true;
  await writing;
  assert.ok(counts.refused > 0, 'some were caught in the middle');
  assert.ok((await remover.remove(path, { format: 'png' })).equals(expected));
});

test('what a stream fails with comes out, whenever it fails', async () => {
  const mine = new Error('mine');
  const failed = new Readable({ read() {} });
  failed.on('error', () => {}).destroy(mine);
  await sleep(5);
  await assert.rejects(within(remover.remove(failed)), mine);

  const busy = tiny({ in_flight: 1 });
  const first = busy.remove(raw(1000, 1000), { format: 'png' });
  const waiting = new Readable({ read() {} });
  const second = busy.remove(waiting);
  waiting.push(photo.subarray(0, 10));
  waiting.destroy(mine);
  await assert.rejects(within(second), mine);
  await first;

  const started = new Readable({ read() {} });
  started.push(photo.subarray(0, 50));
  const third = remover.remove(started);
  await sleep(20);
  started.destroy(mine);
  await assert.rejects(within(third), mine);

  const broken = web([], { start: (controller) => controller.error(mine) });
  await assert.rejects(within(remover.remove(broken)), mine);
  async function* throwing() {
    yield photo.subarray(0, 10);
    throw mine;
  }
  await assert.rejects(within(remover.remove(throwing())), mine);
  assert.ok((await remover.remove(photo, { format: 'png' })).equals(expected));
});

test('a stream that is destroyed without an error is told of', async () => {
  const before = new Readable({ read() {} });
  before.destroy();
  await assert.rejects(within(remover.remove(before)), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  const during = new Readable({ read() {} });
  during.push(photo.subarray(0, 50));
  const removal = remover.remove(during);
  await sleep(20);
  during.destroy();
  await assert.rejects(within(removal), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
});

test('a stream is let go of when its removal is refused', async () => {
  for (const options of [{ quality: 0.5 }, { signal: AbortSignal.abort() }]) {
    const stream = createReadStream(path);
    await assert.rejects(remover.remove(stream, options));
    await sleep(20);
    assert.ok(stream.destroyed);
  }
  let cancelled = 0;
  const endless = new ReadableStream({
    pull: (to) => to.enqueue(new Uint8Array(1 << 20)),
    cancel: () => (cancelled += 1),
  });
  const error = await tiny({ max_bytes: 1 << 20 })
    .remove(endless)
    .catch((caught) => caught);
  assert.equal(error.message, 'File size (4.0 MB) exceeds the maximum allowed size of 1 MB.');
  await sleep(20);
  assert.equal(cancelled, 1);
});

test('a locked web stream is a TypeError', async () => {
  const stream = web([photo]);
  stream.getReader();
  await assert.rejects(remover.remove(stream), { name: 'TypeError', message: /lock/i });
});

test('streams that wait for their turn are not all read into memory', async () => {
  const { remover: its, first, letGo } = busy(photo);
  const big = Buffer.concat([photo, Buffer.alloc(1 << 20)]);
  const whole = await remover.remove(photo, { format: 'png' });
  let read = 0;
  const stream = () =>
    Readable.from(
      (async function* () {
        yield big;
        read += 1;
      })(),
      { objectMode: false },
    );
  const others = Array.from({ length: 100 }, () => its.remove(stream(), { format: 'png' }));
  const some = async () => {
    while (read < 32) await turn();
  };
  await within(some(), 'the reading of the first streams');
  for (let count = 0; count < 50; count += 1) await turn();
  assert.ok(read <= 40, `${read} of 100 streams were read while one picture was at work`);
  letGo();
  await first;
  for (const made of await Promise.all(others)) assert.ok(made.equals(whole));
});

test('pixels decoded by sharp and its raw results fit each other', async () => {
  const { data, info } = await sharp(photo).raw().toBuffer({ resolveWithObject: true });
  assert.ok((await remover.remove({ data, info }, { format: 'png' })).equals(expected));
  const { width, height } = await decoded(expected);
  assert.deepEqual([width, height], [24, 16]);
});

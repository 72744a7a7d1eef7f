// Pictures that change, end or fail before their turn or in it.

import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';

import { busy, png, raw, remrembg, sleep, temporary, tiny, turn, within, written } from './support.mjs';

const { RembgError } = remrembg;
const remover = tiny();
const folder = temporary();
const photo = await png();
const path = written(folder, 'photo.png', photo);
const expected = await remover.remove(path, { format: 'png' });

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

  const broken = new ReadableStream({ start: (controller) => controller.error(mine) });
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
  assert.equal(error.message, 'File size (8.0 MB) exceeds the maximum allowed size of 1 MB.');
  await sleep(20);
  assert.equal(cancelled, 1);
});

test('a locked web stream is a TypeError', async () => {
  const stream = new Blob([photo]).stream();
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

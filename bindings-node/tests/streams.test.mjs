// Streams of bytes.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';

import { png, raw, sleep, temporary, tiny, within } from './support.mjs';

const remover = tiny();
const photo = await png();
const reason = new Error('my reason');
const mine = new Error('mine');

const collected = async (stream) => Buffer.concat(await stream.toArray());

test('a stream takes a file and gives a file', async () => {
  const folder = temporary();
  const [from, to] = [join(folder, 'photo.png'), join(folder, 'cutout.png')];
  writeFileSync(from, photo);
  const expected = await remover.remove(photo, { format: 'png' });
  await pipeline(
    createReadStream(from, { highWaterMark: 50 }),
    remover.removeStream({ format: 'png' }),
    createWriteStream(to),
  );
  assert.ok(readFileSync(to).equals(expected));
  assert.ok((await collected(Readable.from([photo]).pipe(remover.removeStream({ format: 'png' })))).equals(expected));
  const stream = remover.removeStream({ format: 'png' });
  stream.write(photo.subarray(0, 30));
  stream.end(photo.subarray(30));
  assert.ok((await collected(stream)).equals(expected));
});

test('a large file goes through a stream', async () => {
  const large = await remover.remove(raw(1500, 1000), { format: 'bmp' });
  const made = await collected(Readable.from([large]).pipe(remover.removeStream({ format: 'bmp' })));
  assert.ok(made.equals(await remover.remove(large, { format: 'bmp' })));
});

test('a stream tells what is refused', async () => {
  const refused = (from, options) =>
    within(pipeline(from, remover.removeStream(options), new Writable({ write: (_, __, done) => done() })));
  await assert.rejects(refused(Readable.from([Buffer.from('no picture')])), {
    name: 'RembgError',
    code: 'corrupt_image',
  });
  await assert.rejects(refused(Readable.from([photo]), { w: 'abc' }), { name: 'RembgError', message: /'w' must be/ });
  await assert.rejects(refused(Readable.from([])), { name: 'RembgError', code: 'empty_file' });
  await assert.rejects(
    refused(Readable.from([photo]), {
      onProgress: () => {
        throw mine;
      },
    }),
    (error) => error === mine,
  );
  const source = Readable.from(
    (async function* () {
      yield photo.subarray(0, 20);
      throw mine;
    })(),
  );
  await assert.rejects(refused(source), (error) => error === mine);
});

test('a stream that is destroyed midway ends, and so does its removal', async () => {
  const closed = (stream) => within(new Promise((resolve) => stream.once('close', resolve)), 'the stream');
  for (const why of [mine, undefined]) {
    const stream = remover.removeStream().resume();
    const errors = [];
    stream.on('error', (error) => errors.push(error));
    stream.write(photo.subarray(0, 20));
    await sleep(20);
    stream.destroy(why);
    await closed(stream);
    assert.deepEqual(errors, why ? [mine] : []);
  }

  const stages = [];
  const midway = remover.removeStream({
    format: 'png',
    onProgress: ({ stage }) => stages.push(stage) && midway.destroy(),
  });
  midway.on('data', () => assert.fail('it gives nothing'));
  midway.end(photo);
  await closed(midway);
  assert.deepEqual(stages, ['decode'], 'its removal goes no further');
  assert.ok(await remover.remove(photo));
});

test('what writes to a stream hears that its reader is gone', async () => {
  const slow = new Readable({ read() {} });
  slow.push(photo.subarray(0, 20));
  const sink = new Writable({ write: (_, __, done) => done() });
  const done = pipeline(slow, remover.removeStream(), sink);
  setTimeout(() => sink.destroy(mine), 20);
  await assert.rejects(within(done), (error) => error === mine);
  assert.ok(slow.destroyed);
});

test('a signal ends a stream', async () => {
  const through = (stream, options) => {
    const slow = new Readable({ read() {} });
    slow.push(photo.subarray(0, 20));
    return within(pipeline(slow, stream, new Writable({ write: (_, __, done) => done() }), options));
  };
  const controller = new AbortController();
  const { signal } = controller;
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(through(remover.removeStream({ signal }), {}), (error) => error === reason);
  await assert.rejects(through(remover.removeStream({ signal }), {}), (error) => error === reason);
  await assert.rejects(through(remover.removeStream(), { signal: AbortSignal.timeout(20) }), { name: 'AbortError' });
  const reasonless = new AbortController();
  setTimeout(() => reasonless.abort(null), 20);
  await assert.rejects(through(remover.removeStream({ signal: reasonless.signal }), {}), { name: 'AbortError' });
});

test('streams that are destroyed midway keep no other from its turn', async () => {
  for (let turn = 0; turn < 40; turn += 1) {
    const stream = remover.removeStream().resume();
    stream.write(photo.subarray(0, 20));
    await sleep(1);
    stream.destroy();
  }
  assert.ok(await within(remover.remove(Readable.from([photo])), 'the next removal'));
});

test('a stream that nobody uses costs nothing', async () => {
  for (let turn = 0; turn < 20; turn += 1)
    remover
      .removeStream()
      .on('error', () => assert.fail('it does not fail'))
      .destroy();
  await sleep(20);
});

test('a stream that is given up before it is read lets go of its mask', async () => {
  const mask = new Readable({ read() {} });
  remover.removeStream({ mask_from: mask }).destroy();
  await within(new Promise((resolve) => mask.once('close', resolve)), 'the mask is let go');
});

test('streams that are silent, or wait for one another, hold up no other', async () => {
  const controller = new AbortController();
  const silent = Array.from({ length: 40 }, () => new PassThrough());
  const waiting = silent.map((stream) => remover.remove(stream, { signal: controller.signal }).catch((error) => error));
  assert.ok(await within(remover.remove(Readable.from([photo]))));
  const through = () => remover.removeStream({ format: 'png' });
  const chains = Array.from({ length: 40 }, () => collected(Readable.from([photo]).pipe(through()).pipe(through())));
  assert.equal((await within(Promise.all(chains))).length, 40);
  const masks = Array.from({ length: 40 }, () => Readable.from([photo]).pipe(remover.removeStream({ mask: true })));
  const by = masks.map((mask_from) => remover.remove(photo, { mask_from }));
  assert.equal((await within(Promise.all(by))).length, 40);
  controller.abort(reason);
  assert.deepEqual(new Set(await within(Promise.all(waiting))), new Set([reason]));
  assert.ok(silent.every((stream) => stream.destroyed));
});

/** A stream of another library: what makes one Node's is missing. */
class Foreign extends EventEmitter {
  destroyed = false;
  pipe() {}
  pause() {}
  resume() {}
  destroy() {
    this.destroyed = true;
  }
}

test('a stream of another library is read, heard and ended as one of Node', async () => {
  const whole = new Foreign();
  const made = remover.remove(whole);
  whole.emit('data', photo);
  whole.emit('end');
  assert.ok((await within(made)).equals(await remover.remove(photo)));
  const failing = new Foreign();
  const failed = remover.remove(failing);
  failing.emit('error', mine);
  await assert.rejects(within(failed), (error) => error === mine);
  const [controller, left] = [new AbortController(), new Foreign()];
  const stopped = remover.remove(left, { signal: controller.signal });
  left.emit('data', photo.subarray(0, 9));
  setImmediate(() => controller.abort(reason));
  await assert.rejects(within(stopped), (error) => error === reason);
  await sleep(10);
  assert.ok(left.destroyed);
});

test('a server can answer whatever became of the removal', async () => {
  const small = tiny({ max_bytes: 500 });
  const removals = [
    (picture) => remover.remove(picture, { signal: AbortSignal.abort(reason) }),
    (picture) => remover.remove(picture, { mask_from: 5 }),
    (picture) => small.remove(picture),
  ];
  const server = createServer(async (picture, answer) => {
    const error = await removals[Number(picture.url.slice(1))](picture).catch((caught) => caught);
    answer.writeHead(error.status ?? 500).end(String(error));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const answered = (path, body) =>
    new Promise((resolve, reject) => {
      const { port } = server.address();
      const sent = request({ port, path, method: 'POST', agent: false }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  for (const length of [1_000, 300_000, 5_000_000]) {
    const body = Buffer.alloc(length, photo);
    const statuses = await within(Promise.all(removals.map((_, at) => answered(`/${at}`, body))), `${length} bytes`);
    assert.deepEqual(statuses, [500, 500, 400], `${length} bytes`);
  }
  server.close();
});

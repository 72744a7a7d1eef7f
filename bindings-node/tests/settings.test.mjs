// A remover: its settings, model and engine.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { format, halves, node, png, rejected, remrembg, TINY, temporary, tiny } from './support.mjs';
import { tinyModel } from './tiny.mjs';

const { Remover, RembgError, fetchModel, models, version } = remrembg;
const photo = await png();

test('a remover tells what it runs on', async () => {
  const engine = await new Remover({ engine: 'rten', threads: '2' }).load();
  const { version: its, ...others } = engine;
  assert.deepEqual(others, {
    model: 'u2netp',
    name: 'rten',
    provider: 'CPU',
    library: undefined,
    threads: 2,
    fallback: undefined,
  });
  assert.match(its, /^\d+\.\d+/);
});

test('loading twice loads once, and removing loads too', async () => {
  const made = tiny();
  const [one, two, result] = await Promise.all([made.load(), made.load(), made.remove(photo)]);
  assert.deepEqual(one, two);
  assert.equal(format(result), 'webp');
});

test('wrong settings are all told at once, by the constructor', () => {
  assert.throws(
    () => new Remover({ threads: -1, max_side: 'wide', zoom: 1, in_flight: undefined, providers: null }),
    (error) => {
      assert.ok(error instanceof RembgError);
      assert.deepEqual([error.kind, error.status, error.code], ['validation', 400, 'multiple']);
      assert.deepEqual(
        error.details.map(({ field }) => field),
        ['threads', 'max_side', 'zoom'],
      );
      for (const { field, message } of error.details) assert.ok(error.message.includes(`  ${field}: ${message}`));
      return true;
    },
  );
  assert.throws(() => new Remover({ engine: 'gpu' }), { name: 'RembgError', kind: 'engine', message: /'gpu'/ });
  assert.throws(() => new Remover({ model: 'u3net' }), { name: 'RembgError', kind: 'model', message: /'u3net'/ });
});

test('settings are taken as they are when the remover is made', async () => {
  const settings = { ...TINY, max_side: 30 };
  const made = new Remover(settings);
  settings.max_side = 1;
  assert.ok(await made.remove(photo));
});

test('limits are settings, as numbers or as text', async () => {
  for (const max_side of [7, '7']) {
    const error = await rejected(tiny({ max_side }).remove(halves(8, 4)));
    assert.equal(error.message, 'Image width (8px) exceeds the maximum allowed width of 7px.');
  }
  for (const picture of [Buffer.alloc(3 << 19), new Blob([Buffer.alloc(3 << 19)])]) {
    const error = await rejected(tiny({ max_bytes: 1 << 20 }).remove(picture));
    assert.equal(error.message, 'File size (1.5 MB) exceeds the maximum allowed size of 1 MB.');
  }
});

test('a model that is not there or damaged is an error, and the next call looks again', async () => {
  const model = join(temporary(), 'later.onnx');
  const late = new Remover({ ...TINY, model });
  const told = async (call) => {
    const { name, kind, status } = await rejected(call);
    return [name, kind, status];
  };
  assert.deepEqual(await told(late.load()), ['RembgError', 'io', 500]);
  assert.deepEqual(await told(late.remove(photo)), ['RembgError', 'io', 500]);
  writeFileSync(model, 'no model');
  assert.deepEqual(await told(late.load()), ['RembgError', 'model', 500]);
  writeFileSync(model, tinyModel());
  assert.ok(await late.remove(photo));
});

test('a model that was not fetched is an error that says how to', async () => {
  const code = `
    import { Remover } from 'remrembg';
    const remover = new Remover({ model: 'u2net' });
    await remover.load().catch(({ name, kind, message }) => console.log(name, kind, message));`;
  const { stdout, stderr } = await node(code, { env: { REMREMBG_MODELS: temporary(), U2NET_HOME: temporary() } });
  assert.equal(stderr, '');
  assert.match(stdout, /^RembgError model .*u2net.*fetch/s);
});

test('an engine that is not there is an error of kind engine', async () => {
  const error = await rejected(new Remover({ engine: 'onnxruntime', onnxruntime: temporary() }).load());
  assert.deepEqual([error.name, error.kind, error.status], ['RembgError', 'engine', 500]);
});

test('the model inside need not be fetched, and one that nobody knows cannot be', async () => {
  assert.equal(models[0], 'u2netp');
  assert.equal(await fetchModel('u2netp'), undefined);
  assert.equal((await rejected(fetchModel('u3net'))).kind, 'model');
  assert.match(version, /^\d+\.\d+\.\d+$/);
});

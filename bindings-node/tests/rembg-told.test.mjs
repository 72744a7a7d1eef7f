// `rembg` in the place of rembg.js: what it refuses, many at once, and what it tells of its progress.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';

import { noise, openFiles, ROOT, rejected, required as require, runNode, sharp, temporary, written } from './help.mjs';
import {
  rembg,
  RembgError,
  apiKey,
  png,
  bytesOf,
  made,
  results,
  ownTemporaryFolder,
  expected,
  FAST,
} from './rembg.mjs';

// Refusals.

test('a refusal is told to the letter, and its parts are at hand', async (t) => {
  const folder = ownTemporaryFolder(t);
  const error = await rejected(rembg({ apiKey, inputImage: png, options: { w: -5 } }));
  const body = '{"error":"\'w\' must be at least 1, got: -5","status":400}';
  assert.equal(error.message, `❌ 400 ${body}`);
  assert.ok(error instanceof RembgError && error instanceof Error);
  assert.equal(error.status, 400);
  assert.equal(error.code, 'too_small');
  assert.deepEqual(error.details, [{ field: 'w', message: "'w' must be at least 1, got: -5" }]);
  assert.equal(JSON.stringify(error), body);
  assert.deepEqual(error.toJSON(), { error: "'w' must be at least 1, got: -5", status: 400 });
  assert.deepEqual(results(folder), []);
});

test('several refusals are told together', async () => {
  const error = await rejected(rembg({ apiKey, inputImage: Buffer.alloc(0), options: { angle: 500, w: 'abc' } }));
  const details = [
    { field: 'image', message: 'Uploaded file is empty (0 bytes).' },
    { field: 'w', message: "'w' must be an integer, got: 'abc'" },
    { field: 'angle', message: "'angle' must be between -360 and 360 degrees, got: 500.0" },
  ];
  const body = { error: 'Multiple validation errors', details, status: 400 };
  assert.equal(error.message, `❌ 400 ${JSON.stringify(body)}`);
  assert.deepEqual([error.status, error.code], [400, 'multiple']);
  assert.deepEqual(error.details, details);
  assert.deepEqual(error.toJSON(), body);
});

test('every refusal of an option has the words of the vectors', async () => {
  const vectors = JSON.parse(readFileSync(join(ROOT, 'testdata/options.json'), 'utf8'));
  // These are no options of the hosted API, but are of rembg.js.
  const own = ['returnBase64', 'returnMask'];
  const refusals = vectors.filter(({ error, pairs }) => error && !pairs.some(([key]) => own.includes(key)));
  assert.ok(refusals.length > 100, `${refusals.length} refusals`);
  for (const { name, pairs, error } of refusals) {
    const { mask, ...others } = Object.fromEntries(pairs);
    const options = mask === undefined ? others : { ...others, returnMask: mask };
    const told = await rejected(rembg({ apiKey, inputImage: png, options }));
    assert.equal(told.message, `❌ ${error.status} ${error.body}`, name);
    assert.equal(told.status, error.status, name);
  }
});

test('what is wrong with a file is told', async () => {
  const folder = temporary();
  const said = async (inputImage) => (await rejected(rembg({ apiKey, inputImage }))).toJSON().error;
  const signature = 'File does not appear to be a valid image (invalid file signature)';
  const suffixes = 'Allowed formats: webp, bmp, png, jpg, jpeg';
  assert.equal(await said(written(folder, 'a.exe', png)), `File type '.exe' is not supported. ${suffixes}`);
  assert.equal(await said(written(folder, 'photo', png)), `File type '' is not supported. ${suffixes}`);
  assert.equal(await said(written(folder, 'a.png', '')), 'Uploaded file is empty (0 bytes).');
  assert.equal(await said({ base64: '' }), 'Uploaded file is empty (0 bytes).');
  assert.equal(await said(new Blob([])), 'Uploaded file is empty (0 bytes).');
  assert.equal(await said(Buffer.from('no picture')), signature);
  assert.equal(await said(png.subarray(0, png.length - 20)), signature);
  const wide = await sharp({ create: { width: 10001, height: 1, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  assert.equal(await said(wide), 'Image width (10001px) exceeds the maximum allowed width of 10000px.');
});

/** The package as a test runner such as Jest loads it: with globals of its own, but the built-in modules of all. */
function elsewhere() {
  const names = [
    'Abort(Controller|Signal)',
    'B(lob|uffer)',
    'console',
    'process',
    '(set|clear)(Immediate|Interval|Timeout)',
  ];
  const isNeeded = (name) => new RegExp(`^(${names.join('|')}|queueMicrotask)$`).test(name);
  const needed = Object.getOwnPropertyNames(globalThis).filter(isNeeded);
  const globals = Object.fromEntries(needed.map((name) => [name, globalThis[name]]));
  const context = createContext(globals);
  const loaded = new Map();
  const load = (path) => {
    if (!path.endsWith('.js')) return require(path);
    if (loaded.has(path)) return loaded.get(path).exports;
    const [module, from] = [{ exports: {} }, createRequire(path)];
    loaded.set(path, module);
    const named = (name) => (name.startsWith('.') ? load(from.resolve(name)) : from(name));
    runInContext(Module.wrap(readFileSync(path, 'utf8')), context)(
      module.exports,
      Object.assign(named, from),
      module,
      path,
      dirname(path),
    );
    return module.exports;
  };
  return { globals, ...load(require.resolve('remrembg')) };
}

test('a test runner hears the same words, and may stand in for the clock', async () => {
  const { globals, rembg } = elsewhere();
  globals.setImmediate = globals.setTimeout = () => {};
  const path = join(temporary(), 'gone.png');
  const error = await rejected(rembg({ apiKey, inputImage: path }));
  assert.equal(error.message, `❌ ENOENT: no such file or directory, open '${path}'`);
  const { base64Image } = await rembg({ apiKey, inputImage: png, options: { returnBase64: true } });
  assert.match(base64Image, /^data:image/);
});

test('a file that is too large is refused', async () => {
  const large = Buffer.alloc(52.6 * 2 ** 20);
  png.copy(large);
  const message = 'File size (52.6 MB) exceeds the maximum allowed size of 50 MB.';
  for (const inputImage of [large, new Blob([large]), written(temporary(), 'large.png', large)]) {
    const error = await rejected(rembg({ apiKey, inputImage }));
    assert.equal(error.message, `❌ 400 {"error":"${message}","status":400}`);
  }
});

test('an option that does not exist is named', async () => {
  const error = await rejected(rembg({ apiKey, inputImage: png, options: { widht: 5 } }));
  assert.match(error.message, /^❌ 400 \{"error":"Unknown option 'widht'/);
});

// Many.

test('several at once have each their own result', async () => {
  const each = [{}, { w: 12 }, { format: 'png' }, { returnMask: true }, { angle: 90 }, { w: -1 }];
  const wanted = each.map((options) => ({ ...options, ...FAST }));
  const alone = [];
  for (const options of wanted.slice(0, -1)) alone.push(await made(png, options));
  const together = await Promise.allSettled(wanted.map((options) => rembg({ apiKey, inputImage: png, options })));
  assert.deepEqual(
    together.map(({ status }) => status),
    [...alone.map(() => 'fulfilled'), 'rejected'],
  );
  const all = together.slice(0, -1).map(({ value }) => value);
  assert.equal(new Set(all.map(({ outputImagePath }) => outputImagePath)).size, alone.length);
  assert.deepEqual(await Promise.all(all.map(bytesOf)), alone);
});

test('neither results nor refusals leave a file open', { skip: !existsSync('/proc/self/fd') }, async () => {
  const path = written(temporary(), 'photo.png', png);
  const before = openFiles();
  const kept = [];
  for (let count = 0; count < 4; count++) {
    kept.push(await rembg({ apiKey, inputImage: path, options: FAST }));
    await rejected(rembg({ apiKey, inputImage: path, options: { w: -1 } }));
    await rejected(rembg({ apiKey, inputImage: path, options: { quality: 0.5 } }));
  }
  for (let wait = 0; wait < 3000 && openFiles() > before; wait++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(openFiles() <= before, `${openFiles() - before} more than before`);
  await Promise.all(kept.map(({ cleanup }) => cleanup()));
});

// Progress.

/** The events of one removal, and those that came after its end. */
async function heard(inputImage, options) {
  const events = [];
  const onUploadProgress = (event) => events.push(event);
  const onDownloadProgress = (event) => events.push(event);
  const data = await bytesOf(await rembg({ apiKey, inputImage, options, onUploadProgress, onDownloadProgress }));
  const count = events.length;
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(events.length, count, 'no event comes after the end');
  return { data, uploads: events.filter(({ upload }) => upload), events };
}

const KEYS = ['bytes', 'estimated', 'event', 'lengthComputable', 'loaded', 'progress', 'rate', 'total'];

function expectEvents(events, kind, size) {
  assert.ok(events.length > 0, `${kind} is told of`);
  let before = 0;
  for (const told of events) {
    const { loaded, total, progress, bytes, rate, estimated, event, lengthComputable } = told;
    assert.deepEqual(Object.keys(told).sort(), [...KEYS, kind].sort());
    assert.equal(told[kind], true);
    assert.equal(total, size);
    assert.equal(progress, loaded / total);
    assert.equal(bytes, loaded - before);
    assert.ok(loaded > before, 'there is something new');
    assert.equal(lengthComputable, true);
    assert.deepEqual(event, { lengthComputable, total, loaded });
    for (const number of [rate, estimated]) assert.ok(number === undefined || number >= 0, `${number}`);
    assert.equal(rate === undefined, estimated === undefined);
    before = loaded;
  }
  assert.equal(before, size, 'it ends with all of it');
}

test('both ways are told of, one after the other, with every field and to the end', async () => {
  for (const options of [{}, { returnBase64: true, format: 'png' }]) {
    const { data, uploads, events } = await heard(png, options);
    expectEvents(uploads, 'upload', png.length);
    expectEvents(events.slice(uploads.length), 'download', data.length);
    assert.deepEqual(events.slice(0, uploads.length), uploads, 'first up, then down');
  }
});

test('large files are told of piece by piece', async () => {
  const large = await noise(620, 440).png().toBuffer();
  const path = written(temporary(), 'large.png', large);
  const { data, uploads, events } = await heard(path, { format: 'bmp' });
  assert.ok(data.length > 2 ** 20);
  expectEvents(uploads, 'upload', large.length);
  expectEvents(events.slice(uploads.length), 'download', data.length);
  assert.ok(uploads.length > 1 && uploads[0].progress < 1, 'the upload is told of before its end');
  assert.ok(events.length - uploads.length > 1, 'and so is the download');
});

test('one callback alone hears its own', async () => {
  const events = [];
  const inputImage = { base64: png.toString('base64') };
  const listen = (event) => events.push(event);
  await made(png);
  await bytesOf(await rembg({ apiKey, inputImage, onUploadProgress: listen, onDownloadProgress: null }));
  expectEvents(events.splice(0), 'upload', png.length);
  await bytesOf(await rembg({ apiKey, inputImage, onDownloadProgress: listen }));
  expectEvents(events, 'download', expected.length);
});

test('what is refused is never said to be handed out', async () => {
  const events = [];
  const listen = (event) => events.push(event);
  const broken = Buffer.from('no picture');
  await rejected(rembg({ apiKey, inputImage: broken, onUploadProgress: listen, onDownloadProgress: listen }));
  expectEvents(events, 'upload', broken.length);
});

test('without callbacks nothing is printed', async () => {
  const code = `
    const inputImage = Buffer.from('${png.toString('base64')}', 'base64');
    require('remrembg').rembg({ apiKey: 'any', inputImage }).then(({ cleanup }) => cleanup());`;
  const { status, stdout, stderr } = await runNode(code);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});

for (const callback of ['onUploadProgress', 'onDownloadProgress']) {
  for (const how of ['throws', 'rejects', 'rejects a moment later']) {
    test(`what ${callback} ${how} comes out, and no file is left`, async (t) => {
      const folder = ownTemporaryFolder(t);
      const path = written(temporary(), 'photo.png', png);
      const thrown = new Error('of the caller');
      const callbacks = {
        throws: () => {
          throw thrown;
        },
        rejects: async () => {
          throw thrown;
        },
        'rejects a moment later': async () => {
          await undefined;
          throw thrown;
        },
      };
      for (const inputImage of [png, path]) {
        for (const returnBase64 of [false, true]) {
          const parameters = {
            apiKey,
            inputImage,
            options: { returnBase64, mask_from: png },
            [callback]: callbacks[how],
          };
          assert.equal(await rejected(rembg(parameters)), thrown);
        }
      }
      assert.deepEqual(results(folder), []);
      assert.deepEqual(await made(png), expected, 'and the next removal works');
    });
  }
}

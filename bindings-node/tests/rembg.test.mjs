// `rembg` in the place of rembg.js, point by point: what it takes, what it gives, how it fails.

import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

import {
  ball,
  CLIENT,
  farthest,
  folderOf,
  NO_PHOTO,
  noise,
  openFiles,
  opened,
  photo,
  ROOT,
  rejected,
  required,
  run,
  runNode,
  sharp,
  temporary,
  written,
} from './help.mjs';

const { rembg, RembgError } = required('remrembg');

const apiKey = 'any';
const NO_KEY = ' ⚠️⚠️⚠️ WARNING ⚠️⚠️⚠️: API key not provided, trials will be very limited.';
const NO_PICTURE = 'Invalid input type. Must be a file path, Buffer, or an object with a base64 property.';
const png = await ball(24).png().toBuffer();
const PREFIX = 'data:image/png;base64,';

/** The bytes of a result, after which its file is gone. */
async function bytesOf({ outputImagePath, cleanup, base64Image }) {
  if (base64Image !== undefined) return Buffer.from(base64Image.slice(PREFIX.length), 'base64');
  const data = readFileSync(outputImagePath);
  await cleanup();
  return data;
}

async function made(inputImage, options) {
  return bytesOf(await rembg({ apiKey, inputImage, options }));
}

/** The results in a folder. */
function results(folder) {
  return readdirSync(folder).filter((name) => name.startsWith('rembg-'));
}

/** A folder for temporary files that nobody else uses during this test. */
function ownTemporaryFolder(t) {
  const folder = temporary();
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  return folder;
}

const expected = await made(png);
/** One view of the model, where it is not about what it finds. */
const FAST = { preset: 'fast' };
const fast = await made(png, FAST);

// The key.

for (const key of ['', undefined, null, 0]) {
  test(`without a key (${JSON.stringify(key)}) nothing else is looked at`, async () => {
    for (const more of [{}, { inputImage: null }, { inputImage: '/none.png', options: { w: 'abc' } }]) {
      const error = await rejected(rembg({ apiKey: key, ...more }));
      assert.equal(error.message, NO_KEY);
      assert.equal(Object.getPrototypeOf(error), Error.prototype);
    }
  });
}

test('any key will do, and nothing leaves the machine', async () => {
  const code = `
    const refused = (name) => () => { throw new Error('asked the net: ' + name); };
    for (const name of ['connect', 'createConnection']) { require('net')[name] = refused(name); require('tls')[name] = refused(name); }
    require('net').Socket.prototype.connect = refused('Socket.connect');
    require('dns').lookup = refused('lookup');
    require('dgram').createSocket = refused('createSocket');
    require('dgram').Socket.prototype.send = refused('send');
    globalThis.fetch = refused('fetch');
    const { rembg } = require('remrembg');
    const inputImage = Buffer.from('${png.toString('base64')}', 'base64');
    rembg({ apiKey: 'not\\na key', inputImage, options: { returnBase64: true } })
      .then(({ base64Image }) => process.stdout.write(base64Image));`;
  const { status, stdout, stderr } = await runNode(code);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.equal(stdout, PREFIX + expected.toString('base64'));
});

// What goes in.

test('every way to hand over a picture gives the same', async () => {
  const folder = temporary();
  const base64 = png.toString('base64');
  const within = Buffer.concat([Buffer.from('....'), png]).subarray(4);
  const ways = {
    path: written(folder, 'photo.png', png),
    'path whose suffix is another kind of picture': written(folder, 'photo.JPG', png),
    Buffer: png,
    'Buffer within a larger one': within,
    Uint8Array: new Uint8Array(png),
    Blob: new Blob([png]),
    'Blob that says otherwise': new Blob([png], { type: 'text/plain' }),
    base64: { base64 },
    'data URL': { base64: `data:image/png;base64,${base64}` },
    'data URL that says otherwise': { base64: `data:text/plain;base64,${base64}` },
    'base64 on lines of its own': { base64: base64.replace(/.{76}/g, '$&\n') },
  };
  for (const [way, inputImage] of Object.entries(ways)) {
    assert.deepEqual(await made(inputImage, FAST), fast, way);
  }
});

test('every format of a picture is read', async () => {
  const pixels = await opened(await made(png, { format: 'png', ...FAST }));
  for (const format of ['webp', 'png', 'jpeg']) {
    const data = await ball(24).toFormat(format, { quality: 100 }).toBuffer();
    const { info } = await opened(await made(data, { format: 'png', ...FAST }));
    assert.deepEqual([info.width, info.height], [pixels.info.width, pixels.info.height], format);
  }
  const bmp = await made(png, { format: 'bmp', bg_color: 'white', ...FAST });
  assert.equal((await opened(await made(bmp, { format: 'png', ...FAST }))).info.width, 48);
});

for (const [name, value] of Object.entries({
  null: null,
  undefined: undefined,
  'a number': 5,
  'a boolean': true,
  'an object': {},
  'an array': ['photo.png'],
  'a function': () => {},
  'a URL': new URL('file:///photo.png'),
  'an ArrayBuffer': new ArrayBuffer(8),
})) {
  test(`${name} is not a picture`, async () => {
    const error = await rejected(rembg({ apiKey, inputImage: value }));
    assert.equal(error.message, NO_PICTURE);
    assert.equal(Object.getPrototypeOf(error), Error.prototype);
  });
}

test('a path that does not exist is told as the client does', async () => {
  for (const path of ['/no/such/photo.png', './none.png', '']) {
    const error = await rejected(rembg({ apiKey, inputImage: path }));
    assert.equal(error.message, `❌ ENOENT: no such file or directory, open '${path}'`);
    assert.equal(error.code, 'ENOENT');
  }
});

test('a folder is no picture', async () => {
  const error = await rejected(rembg({ apiKey, inputImage: temporary() }));
  assert.equal(error.message, '❌ EISDIR: illegal operation on a directory, read');
  assert.equal(error.code, 'EISDIR');
});

test('a pipe is not waited for', { skip: process.platform === 'win32' }, async () => {
  const path = join(temporary(), 'pipe.png');
  await run(['mkfifo', path]);
  const error = await rejected(rembg({ apiKey, inputImage: path }));
  assert.equal(error.message, `❌ ${path} is not a regular file`);
});

test('hundreds at once do not run out of open files', async () => {
  const path = written(temporary(), 'photo.png', png);
  const code = `
    const { rembg } = require('remrembg');
    const mask_from = require('node:fs').readFileSync(process.env.PICTURE);
    // The model runs for three of them: its time is not the point.
    const one = (_, number) => rembg({ apiKey: 'any', inputImage: process.env.PICTURE,
      options: { returnBase64: true, ...(number % 100 && { mask_from }) } });
    Promise.all(Array.from({ length: 300 }, one)).then(({ length }) => console.log(length));`;
  const words = ['sh', '-c', 'ulimit -n 100; exec "$0" -e "$1"', process.execPath, code];
  const { stdout, stderr } = await run(words, { env: { PICTURE: path } });
  assert.deepEqual({ stdout, stderr }, { stdout: '300\n', stderr: '' });
});

test('a file that may not be read is told', async (t) => {
  const path = written(temporary(), 'photo.png', png);
  const code = `
    if (process.getuid() === 0) process.setuid(65534);
    require('remrembg').rembg({ apiKey: 'any', inputImage: ${JSON.stringify(path)} })
      .catch((error) => console.log(error.message));`;
  chmodSync(path, 0o000);
  const { stdout, stderr } = await runNode(code);
  if (/Cannot find module|EACCES.*(lstat|scandir)/.test(stderr)) {
    t.skip('SKIPPED: nobody but root can read the package');
    return;
  }
  assert.equal(stdout, `❌ EACCES: permission denied, open '${path}'\n`, stderr);
});

test('a file that changes while it is read is refused', async () => {
  const path = written(temporary(), 'growing.png', await noise(300, 300).png().toBuffer());
  let told = 0;
  const onUploadProgress = () => {
    if (told++ === 0) appendFileSync(path, 'more');
  };
  const error = await rejected(rembg({ apiKey, inputImage: path, onUploadProgress }));
  assert.equal(error.message, `❌ ${path} changed while it was read`);
});

// Formats, and the file.

for (const [format, kind, mimeType] of [
  [undefined, 'webp', 'image/webp'],
  [null, 'webp', 'image/webp'],
  ['', 'webp', 'image/webp'],
  ['webp', 'webp', 'image/webp'],
  ['WebP', 'webp', 'image/webp'],
  ['png', 'png', 'image/png'],
  ['PNG', 'png', 'image/png'],
  ['jpeg', 'jpeg', 'image/jpeg'],
  ['jpg', 'jpeg', 'image/jpeg'],
  ['JPG', 'jpeg', 'image/jpeg'],
  ['bmp', 'bmp', 'image/bmp'],
  ['Bmp', 'bmp', 'image/bmp'],
]) {
  test(`format ${JSON.stringify(format)} gives ${kind}`, async (t) => {
    const folder = ownTemporaryFolder(t);
    const { outputImagePath, cleanup, ...more } = await rembg({
      apiKey,
      inputImage: png,
      options: { format, mask_from: png },
    });
    assert.deepEqual(more, {});
    assert.equal(dirname(outputImagePath), folder);
    const suffix = format || 'WEBP';
    const name = new RegExp(`^rembg--${process.pid}-[0-9A-Za-z]{12}-\\.${suffix}$`);
    assert.match(basename(outputImagePath), name);
    assert.equal(statSync(outputImagePath).mode & 0o777, 0o600);
    const data = readFileSync(outputImagePath);
    await cleanup();
    assert.deepEqual(results(folder), []);
    const told = await rembg({ apiKey, inputImage: png, options: { format, mask_from: png, returnBase64: true } });
    assert.deepEqual(told, { base64Image: PREFIX + data.toString('base64'), mimeType });
    if (kind === 'bmp') {
      assert.equal(data.toString('latin1', 0, 2), 'BM');
      return;
    }
    const { width, height, format: found } = await sharp(data).metadata();
    assert.deepEqual([found, width, height], [kind, 48, 24]);
  });
}

test('other formats are refused, and make no file', async (t) => {
  const folder = ownTemporaryFolder(t);
  for (const format of ['gif', 'GIF', '../x', 'tiff', '.png']) {
    const error = await rejected(rembg({ apiKey, inputImage: png, options: { format } }));
    const message = `Invalid format '${format}'. Allowed formats: PNG, JPEG, WEBP, BMP`;
    assert.equal(error.message, `❌ 400 {"error":"${message}","status":400}`);
  }
  assert.deepEqual(results(folder), []);
});

test('without a word the file is in the folder for temporary files', async () => {
  const { outputImagePath, cleanup } = await rembg({ apiKey, inputImage: png });
  assert.equal(dirname(outputImagePath), tmpdir());
  assert.deepEqual(readFileSync(outputImagePath), expected);
  await cleanup();
  assert.equal(existsSync(outputImagePath), false);
});

test('nothing but the result is put on the disk', async () => {
  const [TMPDIR, HOME] = [temporary(), temporary()];
  const code = `
    const inputImage = Buffer.from('${png.toString('base64')}', 'base64');
    require('remrembg').rembg({ apiKey: 'any', inputImage }).then(({ cleanup }) => cleanup());`;
  const { status } = await runNode(code, {
    env: { TMPDIR, HOME, XDG_CACHE_HOME: undefined, XDG_CONFIG_HOME: undefined },
  });
  assert.equal(status, 0);
  assert.deepEqual([readdirSync(TMPDIR), readdirSync(HOME)], [[], []], 'as an engine that reports to its maker would');
});

test('cleaning up twice, or what is gone already, is harmless', async () => {
  const { outputImagePath, cleanup } = await rembg({ apiKey, inputImage: png });
  assert.equal(await cleanup(), undefined);
  assert.equal(existsSync(outputImagePath), false);
  assert.equal(await cleanup(), undefined);
  const other = await rembg({ apiKey, inputImage: png });
  rmSync(other.outputImagePath);
  await Promise.all([other.cleanup(), other.cleanup()]);
});

test('the subject is kept and the rest is clear', async () => {
  const { data, info } = await opened(await made(png, { format: 'png' }));
  assert.deepEqual([info.width, info.height, info.channels], [48, 24, 4]);
  const at = (x, y) => [...data.subarray(4 * (y * 48 + x), 4 * (y * 48 + x) + 4)];
  assert.equal(at(1, 1)[3], 0, 'a corner is clear');
  assert.ok(at(24, 12)[3] > 250, 'the middle is opaque');
  assert.ok(farthest(at(24, 12).slice(0, 3), [0xe8, 0x73, 0x1c]) <= 3, `and has its colour: ${at(24, 12)}`);
});

test('the mask is grey, white where the subject is', async () => {
  for (const returnMask of [true, 'true', 1]) {
    const mask = await made(png, { returnMask, format: 'png' });
    const { channels, space } = await sharp(mask).metadata();
    assert.deepEqual([channels, space], [1, 'b-w']);
    const { data, info } = await sharp(mask).raw().toBuffer({ resolveWithObject: true });
    assert.equal(data[0], 0);
    assert.ok(data[info.channels * (12 * 48 + 24)] > 250);
  }
  assert.deepEqual(await made(png, { returnMask: false }), expected);
  assert.deepEqual(await made(png, { returnMask: 'false' }), expected);
});

test('sizes, turns and backgrounds are those of the hosted API', async () => {
  const size = async (options) => {
    // With a mask that is brought no model runs: sizes alone count here.
    const { width, height } = await sharp(await made(png, { ...options, mask_from: png })).metadata();
    return [width, height];
  };
  assert.deepEqual(await size({ w: 0, h: 0 }), [48, 24]);
  assert.deepEqual(await size({ w: 24 }), [24, 12]);
  assert.deepEqual(await size({ h: ' 48 ' }), [96, 48]);
  assert.deepEqual(await size({ w: 30, h: 30 }), [30, 15]);
  assert.deepEqual(await size({ w: 30, h: 30, exact_resize: true }), [30, 30]);
  assert.deepEqual(await size({ angle: 90 }), [24, 48]);
  assert.deepEqual(await size({ angle: '9e1', expand: false }), [48, 24]);
  const blue = await opened(await made(png, { bg_color: 'blue', format: 'png' }));
  assert.deepEqual([...blue.data.subarray(0, 3)], [0, 0, 255]);
});

test('a real photo is cut out', { skip: NO_PHOTO }, async () => {
  const { data, info } = await opened(await made(await photo(160), { format: 'png' }));
  const alpha = data.filter((_, at) => at % 4 === 3);
  assert.equal(info.width, 160);
  assert.ok(alpha.filter((value) => value > 250).length > alpha.length / 4, 'there is a subject');
  assert.ok(alpha.filter((value) => value < 5).length > alpha.length / 8, 'and a background');
});

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

// A disk that is full.

const ONTO_THE_DISK = `
  const { noise } = process.env;
  require('remrembg').rembg({ apiKey: 'any', inputImage: noise, options: { format: 'bmp' } }).then(
    () => console.log('made'),
    ({ message, code }) => console.log(JSON.stringify({ message, code })),
  ).then(() => {
    const left = require('fs').readdirSync(require('os').tmpdir());
    console.log(JSON.stringify(left.filter((name) => name.startsWith('rembg-'))));
  });`;

async function ontoTheDisk(t, words) {
  const TMPDIR = join(temporary(), 'disk');
  mkdirSync(TMPDIR);
  const picture = written(temporary(), 'noise.png', await noise(200, 200).png().toBuffer());
  // In noise a subject may be found or not, of which a warning would tell.
  const env = { TMPDIR, noise: picture, NODE: process.execPath, CODE: ONTO_THE_DISK, NODE_NO_WARNINGS: '1' };
  return run(['sh', '-c', `${words} && exec "$NODE" -e "$CODE"`], { env });
}

test('a full disk is told of, and no file is left', async (t) => {
  const namespace = await run(['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs none /mnt']).catch(() => ({ status: 1 }));
  if (namespace.status !== 0) {
    t.skip('SKIPPED: no small disk can be made here (unshare -rm, mount -t tmpfs)');
    return;
  }
  const mount = 'mount -t tmpfs -o size=64k none "$TMPDIR"';
  const { stdout, stderr } = await ontoTheDisk(
    t,
    `[ -n "$INSIDE" ] || INSIDE=1 exec unshare -rm sh -c '${mount} && exec "$NODE" -e "$CODE"'`,
  );
  assert.equal(stderr, '');
  const [told, left] = stdout.trim().split('\n');
  assert.deepEqual(JSON.parse(told), {
    message: '❌ Request failed ENOSPC: no space left on device, write',
    code: 'ENOSPC',
  });
  assert.equal(left, '[]');
});

test('a limit on the size of files is told of, and no file is left', async (t) => {
  const { stdout, stderr } = await ontoTheDisk(t, 'ulimit -f 64');
  assert.equal(stderr, '');
  const [told, left] = stdout.trim().split('\n');
  assert.deepEqual(JSON.parse(told), { message: '❌ Request failed EFBIG: file too large, write', code: 'EFBIG' });
  assert.equal(left, '[]');
});

test('a folder for temporary files that is not there is told of', async (t) => {
  const folder = ownTemporaryFolder(t);
  rmSync(folder, { recursive: true });
  const error = await rejected(rembg({ apiKey, inputImage: png }));
  assert.match(error.message, /^❌ Request failed ENOENT: no such file or directory, /);
  assert.equal(error.code, 'ENOENT');
});

// How it is loaded.

const LOADED = `
  const kinds = {};
  const tell = async () => {
    for (const [name, rembg] of Object.entries(found)) {
      const options = { returnBase64: true, preset: 'fast' };
      const { base64Image } = await rembg({ apiKey: 'any', inputImage: picture, options });
      kinds[name] = base64Image;
    }
    console.log(JSON.stringify(kinds));
  };
  const picture = Buffer.from('${png.toString('base64')}', 'base64');
  tell();`;

async function expectLoaded(words, names, options) {
  const { stdout, stderr } = await run([process.execPath, ...words], options);
  assert.equal(stderr, '');
  const base64Image = PREFIX + fast.toString('base64');
  assert.deepEqual(JSON.parse(stdout), Object.fromEntries(names.map((name) => [name, base64Image])));
}

test('it is required as the client is', async () => {
  const code = `
    const module_ = require('remrembg');
    const { rembg } = module_;
    const { rembg: deep, default: deepest } = require('remrembg/dist/index.js');
    const found = { rembg, default: module_.default, 'default.rembg': module_.default.rembg, deep, deepest };`;
  await expectLoaded(['-e', code + LOADED], ['rembg', 'default', 'default.rembg', 'deep', 'deepest']);
});

test('it is imported as the client is', async () => {
  const code = `
    import itself, { rembg } from 'remrembg';
    import * as all from 'remrembg';
    import deep, { rembg as deepest } from 'remrembg/dist/index.js';
    const found = {
      rembg, itself, 'itself.rembg': itself.rembg, 'itself.default': itself.default, all: all.rembg,
      'deep.rembg': deep.rembg, 'deep.default': deep.default, deepest,
    };`;
  const names = ['rembg', 'itself', 'itself.rembg', 'itself.default', 'all', 'deep.rembg', 'deep.default', 'deepest'];
  await expectLoaded(['--input-type=module', '-e', code + LOADED], names);
});

test('import and require give one and the same', async () => {
  const code = `
    import { createRequire } from 'node:module';
    import itself, { rembg } from 'remrembg';
    import { rembg as deep } from 'remrembg/dist/index.js';
    const required = createRequire(process.cwd() + '/x.js')('remrembg');
    console.log(rembg === required.rembg, rembg === deep, required.default === itself);`;
  const { stdout, stderr } = await run([process.execPath, '--input-type=module', '-e', code]);
  assert.deepEqual([stdout, stderr], ['true true true\n', '']);
});

test('whatever of it the client lets load can be loaded', async () => {
  for (const path of ['', '/dist/index.js', '/dist/index', '/package.json']) {
    assert.ok(required.resolve(`@remove-background-ai/rembg.js${path}`), path);
    assert.ok(required.resolve(`remrembg${path}`), path);
  }
});

const { PACKAGE } = process.env;

test("under the client's name its own program runs", { skip: !PACKAGE && 'SKIPPED: needs PACKAGE' }, async () => {
  const folder = temporary();
  const npm = ['npm', 'install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--loglevel=error'];
  written(folder, 'package.json', '{"private":true}');
  const installed = await run([...npm, `@remove-background-ai/rembg.js@file:${PACKAGE}`], { cwd: folder });
  assert.equal(installed.status, 0, installed.stderr);
  symlinkSync(folderOf('dotenv'), join(folder, 'node_modules/dotenv'));

  const [, program] = /```typescript\n(\/\/ script\.mjs file\n.*?)```/s.exec(
    readFileSync(join(CLIENT, 'README.md'), 'utf8'),
  );
  written(folder, 'script.mjs', program);
  written(folder, '.env', 'API_KEY=YOUR_API_KEY_HERE\n');
  written(folder, 'input.png', png);
  const TMPDIR = temporary();
  const { status, stdout, stderr } = await run([process.execPath, 'script.mjs'], { cwd: folder, env: { TMPDIR } });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /upload: true\n(?:.|\n)*download: true\n(?:.|\n)*✅🎉 background removed and saved under path=/);
  const path = stdout.trim().split('path=').pop();
  assert.equal(dirname(path), TMPDIR);
  const { format, width } = await sharp(readFileSync(path)).metadata();
  assert.deepEqual([format, width], ['webp', 48]);
});
